"""What can keep the suite from looking, each with what was expected, what was found and the next step."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

_T = TypeVar("_T")


class Gap(StrEnum):
    """Declared reasons for which a rehearsal on `local` alone is not held back."""

    NEEDS_AWS = "needs AWS"
    NEEDS_INTERNET = "needs internet"
    PLANNED = "planned"


class UsageProblem(Exception):
    """The run cannot start: bad option, bad file, unreachable environment. Exit status 4, no check runs."""


class Unverified(Exception):
    """The claim could not be checked, so it is neither held nor broken. Never a pass, never a failure.

    Args:
        message: expected, found, where and the next step.
        cause: why the claim could not be checked, in the same words for every item with this cause, such as
            "denied s3:GetBucketPolicy"; by default the message.
    """

    gap: Gap | None = None

    def __init__(self, message: str, *, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause or message


class Denied(Unverified):
    """AWS refused a read. Carries the IAM action that the verifier's policy lacks."""

    def __init__(self, action: str, message: str) -> None:
        super().__init__(f"denied {action}: {message}", cause=f"denied {action}")
        self.action = action


class Expired(Unverified):
    """The credentials of the run came to their end while it ran."""


EXPIRED = "the credentials expired during the run"
"""The cause of all items that could not be checked for this reason."""


class Refused(Unverified):
    """The suite's own guard kept a call from leaving this machine."""


class NeedsAws(Unverified):
    """The emulator cannot model what the item is about; declared in verification/embedded/gaps.toml."""

    gap = Gap.NEEDS_AWS


class NeedsInternet(Unverified):
    """A public advisory service could not be reached."""

    gap = Gap.NEEDS_INTERNET


class BudgetSpent(Unverified):
    """A paid request was not sent, for it would exceed what the run may spend (`--budget`)."""


class Planned(Unverified):
    """The item has no check yet."""

    gap = Gap.PLANNED


class NotApplicable(Exception):
    """The stack has nothing of the kind that the item is about. Never a pass, and nothing to fix."""


class Missing(Unverified):
    """A resource that a check needs does not exist, so that the check's claim cannot be checked.

    Another item claims that the resource exists. Its check fails, and does not raise this.
    """


NOT_RECORDED = "not recorded"
"""The cause of an item that a replay leaves out, because its check does what no recording holds."""


class NotRecorded(Unverified):
    """A replay was asked for something that its recording does not hold."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{why}: {what}; record a new run, or run this item against the stack", cause=why)


def existing(read: Callable[[], _T]) -> _T | None:
    """What is read, or None where it does not exist: for the check whose claim is that it does."""
    try:
        return read()
    except Missing:
        return None


class TookTooLong(BaseException):
    """A check's time is up. No ordinary exception, so that no retry within the check takes it for one of its own."""

"""What can keep the suite from looking, each with what was expected, what was found and the next step."""

from __future__ import annotations

from enum import StrEnum


class Gap(StrEnum):
    """Declared reasons for which a rehearsal on `local` alone is not held back."""

    NEEDS_AWS = "needs AWS"
    NEEDS_INTERNET = "needs internet"
    PLANNED = "planned"


class UsageProblem(Exception):
    """The run cannot start: bad option, bad file, unreachable environment. Exit status 4, no check runs."""


class Unverified(Exception):
    """Nobody could look, so the claim is neither held nor broken. Never a pass, never a failure."""

    gap: Gap | None = None


class Denied(Unverified):
    """AWS refused a read. Carries the IAM action that the verifier's policy lacks."""

    def __init__(self, action: str, message: str) -> None:
        super().__init__(f"denied {action}: {message}")
        self.action = action


class Refused(Unverified):
    """The suite's own guard kept a call from leaving this machine."""


class NeedsAws(Unverified):
    """The emulator cannot model what the item is about; declared in verification/embedded/gaps.toml."""

    gap = Gap.NEEDS_AWS


class NeedsInternet(Unverified):
    """A public advisory service could not be reached."""

    gap = Gap.NEEDS_INTERNET


class Planned(Unverified):
    """The item has no check yet."""

    gap = Gap.PLANNED


class Missing(AssertionError):
    """Something that has to exist does not: observed, hence a failure and not a doubt."""


class TookTooLong(BaseException):
    """A check's time is up. No ordinary exception, so that no retry within the check takes it for one of its own."""

"""What the simulated vendors remember: the fault that is set, the calls they had, the keys they revoked.

Prompts and keys are kept as SHA-256 only: a test can recognise what it sent, and a log or a dump of
the control's answer does not reveal it.
"""

import hashlib
from collections import Counter, OrderedDict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from .lives import LIVES

VENDORS = ("openai", "google", "bedrock", "bfl", "recraft", "stability")

DEFAULT_LATENCY_MS = 20.0
LONGEST_LATENCY_MS = 120_000.0
PROMPTS_KEPT = 1000
OBJECTS_KEPT = 2000


class Fault(StrEnum):
    """What can go wrong with a vendor."""

    UNAUTHORIZED = "unauthorized"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    RESET = "reset"
    GARBAGE = "garbage"
    WRONG_TYPE = "wrong_type"
    SLOW = "slow"
    MODERATED = "moderated"


REQUEST_FAULTS = frozenset(
    {Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.TIMEOUT, Fault.RESET, Fault.GARBAGE}
)
GENERATION_FAULTS = frozenset({Fault.WRONG_TYPE, Fault.SLOW, Fault.MODERATED})


class InvalidSettingError(ValueError):
    """A control request asks for something that no vendor can do."""


def digest(text: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(slots=True)
class Account:
    """One vendor's memory.

    Attributes:
        remaining: how many more requests the fault hits; None means until it is cleared.
        paid: images and texts that the vendor has delivered and would bill.
        vendor: whose memory it is.
        revoked: SHA-256 of the keys that are no longer valid.
        unsubscribed: Bedrock's models to which the account has no Marketplace subscription.
        today: the vendor's date; None for the real one.
        ends: the day on which a model ends, for those that are not to end on the day of `lives`.
    """

    vendor: str = ""

    fault: Fault | None = None
    remaining: int | None = None
    latency_ms: float = DEFAULT_LATENCY_MS
    calls: int = 0
    paid: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    paths: Counter[str] = field(default_factory=Counter)
    prompts: deque[str] = field(default_factory=lambda: deque(maxlen=PROMPTS_KEPT))
    revoked: frozenset[str] = frozenset()
    unsubscribed: frozenset[str] = frozenset()
    today: date | None = None
    ends: Mapping[str, date | None] = field(default_factory=dict)

    def take(self, among: Collection[Fault]) -> Fault | None:
        """The fault that hits the present request, if it is one of these; uses up one of ``remaining``."""
        fault = self.fault
        if fault is None or fault not in among:
            return None
        if self.remaining is not None:
            self.remaining -= 1
            if self.remaining <= 0:
                self.fault, self.remaining = None, None
        return fault

    def accepts(self, key: str) -> bool:
        """Whether this key has not been revoked."""
        return digest(key) not in self.revoked

    @property
    def day(self) -> date:
        """The vendor's date."""
        return self.today or datetime.now(UTC).date()

    def end(self, model: str) -> date | None:
        """The day on which the vendor stops to serve a model; None when none is announced."""
        return self.ends.get(model, LIVES.get(self.vendor, {}).get(model))

    def ended(self, model: str) -> bool:
        """Whether the vendor no longer serves a model."""
        end = self.end(model)
        return end is not None and self.day >= end

    def set(self, settings: dict[str, Any]) -> None:
        """Apply a control request; either all of it or nothing.

        Raises:
            InvalidSettingError: an unknown name or a value out of range.
        """
        known = {"fault", "count", "latency_ms", "revoked", "unsubscribed", "today", "ends"}
        if unknown := sorted(set(settings) - known):
            raise InvalidSettingError(f"unknown settings {unknown}; known: {sorted(known)}")
        count = settings.get("count")
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
            raise InvalidSettingError("count is a positive integer, or null for 'until cleared'")
        if "count" in settings and "fault" not in settings:
            raise InvalidSettingError("count needs a fault")
        fault = _fault(settings.get("fault"))
        latency = settings.get("latency_ms", self.latency_ms)
        if (
            isinstance(latency, bool)
            or not isinstance(latency, int | float)
            or not 0 <= latency <= LONGEST_LATENCY_MS
        ):
            raise InvalidSettingError(f"latency_ms is a number in 0..{LONGEST_LATENCY_MS:.0f}")
        revoked = _strings(settings, "revoked")
        unsubscribed = _strings(settings, "unsubscribed")
        today = _day("today", settings.get("today"))
        ends = _days(settings.get("ends"))
        if "fault" in settings:
            self.fault, self.remaining = fault, count if fault else None
        self.latency_ms = float(latency)
        if revoked is not None:
            self.revoked = frozenset(digest(key) for key in revoked)
        if unsubscribed is not None:
            self.unsubscribed = frozenset(unsubscribed)
        if "today" in settings:
            self.today = today
        if ends is not None:
            self.ends = ends

    def report(self) -> dict[str, Any]:
        """What the control shows."""
        return {
            "fault": self.fault,
            "count": self.remaining,
            "latency_ms": self.latency_ms,
            "calls": self.calls,
            "paid": self.paid,
            "outcomes": dict(self.outcomes),
            "paths": dict(self.paths),
            "prompts": list(self.prompts),
            "revoked": len(self.revoked),
            "unsubscribed": sorted(self.unsubscribed),
            "today": self.day.isoformat(),
            "ends": {model: day and day.isoformat() for model, day in self.ends.items()},
        }


def _fault(value: object) -> Fault | None:
    if value is None:
        return None
    try:
        return Fault(str(value))
    except ValueError:
        raise InvalidSettingError(
            f"unknown fault {value!r}; known: {[fault.value for fault in Fault]}"
        ) from None


def _day(name: str, value: object) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise InvalidSettingError(f"{name} is a day such as 2026-11-28, or null") from None


def _days(value: object) -> dict[str, date | None] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidSettingError("ends is an object from models to days")
    return {model: _day(f"the end of {model}", day) for model, day in value.items()}


def _strings(settings: dict[str, Any], name: str) -> list[str] | None:
    value = settings.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise InvalidSettingError(f"{name} is a list of strings")
    return value


@dataclass(frozen=True, slots=True)
class Stored:
    """An image behind a delivery URL."""

    body: bytes
    media_type: str
    expires: float


class Ledger:
    """The memory of all vendors."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self.objects: OrderedDict[str, Stored] = OrderedDict()
        self.tasks: OrderedDict[str, object] = OrderedDict()
        self.reset()

    def __getitem__(self, vendor: str) -> Account:
        return self._accounts[vendor]

    def reset(self) -> None:
        """Forget everything: counters, faults, tasks, delivered images."""
        self._accounts = {vendor: Account(vendor=vendor) for vendor in VENDORS}
        self.objects.clear()
        self.tasks.clear()

    def store(self, url: str, stored: Stored) -> None:
        """Keep an image for its URL (without query); the oldest goes when 2000 are kept."""
        self.objects[url] = stored
        while len(self.objects) > OBJECTS_KEPT:
            self.objects.popitem(last=False)

    def remember(self, identifier: str, task: object) -> None:
        """Keep an asynchronous vendor's task; the oldest goes when 2000 are kept."""
        self.tasks[identifier] = task
        while len(self.tasks) > OBJECTS_KEPT:
            self.tasks.popitem(last=False)

    def report(self) -> dict[str, dict[str, Any]]:
        """What the control shows of all vendors."""
        return {vendor: account.report() for vendor, account in self._accounts.items()}

"""How long the configured models can be called, by their vendors' word or by the registry's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from readiness.errors import Unverified
from verification import budgets


@dataclass(frozen=True)
class VendorAnswer:
    """A vendor's own word.

    Args:
        ends: the day on which it stops to serve the model; None when none is announced.
        served: whether it serves the model to this account; None when that could not be seen.
        legacy: whether it has begun to retire it.
    """

    ends: date | None
    served: bool | None
    legacy: bool


@dataclass(frozen=True)
class ModelLife:
    """What is known of one configured model, as the worker reports it.

    Args:
        model: its id.
        name: what its vendor calls it.
        vendor: who serves it.
        answer: the vendor's answer; None when its API has none, or when it did not answer.
        code: why it did not answer, as the worker's adapters call it.
        available_until: the end that the registry knows of.
        published: the page that says so.
        looked_up: when a developer read it there; None when it was never looked up.
    """

    model: str
    name: str
    vendor: str
    answer: VendorAnswer | None
    code: str | None
    available_until: date | None
    published: str
    looked_up: date | None

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> ModelLife:
        """One of the worker's entries."""
        answer, registry = entry["told"], entry["registry"]
        return cls(
            entry["model"],
            entry["vendorModel"],
            entry["vendor"],
            VendorAnswer(_day(answer["ends"]), answer["served"], answer["legacy"]) if answer else None,
            entry["code"],
            _day(registry["availableUntil"]),
            registry["published"],
            _day(registry["lookedUp"]),
        )

    def end(self, today: date) -> str:
        """What was seen of an end that has come or is near; '' when nothing was."""
        if self.answer and self.answer.served is False:
            if self.answer.legacy:
                return f"{self.vendor} calls {self.name} Legacy and refuses it to this account"
            return f"{self.vendor} serves no {self.name}: it has ended, or there is none of this name"
        if self.answer:
            return self._near(self.answer.ends, today, f"by the word of {self.vendor}")
        if self.code or self._old(today):
            return ""
        return self._near(self.available_until, today, f"by {self.published or 'the registry'}")

    def doubt(self, today: date) -> str:
        """Return why it is unknown whether the model lives long enough, or '' when it is known."""
        if self.code:
            return f"{self.vendor} does not say how long it serves {self.name} ({self.code})"
        if self.answer is None:
            return self._old(today)
        if self.answer.served is None:
            return (
                f"{self.vendor} calls {self.name} Legacy, and whether this account may call it was not seen"
            )
        if self.answer.legacy and self.answer.served and not self.answer.ends:
            return f"{self.vendor} calls {self.name} Legacy and names no day"
        return ""

    def how(self) -> str:
        """Return the end date and its source, for the report."""
        if self.answer:
            ends = f"ends on {self.answer.ends}" if self.answer.ends else "no announced end"
            return f"{ends}, asked of {self.vendor}"
        ends = f"ends on {self.available_until}" if self.available_until else "no announced end"
        return f"{ends}, {f'looked up {self.looked_up}' if self.looked_up else 'not looked up'} at {self.published or 'no page'}"

    def _old(self, today: date) -> str:
        """Why the registry's word does not count; '' when it does."""
        if self.looked_up is None:
            return f"the end of {self.name} has not been looked up; set it in ModelOverrides ({self.model}: looked_up)"
        if not timedelta() <= today - self.looked_up <= budgets.MODEL_LOOK_UP:
            return (
                f"the end of {self.name} was looked up on {self.looked_up}; look it up again at "
                f"{self.published or 'its vendor'} and say so in the registry"
            )
        return ""

    def _near(self, end: date | None, today: date, whose: str) -> str:
        if end is None or end - today > budgets.MODEL_NOTICE:
            return ""
        if end <= today:
            return f"{self.name} has ended on {end} {whose}"
        return f"{self.name} ends on {end}, in {(end - today).days} days, {whose}"


def read(answer: Any) -> list[ModelLife]:
    """Return the models' lives in the worker's answer.

    Raises:
        Unverified: it does not have the form that this suite expects.
    """
    try:
        return [ModelLife.read(entry) for entry in answer["models"]]
    except (KeyError, TypeError, ValueError) as problem:
        raise Unverified(
            f"expected the fields of each model's life in the worker's answer, found another form ({problem!r}); deploy the application again"
        ) from problem


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None

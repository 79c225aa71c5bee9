"""waivers.toml: failures that an approver has accepted until a day.

[[waiver]]
item = "SEC-17"
environment = "staging"
reason = "staging is reachable from the office network alone"
approver = "Ada Lovelace"
expires = 2027-01-31
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from readiness import written
from readiness.errors import UsageProblem

_SCHEMA: written.Schema = {
    "type": "object",
    "properties": {
        "waiver": {
            "type": "array",
            "description": "waivers written as [[waiver]]",
            "items": {
                "type": "object",
                "properties": {
                    **dict.fromkeys(("item", "environment", "reason", "approver"), written.TEXT),
                    "expires": {"type": "date"},
                },
                "required": ["item", "environment", "reason", "approver", "expires"],
                "additionalProperties": False,
            },
        }
    },
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Waiver:
    """One answered-for failure. `expires` is the last day on which it counts."""

    item: str
    environment: str
    reason: str
    approver: str
    expires: date

    def days_left(self, today: date) -> int:
        """Whole days, 0 on the last one."""
        return (self.expires - today).days


def load(file: Path, *, items: Collection[str], environments: Collection[str], today: date) -> list[Waiver]:
    """Every waiver of the file; a missing file holds none.

    Raises:
        UsageProblem: the file is malformed, or a waiver lacks a part, has expired, or names an unknown
            item or environment. One bad waiver stops the run: it must not turn into a silent pass.
    """
    if not file.exists():
        return []
    waivers = [Waiver(**entry) for entry in written.load(file, _SCHEMA).get("waiver", [])]
    seen: set[tuple[str, str]] = set()
    for waiver in waivers:
        where = f"{file.name}: waiver for {waiver.item} on {waiver.environment}"
        if waiver.item not in items:
            raise UsageProblem(
                f"{where}: no such item in PRODUCTION_CHECKLIST.md{written.nearest(waiver.item, items)}"
            )
        if waiver.environment not in environments:
            raise UsageProblem(
                f"{where}: no such environment in environments.toml{written.nearest(waiver.environment, environments)}"
            )
        if waiver.days_left(today) < 0:
            raise UsageProblem(
                f"{where}: expired on {waiver.expires}; fix the item, or have the waiver approved again"
            )
        if (waiver.item, waiver.environment) in seen:
            raise UsageProblem(f"{where}: expected one waiver, found two; remove one")
        seen.add((waiver.item, waiver.environment))
    return waivers

"""waivers.toml: failures that somebody has answered for, until a day.

[[waiver]]
item = "SEC-17"
environment = "staging"
reason = "staging is reachable from the office network alone"
approver = "Ada Lovelace"
expires = 2027-01-31
"""

from __future__ import annotations

import tomllib
from collections.abc import Container
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from verification.errors import UsageProblem


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


def load(file: Path, *, items: Container[str], environments: Container[str], today: date) -> list[Waiver]:
    """Every waiver of the file; a missing file holds none.

    Raises:
        UsageProblem: the file is malformed, or a waiver lacks a part, has expired, or names an unknown
            item or environment. One bad waiver stops the run: it must not turn into a silent pass.
    """
    if not file.exists():
        return []
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise UsageProblem(f"{file.name} cannot be read: {problem}") from problem
    unknown = set(content) - {"waiver"}
    if unknown:
        raise UsageProblem(f"{file.name}: unknown entry '{min(unknown)}'; waivers are written as [[waiver]]")
    waivers = [
        _waiver(entry, f"{file.name}: waiver {n}") for n, entry in enumerate(content.get("waiver", []), 1)
    ]
    seen: set[tuple[str, str]] = set()
    for waiver in waivers:
        where = f"{file.name}: waiver for {waiver.item} on {waiver.environment}"
        if waiver.item not in items:
            raise UsageProblem(f"{where}: no such item in PRODUCTION_CHECKLIST.md")
        if waiver.environment not in environments:
            raise UsageProblem(f"{where}: no such environment in environments.toml")
        if waiver.days_left(today) < 0:
            raise UsageProblem(
                f"{where}: expired on {waiver.expires}; mend the item, or have it approved anew"
            )
        if (waiver.item, waiver.environment) in seen:
            raise UsageProblem(f"{where}: stands there twice")
        seen.add((waiver.item, waiver.environment))
    return waivers


def _waiver(entry: Any, where: str) -> Waiver:
    if not isinstance(entry, dict) or set(entry) != {"item", "environment", "reason", "approver", "expires"}:
        raise UsageProblem(f"{where}: needs exactly item, environment, reason, approver and expires")
    if type(entry["expires"]) is not date:
        raise UsageProblem(f"{where}: expires must be a date like 2027-01-31, without quotes")
    texts = {key: value for key, value in entry.items() if key != "expires"}
    for key, value in texts.items():
        if not isinstance(value, str) or not value.strip():
            raise UsageProblem(f"{where}: {key} must be a text that is not empty")
    return Waiver(**entry)

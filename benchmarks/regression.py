"""This run's figures beside those of an earlier one, as ratios."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, shown
from readiness.errors import Unverified, UsageProblem
from verification import budgets

_SAME = ("environment", "emulated", "machine")
"""What has to be the same, or a ratio says nothing of the code."""


@dataclass(frozen=True)
class Comparison:
    """One figure, then and now. `ratio` is above 1 when it became worse, in whichever direction that is."""

    what: str
    unit: str
    before: float
    now: float
    ratio: float
    band: float
    held: bool

    @property
    def plain(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        verdict = "ok" if self.held else "REGRESSED"
        return (
            f"{self.what:54} {shown(self.before, self.unit):>14} -> {shown(self.now, self.unit):>14}   "
            f"{self.ratio:6.2f}, noise up to {self.band:.2f}   {verdict}"
        )


def read(file: Path) -> dict[str, Any]:
    """A --benchmark-json of an earlier run.

    Raises:
        UsageProblem: it cannot be read, or is none of ours.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise UsageProblem(
            f"{file} cannot be read: {problem}; write one with --benchmark-json={file}"
        ) from problem
    try:
        figures = [Figure.of(plain) for plain in content["figures"]]
        ours = bool(figures) and isinstance(content["measured"], dict)
    except (KeyError, TypeError):
        ours = False
    if not ours:
        raise UsageProblem(
            f"{file} has no figures; write one with: pytest benchmarks --benchmark-json={file}"
        )
    return dict(content)


def require_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Make sure that a ratio would be about the code.

    Raises:
        UsageProblem: the earlier run was of another environment, or on another kind of machine.
    """
    if other := {key: (before.get(key), now[key]) for key in _SAME if before.get(key) != now[key]}:
        said = "; ".join(f"{key}: then {then!r}, now {here!r}" for key, (then, here) in other.items())
        raise UsageProblem(
            f"the figures cannot be compared ({said}); measure a baseline where this run is made"
        )


def compare(baseline: Mapping[str, Any], rows: Sequence[Figure]) -> list[Comparison]:
    """Every figure that both runs have, in this run's order.

    Raises:
        Unverified: one of the two stands for too few samples to say anything, or its unit's noise is not known.
    """
    earlier = [Figure.of(plain) for plain in baseline["figures"]]
    before = {(row.group, row.what): row for row in earlier if row.value is not None}
    found = []
    for row in rows:
        then = before.get((row.group, row.what))
        if then is None or then.value is None or row.value is None or not row.compared:
            continue
        for one in (then, row):
            if one.samples is not None and one.samples < budgets.SAMPLES_TO_COMPARE:
                raise Unverified(
                    f"{one.group}: {one.what}: {one.samples} samples, at least {budgets.SAMPLES_TO_COMPARE} are "
                    "needed to compare; measure again"
                )
        found.append(_compared(row, then.value, row.value))
    return found


def _compared(row: Figure, before: float, now: float) -> Comparison:
    if row.unit not in budgets.REGRESSION_NOISE:
        raise Unverified(
            f"{row.what}: no noise is known of '{row.unit}'; see REGRESSION_NOISE in verification/budgets.py"
        )
    band, grain = budgets.REGRESSION_NOISE[row.unit]
    worse, better = (now, before) if row.better == "less" else (before, now)
    ratio = (worse + grain) / (better + grain)
    return Comparison(f"{row.group}: {row.what}", row.unit, before, now, ratio, band, ratio <= band)

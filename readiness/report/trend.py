"""The runs of an environment over time: their verdicts, the items whose outcome changed, and how long sections took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from readiness.report.history import Past

RUNS = 50
"""The most runs that are shown."""
LETTERS: Mapping[str, str] = {
    "pass": "p",
    "fail": "F",
    "waived": "w",
    "unverified": "u",
    "not-applicable": "-",
    "": " ",
}
"""How one outcome is shown in a row of them; a blank is a run that did not judge the item."""
_HEIGHT = 28
_STEP = 6


def trend(runs: Sequence[Past]) -> dict[str, Any]:
    """What the report shows of some runs, the earliest first, as JSON's own types.

    Args:
        runs: the latest first, as History.runs has them.
    """
    shown = list(reversed(runs[:RUNS]))
    items = sorted({item for past in shown for item in past.outcomes})
    rows = {item: [past.outcomes.get(item, "") for past in shown] for item in items}
    sections = dict.fromkeys(section for past in shown for section in past.seconds)
    return {
        "runs": [
            {
                "started": past.started,
                "commit": past.commit,
                "verdict": past.verdict,
                "counts": dict(Counter(past.outcomes.values())),
            }
            for past in shown
        ],
        "changing": [
            {"id": item, "outcomes": row}
            for item, row in rows.items()
            if len({each for each in row if each}) > 1
        ],
        "seconds": {section: [past.seconds.get(section) for past in shown] for section in sections},
    }


def line(values: Sequence[float | None]) -> str:
    """The points of an SVG polyline for some values over time, the largest at the top; gaps are left out."""
    largest = max((value for value in values if value is not None), default=0) or 1
    return " ".join(
        f"{_STEP * place + 2},{_HEIGHT - 2 - (_HEIGHT - 4) * value / largest:.1f}"
        for place, value in enumerate(values)
        if value is not None
    )


def text(shown: Mapping[str, Any]) -> str:
    """The same for a terminal."""
    runs = shown["runs"]
    if not runs:
        return "No run of this environment has been kept.\n"
    lines = ["Runs, the latest last"]
    lines += [
        f"  {run['started'][:16].replace('T', ' ')}  {run['commit'][:12]:12}  {run['verdict']}"
        for run in runs
    ]
    lines += ["", "Items whose outcome changed (p pass, F FAIL, u UNVERIFIED, w waived, - not applicable)"]
    lines += [
        f"  {row['id']:12} {''.join(LETTERS[outcome] for outcome in row['outcomes'])}"
        for row in shown["changing"]
    ] or ["  none"]
    timed = {
        section: [one for one in values if one is not None] for section, values in shown["seconds"].items()
    }
    if any(timed.values()):
        lines += ["", f"{'Seconds of the checks of a section':36} {'lowest':>8} {'highest':>8} {'latest':>8}"]
        lines += [
            f"  {section:34} {min(values):8.1f} {max(values):8.1f} {values[-1]:8.1f}"
            for section, values in timed.items()
            if values
        ]
    return "\n".join(lines) + "\n"

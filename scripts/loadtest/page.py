"""A load test as one page: the verdict, the criteria, the figures, and how it went over time. Needs no other file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readiness.report.templates import TEMPLATES

_WIDTH, _HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 28
_TICKS = 4
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Series:
    """A line of a plot; None where nothing was measured."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Plot:
    """Lines over the same seconds, from zero up."""

    title: str
    seconds: Sequence[float]
    series: Sequence[Series]

    @property
    def width(self) -> int:
        return _WIDTH

    @property
    def height(self) -> int:
        return _HEIGHT

    @property
    def frame(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom edge of the lines."""
        return _LEFT, _TOP, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    @property
    def _across(self) -> float:
        return max(self.seconds, default=0) or 1

    @property
    def _up(self) -> float:
        most = max((value for one in self.series for value in one.values if value is not None), default=0)
        return round_up(most / _TICKS) * _TICKS

    def x(self, second: float) -> float:
        return round(_LEFT + second / self._across * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        return round(_HEIGHT - _BOTTOM - value / self._up * (_HEIGHT - _TOP - _BOTTOM), 1)

    def path(self, series: Series) -> str:
        """SVG's `d`: a new stretch begins after each gap."""
        points, pen = [], "M"
        for second, value in zip(self.seconds, series.values, strict=True):
            if value is None:
                pen = "M"
                continue
            points.append(f"{pen}{self.x(second)},{self.y(value)}")
            pen = "L"
        return " ".join(points)

    @property
    def rungs(self) -> Sequence[float]:
        """Values that the vertical axis names."""
        return [self._up * tick / _TICKS for tick in range(_TICKS + 1)]

    @property
    def marks(self) -> Sequence[float]:
        """Seconds that the horizontal axis names."""
        step = round_up(self._across / 8)
        return [step * number for number in range(int(self._across / step) + 1)]


def plots(timeline: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
    """How the test went, from the figures' timeline."""
    seconds = [moment["second"] for moment in timeline]
    spans = [after - before for before, after in zip([0.0, *seconds], seconds, strict=False)]

    def each(name: str) -> Sequence[float | None]:
        return [moment[name] for moment in timeline]

    rate = [
        moment["requests"] / span if span > 0 else None for moment, span in zip(timeline, spans, strict=True)
    ]
    return [
        Plot(
            "Milliseconds until the first byte",
            seconds,
            [Series("p50", each("p50_ms")), Series("p95", each("p95_ms")), Series("p99", each("p99_ms"))],
        ),
        Plot("Users who are there", seconds, [Series("users", each("users"))]),
        Plot("Requests a second", seconds, [Series("requests/s", rate)]),
        Plot("Requests not answered as they should be", seconds, [Series("errors", each("errors"))]),
    ]


def render(document: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    """The page.

    Args:
        document: the figures, as they are written to JSON.
        facts: what was tested, and when.
    """
    failed = sum(not one["held"] for one in document["criteria"])
    return TEMPLATES.get_template("load.html.jinja").render(
        run=document, facts=facts, failed=failed, plots=plots(document["timeline"])
    )


def round_up(value: float) -> float:
    """The next number that reads well."""
    if value <= 0:
        return 1
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _STEPS if step * power >= value * (1 - 1e-9))

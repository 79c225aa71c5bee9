"""What was measured, held against what was wanted: one figure a budget, for the table and for --benchmark-json."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Literal

from readiness.samples import Samples

Better = Literal["less", "more"]
_SIDES = {"<": operator.lt, "<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True)
class Figure:
    """One figure beside its budget.

    Args:
        what: names it; a figure of the same name is what a later run compares it with.
        group: what was measured: `lambda`, `api`, `cdn`, `frontend`, `bundle`, `load`.
        measured: the figure as the table shows it, or why there is none.
        wanted: the budget as the table shows it, `` for a figure that has none.
        held: None when it could not be measured.
        value: the figure itself, None when it is no number.
        unit: of the value; what a regression may be by noise goes by it.
        better: in which direction the figure improves.
        samples: how many measurements the value stands for.
        compared: whether a later run is held against it. Not for a tail or an extreme, which noise alone moves: the
            median beside it is compared.
        emulated: whether somebody else than AWS was measured: a rehearsal, which satisfies no production budget.
    """

    what: str
    group: str
    measured: str
    wanted: str
    held: bool | None
    value: float | None = None
    unit: str = ""
    better: Better = "less"
    samples: int | None = None
    compared: bool = True
    emulated: bool = False

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Figure:
        """Read back what `plain` wrote."""
        return cls(**plain)

    @property
    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def verdict(self) -> str:
        if self.held is None:
            return "UNVERIFIED"
        if not self.held:
            return "OVER"
        if not self.wanted:
            return "-"
        return "held in rehearsal" if self.emulated else "ok"


@dataclass
class Figures:
    """The figures of a run, in the order they were measured."""

    rows: list[Figure] = field(default_factory=list)
    group: str = ""
    emulated: bool = False

    def judge(
        self,
        what: str,
        measured: str,
        wanted: str,
        *,
        held: bool,
        value: float | None = None,
        unit: str = "",
        better: Better = "less",
        samples: int | None = None,
        compared: bool = True,
    ) -> bool:
        """Note one figure, and give back whether it holds."""
        row = Figure(
            what, self.group, measured, wanted, held, value, unit, better, samples, compared, self.emulated
        )
        self.rows.append(row)
        return held

    def hold(
        self,
        what: str,
        value: float,
        sign: Literal["<", "<=", ">="],
        limit: float,
        unit: str,
        *,
        samples: int | None = None,
        compared: bool = True,
    ) -> bool:
        """Note a figure that has to be on one side of its limit."""
        return self.judge(
            what,
            shown(value, unit),
            f"{sign} {shown(limit, unit)}",
            held=_SIDES[sign](value, limit),
            value=value,
            unit=unit,
            better="more" if sign == ">=" else "less",
            samples=samples,
            compared=compared,
        )

    def tail(self, what: str, times: Samples, limit: timedelta) -> bool:
        """Note a 95th percentile that has to stay below its limit."""
        return self.hold(
            what,
            milliseconds(times.percentile(95)),
            "<",
            milliseconds(limit),
            "ms",
            samples=len(times.durations),
            compared=False,
        )

    def record(
        self, what: str, value: float, unit: str, samples: int | None = None, *, compared: bool = True
    ) -> None:
        """Note a figure that has no budget."""
        self.judge(
            what,
            shown(value, unit),
            "",
            held=True,
            value=value,
            unit=unit,
            samples=samples,
            compared=compared,
        )

    def unseen(self, what: str, reason: str) -> None:
        """Note that it could not be measured."""
        self.rows.append(Figure(what, self.group, reason, "", None, emulated=self.emulated))


def milliseconds(duration: timedelta) -> float:
    """To the microsecond, which is more than any clock here tells."""
    return round(duration / timedelta(milliseconds=1), 3)


def shown(value: float, unit: str) -> str:
    """A figure for people: as many digits as its unit deserves."""
    digits = {"ms": 1, "KB": 1, "s": 1, "%": 1, "points": 0, "": 2 if value >= 1 else 3}.get(unit, 0)
    return f"{value:,.{digits}f} {unit}".rstrip()


def table(rows: Iterable[Figure]) -> list[str]:
    """The lines that end a run."""
    return [
        f"{row.group:9} {row.what:42} {row.measured:>13}   {'wanted ' + row.wanted if row.wanted else '':20} {row.verdict}"
        if row.held is not None
        else f"{row.group:9} {row.what:42} {row.verdict}: {row.measured}"
        for row in rows
    ]

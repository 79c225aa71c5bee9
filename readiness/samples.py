"""Measured durations, and what may be said of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from readiness import budgets
from readiness.errors import Unverified


@dataclass(frozen=True, repr=False)
class Samples:
    """Durations of one kind of thing, in the order they were measured.

    Args:
        what: names the thing in messages.
        durations: one entry a sample.
    """

    what: str
    durations: tuple[timedelta, ...]

    @classmethod
    def of(cls, what: str, durations: Iterable[timedelta]) -> Samples:
        return cls(what, tuple(durations))

    def percentile(self, percent: float) -> timedelta:
        """The sample that `percent` of all do not exceed, by nearest rank (no value that was never measured).

        Raises:
            Unverified: fewer samples than a percentile can be taken of.
        """
        self._need(budgets.SAMPLES_FOR_PERCENTILE)
        ranked = sorted(self.durations)
        return ranked[math.ceil(percent / 100 * len(ranked)) - 1]

    @property
    def median(self) -> timedelta:
        """The middle.

        Raises:
            Unverified: fewer than three samples, of which none would be in the middle.
        """
        self._need(3)
        return timedelta(seconds=statistics.median(one.total_seconds() for one in self.durations))

    @property
    def most(self) -> timedelta:
        self._need(1)
        return max(self.durations)

    @property
    def least(self) -> timedelta:
        self._need(1)
        return min(self.durations)

    @property
    def mean(self) -> timedelta:
        self._need(1)
        return sum(self.durations, timedelta()) / len(self.durations)

    def _need(self, count: int) -> None:
        if len(self.durations) < count:
            raise Unverified(
                f"{self.what}: {len(self.durations)} samples, at least {count} are needed; measure again"
            )

    def __repr__(self) -> str:
        if not self.durations:
            return f"<{self.what}: no sample>"
        figures = {"min": self.least, "mean": self.mean, "max": self.most}
        if len(self.durations) >= budgets.SAMPLES_FOR_PERCENTILE:
            figures |= {"p50": self.percentile(50), "p95": self.percentile(95)}
        shown = ", ".join(
            f"{name} {value / timedelta(milliseconds=1):.1f} ms" for name, value in figures.items()
        )
        return f"<{self.what}: {len(self.durations)} samples, {shown}>"


def assert_p95_under(budget: timedelta, what: str, measured: Sequence[tuple[timedelta, timedelta]]) -> None:
    """Judge the 95th percentile.

    Args:
        budget: what it has to stay under.
        what: names one sample in messages.
        measured: of each sample how long it took, and the most that a busy machine may have added.

    Raises:
        AssertionError: it is not under the budget.
        Unverified: it is under the budget only without the time that a busy machine may have added, or there are too few samples.
    """
    samples = Samples.of(what, (took for took, _ in measured))
    if samples.percentile(95) < budget:
        return
    wanted = f"expected a 95th percentile under {budget.total_seconds():g} s, found {samples}"
    alone = Samples.of(what, (took - min(took, hindered) for took, hindered in measured))
    if alone.percentile(95) < budget:
        raise Unverified(
            f"{wanted}; without the time in which other processes delayed the embedded AWS, it is under this limit; run again "
            "on an idle machine"
        )
    raise AssertionError(wanted)

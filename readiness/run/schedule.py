"""Which check runs next, and beside which others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from readiness.checklist import How

# Seconds that a check is expected to take before it has been seen to run. They order checks and decide nothing else.
_EXPECTED = {How.DRILL: 5.0, How.STATIC: 3.0, How.BROWSER: 4.0, How.ACTIVE: 1.0}


@dataclass(frozen=True)
class Check:
    """One check of a run.

    Args:
        node: pytest's name for it.
        item: the item that it settles.
        how: what it takes.
        group: checks of one group share a costly fixture, so that one worker runs them all; empty for none.
    """

    node: str
    item: str
    how: frozenset[How]
    group: str = ""

    @property
    def is_static(self) -> bool:
        """Whether it reads the source tree alone, so that no drill disturbs it."""
        return self.how == {How.STATIC}

    @property
    def is_drill(self) -> bool:
        return How.DRILL in self.how


@dataclass
class Schedule:
    """The checks of a run that have not ended, and who runs what.

    A drill starts when every other check of the stack has ended. Only static checks run beside it. The longest checks come
    first, so that no long check is left for the end.

    Args:
        checks: all checks of the run.
        seconds: how long each took the last time, by its node.
        assigned: nodes of the checks that a worker runs first and in this order, by the worker's name. They do not disturb
            other checks, because a recording answers.
    """

    checks: Sequence[Check]
    seconds: Mapping[str, float] = field(default_factory=dict)
    assigned: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.waiting = list(self.checks)
        self.running: dict[str, Check] = {}
        self._owners: dict[str, str] = {}

    @property
    def done(self) -> bool:
        return not self.waiting and not self.running

    def next(self, worker: str) -> Check | None:
        """The check that a worker runs now; None when it has to wait, or there is none left."""
        if self.assigned:
            return self._assigned_to(worker)
        open_to = [check for check in self.waiting if self._owners.get(check.group, worker) == worker]
        chosen = self._longest(
            [check for check in open_to if not check.is_static and not check.is_drill]
            if not self._drill_runs
            else []
        )
        chosen = chosen or self._longest(
            [check for check in open_to if check.is_drill and self._stack_is_free]
        )
        chosen = chosen or self._longest([check for check in open_to if check.is_static])
        if chosen:
            self.waiting.remove(chosen)
            self.running[worker] = chosen
            if chosen.group:
                self._owners[chosen.group] = worker
        return chosen

    def _assigned_to(self, worker: str) -> Check | None:
        others = {node for name, nodes in self.assigned.items() if name != worker for node in nodes}
        waiting = {check.node: check for check in self.waiting if check.node not in others}
        first = (waiting[node] for node in self.assigned.get(worker, ()) if node in waiting)
        chosen = next(first, None) or next(iter(waiting.values()), None)
        if chosen:
            self.waiting.remove(chosen)
            self.running[worker] = chosen
        return chosen

    def ended(self, worker: str) -> None:
        """The worker's check has ended; it is not run again."""
        self.running.pop(worker, None)

    def lost(self, worker: str) -> None:
        """The worker is gone: what it shared between the checks of a group is gone as well."""
        self.ended(worker)
        self._owners = {group: owner for group, owner in self._owners.items() if owner != worker}

    @property
    def _drill_runs(self) -> bool:
        return any(check.is_drill for check in self.running.values())

    @property
    def _stack_is_free(self) -> bool:
        return all(check.is_static for check in self.running.values()) and all(
            check.is_static or check.is_drill for check in self.waiting
        )

    def _longest(self, checks: Sequence[Check]) -> Check | None:
        return max(checks, key=self._weight, default=None)

    def _weight(self, check: Check) -> tuple[float, float]:
        together = [other for other in self.waiting if check.group and other.group == check.group] or [check]
        return sum(map(self._expected, together)), self._expected(check)

    def _expected(self, check: Check) -> float:
        default = max((_EXPECTED.get(how, 0.2) for how in check.how), default=0.2)
        return self.seconds.get(check.node, default)

"""Which checks run: each is bound to its item, and what this environment may not run is left out."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

import pytest

from readiness import checklist, planned
from readiness.checklist import How, Item
from readiness.environment import Environment
from readiness.run.perform import Performer
from readiness.run.schedule import Check
from readiness.session import options
from readiness.suite import Suite

_HOW = pytest.StashKey[frozenset[How]]()
"""What settling the check's item takes."""


class Selection:
    """A pytest plugin of every process of a run.

    Args:
        config: of the run.
        suite: the application and its items.
        environment: where its stack is.
        performer: of a worker, which tells the controller what it selects; None in the controller.
    """

    def __init__(
        self,
        config: pytest.Config,
        suite: Suite,
        environment: Environment,
        performer: Performer | None,
    ) -> None:
        self._config, self._suite, self._environment, self._performer = config, suite, environment, performer
        self.checks: dict[str, str] = {}
        """pytest's name for each check that runs, by its item."""
        self.problems: list[str] = []
        """In what way checks and checklist do not match."""
        self.left_out: dict[str, list[str]] = {}
        """Items that this environment or these options leave out, by the kind of check that they need."""

    @property
    def may_spend(self) -> bool:
        """Whether AI providers may be made to work: simulated ones always, others when --paid grants it."""
        return self._environment.emulated or bool(self._config.option.paid)

    def collected(
        self, checks: Sequence[Check], problems: Sequence[str], left_out: Mapping[str, Sequence[str]]
    ) -> None:
        """Take what a worker has selected."""
        self.checks = {check.item: check.node for check in checks}
        self.problems = list(problems)
        self.left_out = {kind: list(items) for kind, items in left_out.items()}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        """Bind tests to items before -m chooses among them, and leave out of its choice what may not run."""
        found = {item_id(test) for test in items}
        expected = self._suite.expected(options.given(config), found)
        items += planned.checks(session, {id_: item for id_, item in expected.items() if id_ not in found})
        self._bind(expected, items)
        yield
        self._leave_out(config, items)
        items.sort(key=is_drill)

    def _bind(self, expected: Mapping[str, Item], items: list[pytest.Item]) -> None:
        bound = []
        for test in items:
            item = item_id(test)
            sections = [name for name in self._sections if test.get_closest_marker(name)]
            bound.append((test.nodeid, item, ",".join(sections)))
            test.stash[_HOW] = self._suite.items[item].how if item in self._suite.items else frozenset()
            for how in test.stash[_HOW] - {How.READ_ONLY}:
                test.add_marker(how.value)
            if item in self._suite.items:
                test.add_marker(item)
        self.problems = checklist.binding_problems(expected, bound)
        if self.problems and self._performer:
            items.clear()  # the controller says why, see readiness.session.conclusion
            self._performer.problems = self.problems
        elif self.problems:
            raise pytest.UsageError(mismatch(self.problems))

    @property
    def _sections(self) -> Iterable[str]:
        return dict.fromkeys(item.section for item in self._suite.items.values())

    def _leave_out(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        for marker in self._unwanted(config):
            dropped = [test for test in items if test.get_closest_marker(marker)]
            if dropped:
                self.left_out[marker] = [item_id(test) for test in dropped]
                config.hook.pytest_deselected(items=dropped)
                items[:] = [test for test in items if test not in dropped]
        if self._performer:
            self._performer.left_out = self.left_out

    def _unwanted(self, config: pytest.Config) -> Iterable[str]:
        read_only = self._environment.settings.read_only
        if read_only and not options.asks_for("drill", config.option.markexpr):
            yield "drill"
            if not options.asks_for("active", config.option.markexpr):
                yield "active"
        if not self.may_spend or (read_only and not options.asks_for("paid", config.option.markexpr)):
            yield "paid"

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items:  # a controller collects none
            self.checks = {item_id(test): test.nodeid for test in session.items}


def item_id(test: pytest.Item) -> str:
    """The item that a check settles; empty for none."""
    marker = test.get_closest_marker("item")
    return str(marker.args[0]) if marker and marker.args else ""


def is_drill(test: pytest.Item) -> bool:
    """Whether a check disturbs the stack, so that it runs alone."""
    return test.get_closest_marker("drill") is not None


def is_static(test: pytest.Item) -> bool:
    """Whether a check reads the source tree alone, so that no drill disturbs it."""
    return test.stash[_HOW] == {How.STATIC}


def described(test: pytest.Item) -> Mapping[str, Any]:
    """What the controller has to know of a check."""
    group = test.get_closest_marker("xdist_group")
    return {
        "item": item_id(test),
        "how": [how.value for how in test.stash[_HOW]],
        "group": str(group.args[0]) if group and group.args else "",
    }


def mismatch(problems: Sequence[str]) -> str:
    """What does not match between checks and checklist, as an error's text."""
    return "checks and checklist do not match:\n  " + "\n  ".join(problems)

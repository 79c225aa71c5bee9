"""pytest hooks of a run that is recorded or replayed: whose exchanges those are that follow, and what is left out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest

from readiness.errors import NOT_RECORDED, NotRecorded
from readiness.recording.chance import Modules

_GIVEN = ("readiness.aws", "readiness.catalogue", "readiness.discovery", "readiness.probes")
# botocore waits between two attempts, and a waiter between two looks.
_GIVEN_IN_A_REPLAY = ("botocore.endpoint", "botocore.waiter")


class Process(Protocol):
    """A recorder or a player, which has to know what runs."""

    def open_check(self, item: str, node: str, *, is_static: bool) -> None:
        """A check begins."""

    def enter(self, scope: str) -> None:
        """What follows belongs to something that many checks share."""

    def leave(self) -> None:
        """It has ended."""

    def close(self) -> None:
        """The run has ended."""


class Hooks:
    """A pytest plugin in the process that runs the checks.

    Args:
        process: records or replays.
        modules: what is given to the modules of the checks.
        item_of: the item of a test.
        checks: the application's checks and what belongs to them.
        left_out: why an item is not replayed, by item; nothing where the run is recorded.
    """

    def __init__(
        self,
        process: Process,
        modules: Modules,
        item_of: Callable[[pytest.Item], str],
        checks: Path,
        left_out: Callable[[pytest.Item], str] | None = None,
    ) -> None:
        self._process, self._modules = process, modules
        self._item_of, self._checks, self._left_out = item_of, checks, left_out

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._modules.give(_modules(session, self._checks, replays=self._left_out is not None))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Innermost, so that the wait for a turn is not part of it."""
        is_static = item.get_closest_marker("static") is not None
        self._process.open_check(self._item_of(item), item.nodeid, is_static=is_static)
        try:
            return (yield)
        finally:
            self._process.leave()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Give a fixture of the session a scope of its own, whichever check requests it first."""
        if fixturedef.scope != "session":
            return (yield)
        self._process.enter(f"@{fixturedef.argname}")
        try:
            return (yield)
        finally:
            self._process.leave()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self._left_out and (why := self._left_out(item)):
            raise NotRecorded(f"{self._item_of(item)}: {why}", NOT_RECORDED)

    def pytest_unconfigure(self) -> None:
        self._process.close()
        self._modules.put_back()


def left_out(recorded: Mapping[str, Any], item: str, *, has_browser: bool) -> str:
    """Why an item is not replayed; empty for one that is.

    Args:
        recorded: `items` of the recording.
        item: its id.
        has_browser: whether its check drives a browser, whose traffic is not recorded.
    """
    if has_browser:
        return "what a browser does is not recorded"
    if item not in recorded:
        return "the recorded run did not select it"
    return str(recorded[item]["left_out"])


def _modules(session: pytest.Session, checks: Path, *, replays: bool) -> list[ModuleType]:
    wanted = (*_GIVEN, *(_GIVEN_IN_A_REPLAY if replays else ()))
    named = {
        name: module
        for name, module in sys.modules.items()
        if any(name == each or name.startswith(f"{each}.") for each in wanted)
        or checks in Path(getattr(module, "__file__", None) or "").parents
    }
    return [*named.values(), *{item.module for item in session.items if isinstance(item, pytest.Function)}]

"""How long a check, and a whole run, may take."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from readiness import progress
from readiness.budgets import CLEAN_UP_LIMIT, ITEM_LIMITS
from readiness.checklist import How
from readiness.errors import TookTooLong

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?) ?(?P<unit>s|min|m|h|)")
_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


def duration(text: str) -> timedelta:
    """What an option says: `90`, `90s`, `15m` or `2h`.

    Raises:
        ValueError: it is none of these, or nothing.
    """
    found = _DURATION.fullmatch(text.strip())
    length = timedelta(seconds=float(found["number"]) * _SECONDS[found["unit"]]) if found else timedelta()
    if not length:
        raise ValueError(f"expected a time such as 90s, 15m or 2h, found '{text}'")
    return length


def words(length: timedelta) -> str:
    """A limit as people say it."""
    seconds = length.total_seconds()
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and not seconds % size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"


def limit(how: Collection[How], *, emulated: bool) -> timedelta:
    """Return how long a check may take: the longest limit among its kinds."""
    limits = ITEM_LIMITS["emulated" if emulated else "AWS"]
    return max(limits[kind] for kind in how)


def clean_up_limit(how: Collection[How], *, emulated: bool) -> timedelta:
    """How long its fixtures may take to put back what it has changed."""
    limits = CLEAN_UP_LIMIT["emulated" if emulated else "AWS"]
    return max(limits[kind] for kind in how)


class TimeLimits:
    """A pytest plugin that ends a check in its own process when its time is up.

    Setup and call share one limit; clean-up has its own. Only the main thread can be interrupted this way. What
    does not let itself be interrupted is ended by the controller, with its process.
    """

    def __init__(self, limits: Callable[[pytest.Item], tuple[timedelta, timedelta]]) -> None:
        self._limits = limits
        self._left = 0.0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self._left = self._limits(item)[0].total_seconds()
        with self._limited(self._limits(item)[0]):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        with self._limited(self._limits(item)[0]):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self._left = self._limits(item)[1].total_seconds()
        with self._limited(self._limits(item)[1]):
            return (yield)

    @contextmanager
    def _limited(self, whole: timedelta) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # handlers run in the main thread alone
            return

        until = time.monotonic() + self._left

        def end(number: int, _: object) -> None:
            if time.monotonic() >= until:
                raise TookTooLong(f"did not end within {words(whole)}{progress.now()}")
            signal.signal(number, signal.SIG_DFL)  # it is not ours: let it do what it does
            signal.raise_signal(number)

        before = signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, max(self._left, 0.001))
        try:
            yield
        finally:
            self._left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

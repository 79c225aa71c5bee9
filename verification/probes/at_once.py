"""Many things done at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


def at_once(actions: Sequence[Callable[[], _T]]) -> list[_T]:
    """What each action returns, all of them begun when the last thread was ready.

    Raises:
        Exception: the first action's that raised, after all have ended.
    """
    ready = threading.Barrier(len(actions))

    def run(action: Callable[[], _T]) -> _T:
        ready.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return [future.result() for future in [pool.submit(run, action) for action in actions]]

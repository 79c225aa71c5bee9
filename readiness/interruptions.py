"""Signals that ask a run to end, held back while something is done that has to be whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_as_by_hand() -> None:
    """From now on SIGTERM and SIGHUP end the process as Ctrl-C does, with everything put back that was changed."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


@contextmanager
def held_back() -> Iterator[None]:
    """Let a signal that comes meanwhile take effect when the block has ended, not in the middle of it.

    A process that is killed (SIGKILL) is not asked: what it has left behind, the next run has to find.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread alone
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for late in came:
            signal.raise_signal(late)

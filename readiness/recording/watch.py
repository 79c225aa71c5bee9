"""Sees what a check does past the exchanges: connections, and tools that it starts."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CONNECTS, RESOLVES, STARTS = (
    "opens connections of its own",
    "asks a name server itself",
    "starts a tool of its own",
)
_EVENTS = {
    "socket.connect": CONNECTS,
    "socket.sendto": CONNECTS,
    "socket.getaddrinfo": RESOLVES,
    "subprocess.Popen": STARTS,
    "os.posix_spawn": STARTS,
}


class Watch:
    """Reports what happens in this process outside of `within`.

    Python cannot remove an audit hook, so a stopped one does nothing.

    Args:
        report: gets the action, as the end of a sentence, and the arguments of the audit event. An error that it raises
            prevents the action.
    """

    def __init__(self, report: Callable[[str, tuple[Any, ...]], None]) -> None:
        self._report: Callable[[str, tuple[Any, ...]], None] | None = report
        self._own = threading.local()
        sys.addaudithook(self._heard)

    def stop(self) -> None:
        self._report = None

    @contextmanager
    def within(self) -> Iterator[None]:
        """What this thread does meanwhile is an exchange's own."""
        self.enter()
        try:
            yield
        finally:
            self.end()

    def enter(self) -> None:
        self._own.depth = getattr(self._own, "depth", 0) + 1

    def end(self) -> None:
        self._own.depth = max(getattr(self._own, "depth", 0) - 1, 0)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        what = _EVENTS.get(event)
        if what and self._report and not getattr(self._own, "depth", 0):
            self._report(what, arguments)

"""Things that are done a while after they were asked for."""

from __future__ import annotations

import contextvars
import functools
import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Later:
    """Does things after a while, one after the other, in the request scope in which they were asked for."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="later", daemon=True).start()

    def do(self, seconds: float, what: Callable[[], object]) -> None:
        """Do something after so many seconds."""
        scope = contextvars.copy_context()
        with self._changed:
            entry: tuple[float, int, Callable[[], object]] = (
                time.monotonic() + seconds,
                next(self._order),
                functools.partial(scope.run, what),
            )
            heapq.heappush(self._due, entry)
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.monotonic():
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                what = heapq.heappop(self._due)[2]
            what()

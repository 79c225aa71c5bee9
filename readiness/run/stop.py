"""What asks a run to end early: a signal, or its deadline."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta
from typing import Any

from readiness.run.limits import words

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Raises a KeyboardInterrupt for such a request, and keeps a description of the first one.

    pytest ends a session in order only after its start, so that an earlier request waits for `heed`. A second request
    raises another KeyboardInterrupt, which ends the wait for clean-up.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._before: dict[int, Any] = {}
        self._timer: threading.Timer | None = None
        self._heeded = False

    def watch(self, deadline: timedelta) -> None:
        """Take note of requests from now on."""
        if threading.current_thread() is not threading.main_thread():
            return  # signals reach the main thread alone
        for number in _SIGNALS:
            # Who started this with a signal ignored, as nohup does, wants it ignored. The deadline needs SIGTERM.
            if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._asked)
        self._timer = threading.Timer(deadline.total_seconds(), self._expire, [deadline])
        self._timer.daemon = True
        self._timer.start()

    def heed(self) -> None:
        """The session has begun: raise what was requested before, and from now on raise at once."""
        self._heeded = True
        if self.reason:
            raise KeyboardInterrupt

    def ignore(self) -> None:
        """The run is ending anyway, and what it writes has to be whole: from now on requests change nothing."""
        self._heeded = False

    def forget(self) -> None:
        """Give the signals back."""
        if self._timer:
            self._timer.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _expire(self, deadline: timedelta) -> None:
        if not self.reason:
            self.reason = f"at its deadline of {words(deadline)}"
            os.kill(os.getpid(), signal.SIGTERM)

    def _asked(self, number: int, _: object) -> None:
        self.reason = self.reason or f"by {signal.Signals(number).name}"
        if self._heeded:
            raise KeyboardInterrupt

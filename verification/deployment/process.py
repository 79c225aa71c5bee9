"""Child processes that never outlive the command, and signals that always clean up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

_PATIENCE_S = 5.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asked the command to end. Not an Exception: nothing may take it for an ordinary failure."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_status = 128 + signum


class _Interrupts:
    """A signal handler that raises `Interrupted` for the first signal, at once or after a step that must not be cut."""

    def __init__(self) -> None:
        self.deferring = False
        self.deferred: int | None = None

    def __call__(self, signum: int, _frame: FrameType | None) -> None:
        # A second signal must not cut the cleaning up short.
        for other in _SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        if not self.deferring:
            raise Interrupted(signum)
        self.deferred = signum

    @contextlib.contextmanager
    def held_back(self) -> Iterator[None]:
        self.deferring = True
        try:
            yield
        finally:
            self.deferring = False
            if self.deferred is not None:
                signum, self.deferred = self.deferred, None
                raise Interrupted(signum)


_interrupts = _Interrupts()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP into `Interrupted` and ignore the ones after it."""
    before = {signum: signal.signal(signum, _interrupts) for signum in _SIGNALS}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], inherited: Collection[int] = ()) -> int:
    """Run a command in a session of its own, its output passed through; its exit status.

    When something ends the wait, an interrupt for example, the command and all it started are ended too. Nothing
    ends them when this process is killed, which is why they inherit a lock.

    Args:
        command: its words.
        cwd: where it runs.
        env: all of its environment.
        inherited: descriptors that it gets besides the standard ones.
    """
    child: subprocess.Popen[bytes] | None = None
    try:
        with _interrupts.held_back():
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=inherited,
            )
        return child.wait()
    except BaseException:
        if child is not None:
            _end(child)
        raise


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the whole session, politely first: what the command started must not continue alone."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        _signal_group(child.pid, signum)
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            # A child leaves its group when it is waited for.
            child.poll()
            if not _signal_group(child.pid, 0):
                return
            time.sleep(0.05)


def _signal_group(group: int, signum: int) -> bool:
    """Whether the group still has a member to receive the signal."""
    try:
        os.killpg(group, signum)
    except (ProcessLookupError, PermissionError):
        return False
    return True

"""Processes that run checks, as the controller sees them: orders to them, messages from them, and how they end."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from readiness.run import processes

VARIABLE = "VERIFICATION_WORKER"
"""Two file descriptors, as `3,6`: a worker reads its orders from the first and writes its messages to the second."""

Message = Mapping[str, Any]
# The same interpreter with the same import path; nothing of it reaches the tools that a check starts.
_START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); sys.argv[0] = 'pytest'; import pytest; sys.exit(pytest.console_main())"
_CHUNK = 1 << 16
_LAST_WORDS = 2000  # characters


@dataclass(eq=False)
class Worker:
    """One process. Messages are lines of JSON on a pipe of its own, so that a check may do what it likes to stdout."""

    name: str
    folder: Path
    process: subprocess.Popen[bytes]
    orders: int
    messages: int
    busy_since: float | None = None
    """When its check began, by the monotonic clock; None between two checks."""
    is_ready: bool = False
    is_ending: bool = False
    fate: str = ""
    """Why its check has no outcome, where that is known before it has ended."""
    _rest: bytes = field(default=b"", repr=False)
    _workerinfocache: str = field(default="", repr=False)
    """What pytest's terminal puts above a failure's traceback; nothing."""

    @classmethod
    def start(
        cls, name: str, arguments: Sequence[str], *, room: Path, folder: Path, show: bool, hello: Message
    ) -> Worker:
        """Start a pytest that waits for orders.

        Args:
            name: short and unique within the run.
            arguments: those of the controller's own pytest.
            room: the run's temporary folder; the worker gets one within it.
            folder: where to run.
            show: whether what it prints goes to the terminal, as with `-s`; else to a file.
            hello: its first order, which says what it has to know.
        """
        own = room / name
        own.mkdir()
        theirs, orders = os.pipe()
        messages, answers = os.pipe()
        variables = {**os.environ, processes.VARIABLE: str(own), VARIABLE: f"{theirs},{answers}"}
        output = None if show else (own / "output").open("wb")
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", _START, json.dumps(sys.path), *arguments],
                cwd=folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs, answers),
                start_new_session=True,  # Ctrl-C is for the controller, which ends its workers in order
            )
        finally:
            for ours in (theirs, answers):
                os.close(ours)
            if output:
                output.close()
        os.set_blocking(messages, False)
        worker = cls(name, own, process, orders, messages)
        worker.order(**hello)
        return worker

    @property
    def gateway(self) -> SimpleNamespace:
        """How pytest's terminal asks for the name of a process that a report came from."""
        return SimpleNamespace(id=self.name)

    def order(self, **message: Any) -> None:
        """Send one order; a worker that is gone does not get it."""
        try:
            os.write(self.orders, json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            return

    def read(self) -> Iterator[Message]:
        """The messages that have arrived whole."""
        while True:
            try:
                chunk = os.read(self.messages, _CHUNK)
            except BlockingIOError:
                break
            if not chunk:
                break
            self._rest += chunk
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            yield json.loads(line)

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    @property
    def end(self) -> str:
        """How the process ended, in words."""
        status = self.process.poll()
        if status is None:
            return "runs"
        if status < 0:
            return f"signal {signal.Signals(-status).name}"
        return f"exit status {status}"

    @property
    def last_words(self) -> str:
        """The end of what it wrote to its standard output and error outside of any check."""
        file = self.folder / "output"
        text = file.read_bytes().decode("utf-8", "replace") if file.is_file() else ""
        return text[-_LAST_WORDS:].strip()

    def kill(self) -> None:
        """End it and everything that it has started, at once."""
        self.process.kill()
        self.process.wait()
        processes.kill(self.folder)

    def close(self) -> None:
        """Let go of a process that has ended."""
        for own in (self.orders, self.messages):
            os.close(own)


def wait(workers: Sequence[Worker], longest: timedelta) -> None:
    """Sleep until one of them has something to say or has ended, but no longer than this."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.messages, selectors.EVENT_READ)
        if workers:
            selector.select(longest.total_seconds())
        else:
            time.sleep(longest.total_seconds())

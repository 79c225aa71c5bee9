"""A worker: a pytest that runs the checks it is ordered to, one after the other, and says how each ended."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from readiness.errors import Unverified
from readiness.run import processes
from readiness.run.workers import VARIABLE


class Performer:
    """Lives in a worker's pytest, in the place of its loop over all tests.

    Args:
        config: that pytest's.
        describe: says of a collected test what the controller has to know, as JSON's own types.
    """

    def __init__(self, config: pytest.Config, describe: Callable[[pytest.Item], Mapping[str, Any]]) -> None:
        # Taken out at once: a pytest that a check starts is no worker.
        read, write = map(int, os.environ.pop(VARIABLE).split(","))
        for own in (read, write):
            os.set_inheritable(own, False)
        self._input = os.fdopen(read, "rb")
        self._output = os.fdopen(write, "wb", buffering=0)
        self._process = os.getpid()
        self.name = Path(os.environ[processes.VARIABLE]).name
        """Its own among the workers of the run."""
        self._config = config
        self._describe = describe
        self._lock = threading.Lock()
        self._orders: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stop_requested = False
        self._may_interrupt = False
        self.problems: list[str] = []
        self.left_out: Mapping[str, Sequence[str]] = {}
        self.hello: Mapping[str, Any] = json.loads(self._input.readline())

    def send(self, event: str, **content: Any) -> None:
        """One message to the controller.

        A copy of this process that a check has forked says nothing and ends; so does a worker that cannot be heard.
        """
        if os.getpid() != self._process:
            os._exit(0)
        line = json.dumps({"event": event, **content}, default=repr).encode() + b"\n"
        try:
            with self._lock:
                while line:
                    line = line[self._output.write(line) or 0 :]
        except OSError:
            os._exit(pytest.ExitCode.INTERNAL_ERROR)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run what is ordered. Between two checks only what belongs to the whole session stays set up."""
        checks = {item.nodeid: item for item in session.items}
        signal.signal(signal.SIGINT, self._interrupt)
        threading.Thread(target=self._listen, daemon=True, name="orders").start()
        self.send(
            "collected",
            checks=[{**self._describe(item), "node": node} for node, item in checks.items()],
            problems=self.problems,
            left_out=self.left_out,
            errors=session.testsfailed,
        )
        last = None
        while (node := self._orders.get()) is not None:
            last = checks[node]
            # What runs next is not known yet, and pytest tears down whatever this one does not share with it.
            last.config.hook.pytest_runtest_protocol(item=last, nextitem=session)
            self.send("ended", node=node, location=last.location)
        if last:
            self._tear_down(session, last)
        return True

    def _tear_down(self, session: pytest.Session, last: pytest.Item) -> None:
        """Clean up after the whole session. An error counts for the check that ran last."""

        def clean_up() -> None:
            session._setupstate.teardown_exact(None)  # noqa: SLF001  # as pytest's own runner does

        call = pytest.CallInfo.from_call(clean_up, when="teardown")
        if call.excinfo:
            hook = last.ihook
            hook.pytest_runtest_logreport(report=hook.pytest_runtest_makereport(item=last, call=call))

    def _listen(self) -> None:
        for line in self._input:
            order = json.loads(line)
            if order.get("stop"):
                break
            self._orders.put(order.get("run"))
        else:
            if self._stop_requested:
                return
        # The controller asks for it, or is gone. A check under way is interrupted; its fixtures clean up.
        self._stop_requested = True
        self._orders.put(None)
        os.kill(os.getpid(), signal.SIGINT)

    def _interrupt(self, *_: object) -> None:
        if self._may_interrupt or not self._stop_requested:
            raise KeyboardInterrupt

    @contextmanager
    def _kept(self, *, may_interrupt: bool) -> Iterator[None]:
        """A check that interrupts itself, or asks pytest to exit, ends alone. Clean-up is not interrupted."""
        self._may_interrupt = may_interrupt
        try:
            yield
        except (KeyboardInterrupt, pytest.exit.Exception) as problem:
            if self._stop_requested:
                raise
            said = f": {problem}" if str(problem) else ""
            raise Unverified(f"the check ended with {type(problem).__name__}{said}") from problem
        finally:
            self._may_interrupt = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, Any, Any]:
        with self._kept(may_interrupt=True):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, Any, Any]:
        with self._kept(may_interrupt=True):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, Any, Any]:
        with self._kept(may_interrupt=False):
            return (yield)

    @pytest.hookimpl
    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self.send("started", node=nodeid, location=location)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.send("report", report=self._plain(report))

    @pytest.hookimpl(trylast=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self.send("collectreport", report=self._plain(report))

    @pytest.hookimpl(trylast=True)
    def pytest_warning_recorded(
        self, warning_message: Any, when: str, nodeid: str, location: tuple[str, int, str] | None
    ) -> None:
        self.send(
            "warning",
            text=str(warning_message.message),
            category=warning_message.category.__name__,
            file=warning_message.filename,
            line=warning_message.lineno,
            when=when,
            nodeid=nodeid,
            location=location,
        )

    @pytest.hookimpl(trylast=True)
    def pytest_internalerror(self, excrepr: object) -> None:
        self.send("broken", text=str(excrepr))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self._stop_requested = True  # no further order is accepted
        self.send("finished")

    def _plain(self, report: pytest.TestReport | pytest.CollectReport) -> Any:
        """The report as JSON's own types."""
        return self._config.hook.pytest_report_to_serializable(config=self._config, report=report)

"""The controller: starts workers, gives each the next check, and is responsible for a result of every check.

Each check is given to a worker once. When its process dies or its time is up, it is UNVERIFIED, another worker replaces
the lost one, and the run continues.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness.checklist import How
from readiness.run import workers
from readiness.run.limits import clean_up_limit, limit, words
from readiness.run.schedule import Check, Schedule
from readiness.run.workers import Message, Worker

_PAUSE = timedelta(seconds=0.2)
_FALSE_STARTS = 3
"""Workers that may die in a row before they have run anything; more would die as well."""


@dataclass(frozen=True)
class Callbacks:
    """Callbacks through which the controller reports.

    Args:
        collected: gets the checks that will run, the differences between checks and checklist, and the items that are left
            out with what they need.
        lost: makes the report of a check whose process was lost, from the check, the reason and the last output.
        waited_for: returns what a process waits for, by its id, as the end of a sentence; empty for nothing.
        gone: is called when a process has ended, with its id.
    """

    collected: Callable[[Sequence[Check], Sequence[str], Mapping[str, Sequence[str]]], None]
    lost: Callable[[Check, str, str], pytest.TestReport]
    waited_for: Callable[[int], str]
    gone: Callable[[int], None]


class Controller:
    """A pytest plugin that replaces pytest's collection and its loop over all tests.

    Args:
        config: pytest's configuration of the run.
        number: the number of workers.
        room: the run's temporary folder.
        emulated: whether the limits of an embedded AWS apply.
        hello: the first message to each worker.
        seconds: how long each check took the last time, by its node.
        item_limit: a limit for every check that replaces the limit of its kind.
        callbacks: the callbacks through which it reports.
        assigned: for a replay, the name of each worker and its checks in their order; otherwise empty.
    """

    def __init__(
        self,
        config: pytest.Config,
        number: int,
        *,
        room: Path,
        emulated: bool,
        hello: Message,
        seconds: Mapping[str, float],
        item_limit: timedelta | None,
        callbacks: Callbacks,
        assigned: Mapping[str, Sequence[str]],
    ) -> None:
        self._config = config
        self._number = number
        self._room = room
        self._emulated = emulated
        self._hello = hello
        self._seconds = seconds
        self._item_limit = item_limit
        self._callbacks = callbacks
        self._assigned = assigned
        self._workers: list[Worker] = []
        self._names = 0
        self._false_starts = 0
        self.took: dict[str, float] = {}
        """Seconds that each check took with its fixtures, by its node."""
        self._schedule: Schedule | None = None
        self._session: pytest.Session

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session
        session.items = []
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter and self._number > 1:
            reporter.showfspath = False  # files would take turns on the line
        for _ in range(self._number):
            self._start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> bool:
        """Workers collect; the controller imports no check."""
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Give out every check once, and see every one to its end."""
        while self._schedule is None or not self._schedule.done:
            self._step()
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        for worker in self._workers:
            worker.is_ending = True
            worker.order(end=True)
        until = time.monotonic() + self._patience.total_seconds()
        while self._workers and time.monotonic() < until:
            self._step()
        return True

    def stop(self) -> None:
        """End every worker. A worker that runs a check is interrupted, and its fixtures clean up.

        Raises:
            KeyboardInterrupt: a second request to end. Workers are killed, and what they have not yet restored stays
                changed.
        """
        try:
            for worker in self._workers:
                worker.is_ending = True
                worker.order(stop=True)
            until = time.monotonic() + self._patience.total_seconds()
            while self._workers and time.monotonic() < until:
                workers.wait(self._workers, _PAUSE)
                for worker in list(self._workers):
                    self._hear(worker)
                    if not worker.is_alive:
                        self._forget(worker)
        finally:
            for worker in list(self._workers):
                worker.kill()
                self._forget(worker)

    def interrupted(self) -> Mapping[str, str]:
        """For each check under way, by its node, how long it has run and what it waits for."""
        running = self._schedule.running if self._schedule else {}
        return {
            running[worker.name].node: f"after {self._seconds_of(worker):.1f} s"
            f"{self._callbacks.waited_for(worker.process.pid)}"
            for worker in self._workers
            if worker.name in running
        }

    def _step(self) -> None:
        """Hear what workers say, look whether they live and keep their limits, and give out what comes next."""
        workers.wait(self._workers, _PAUSE)
        for worker in list(self._workers):
            is_alive = worker.is_alive  # asked first: the last messages of a dead one have then arrived
            self._hear(worker)
            if not is_alive:
                self._died(worker)
            elif late := self._late(worker):
                waited = self._callbacks.waited_for(worker.process.pid)
                worker.fate = f"{late}{waited}; its process was killed"
                worker.kill()
                self._hear(worker)
                self._died(worker)
        if self._schedule:
            for worker in self._workers:
                is_idle = worker.is_ready and worker.name not in self._schedule.running
                if is_idle and not worker.is_ending and (check := self._schedule.next(worker.name)):
                    worker.order(run=check.node)

    def _start(self) -> None:
        """Start a worker in the place of none, or of one that is gone."""
        arguments = [str(argument) for argument in self._config.invocation_params.args]
        base = self._config.option.basetemp
        name = f"w{self._names}"
        self._names += 1
        if base:  # each empties its own
            arguments += ["--basetemp", str(Path(base).resolve() / name)]
        worker = Worker.start(
            name,
            [*arguments, "-p", "no:terminalreporter"],
            room=self._room,
            folder=self._config.invocation_params.dir,
            show=self._config.option.capture == "no",
            hello=self._hello,
        )
        self._workers.append(worker)

    @property
    def _patience(self) -> timedelta:
        """How long workers may clean up at the end."""
        checks = self._schedule.checks if self._schedule else ()
        how = {kind for check in checks for kind in check.how} or {How.STATIC}
        return clean_up_limit(how, emulated=self._emulated)

    def _late(self, worker: Worker) -> str:
        """Why a worker's check is to be ended with its process; empty while it has time left."""
        check = self._schedule.running.get(worker.name) if self._schedule else None
        if not check or worker.busy_since is None:
            return ""
        whole = self._item_limit or limit(check.how, emulated=self._emulated)
        grace = clean_up_limit(check.how, emulated=self._emulated)
        if self._seconds_of(worker) < (whole + grace).total_seconds():
            return ""
        return f"did not end within {words(whole)}, and did not clean up within another {words(grace)}"

    @staticmethod
    def _seconds_of(worker: Worker) -> float:
        return 0.0 if worker.busy_since is None else time.monotonic() - worker.busy_since

    def _died(self, worker: Worker) -> None:
        """Answer for the check that a dead worker ran, and replace the worker where there is more to do."""
        last_words, end = worker.last_words, worker.end
        check = self._schedule.running.get(worker.name) if self._schedule else None
        if check:
            waited = self._callbacks.waited_for(worker.process.pid)
            self._lose(worker, check, worker.fate or f"its process died: {end}{waited}", last_words)
        if self._schedule:
            self._schedule.lost(worker.name)
        self._forget(worker)
        if self._schedule and not self._schedule.waiting:
            return
        self._false_starts += not worker.is_ready
        if self._false_starts < _FALSE_STARTS:
            self._start()
        elif not self._workers:
            problem = f"{self._false_starts} processes in a row ended before they ran a check ({end}): {last_words or 'no output'}"
            if not self._schedule:
                raise pytest.UsageError(problem)
            self._session.shouldstop = problem

    def _lose(self, worker: Worker, check: Check, reason: str, last_words: str) -> None:
        report = self._callbacks.lost(check, reason, last_words)
        self._name(worker, report)
        self._config.hook.pytest_runtest_logreport(report=report)
        # JUnit takes a test for ended, and writes its properties, when its clean-up is reported.
        last = pytest.TestReport(
            check.node,
            report.location,
            {},
            "passed",
            None,
            "teardown",
            user_properties=report.user_properties,
        )
        self._name(worker, last)
        self._config.hook.pytest_runtest_logreport(report=last)

    def _name(self, worker: Worker, report: Any) -> None:
        """Where checks run side by side, pytest's terminal and JUnit have to tell whose report it is."""
        if self._number > 1:
            report.node = worker

    def _forget(self, worker: Worker) -> None:
        worker.process.wait()
        worker.close()
        self._callbacks.gone(worker.process.pid)
        self._workers.remove(worker)

    def _hear(self, worker: Worker) -> None:
        for message in worker.read():
            getattr(self, f"_on_{message['event']}")(worker, message)

    def _on_collected(self, worker: Worker, message: Message) -> None:
        worker.is_ready = True
        self._false_starts = 0
        if self._schedule:
            return
        checks = [
            Check(each["node"], each["item"], frozenset(map(How, each["how"])), each["group"])
            for each in message["checks"]
        ]
        self._schedule = Schedule(checks, self._seconds, self._assigned)
        self._session.testscollected = len(checks)
        self._callbacks.collected(checks, message["problems"], message["left_out"])
        if message["problems"]:
            self._schedule.waiting.clear()
        elif message["errors"] and not self._config.option.continue_on_collection_errors:
            self._session.shouldstop = f"{message['errors']} errors during collection"

    def _on_started(self, worker: Worker, message: Message) -> None:
        worker.busy_since = time.monotonic()
        self._config.hook.pytest_runtest_logstart(nodeid=message["node"], location=tuple(message["location"]))

    def _on_report(self, worker: Worker, message: Message) -> None:
        report = self._report(message)
        self._name(worker, report)
        self._config.hook.pytest_runtest_logreport(report=report)

    def _on_collectreport(self, _: Worker, message: Message) -> None:
        if self._schedule is None:  # each worker says the same
            self._config.hook.pytest_collectreport(report=self._report(message))

    def _report(self, message: Message) -> Any:
        report: Any = self._config.hook.pytest_report_from_serializable(
            config=self._config, data=message["report"]
        )
        # JSON knows no tuples, and those who read a report rely on them.
        if isinstance(report.longrepr, list):
            report.longrepr = tuple(report.longrepr)
        if isinstance(report, pytest.TestReport):
            path, line, domain = report.location
            report.location = (path, line, domain)
            report.user_properties = [(name, value) for name, value in report.user_properties]
        return report

    def _on_ended(self, worker: Worker, message: Message) -> None:
        self._config.hook.pytest_runtest_logfinish(
            nodeid=message["node"], location=tuple(message["location"])
        )
        self.took[message["node"]] = self._seconds_of(worker)
        worker.busy_since = None
        if self._schedule:
            self._schedule.ended(worker.name)

    def _on_warning(self, _: Worker, message: Message) -> None:
        location = message["location"]
        warning = warnings.WarningMessage(Warning(message["text"]), Warning, message["file"], message["line"])
        self._config.hook.pytest_warning_recorded.call_historic(
            kwargs={
                "warning_message": warning,
                "when": message["when"],
                "nodeid": message["nodeid"],
                "location": tuple(location) if location else None,
            }
        )

    def _on_broken(self, worker: Worker, message: Message) -> None:
        worker.fate = f"pytest itself broke: {message['text'].strip().splitlines()[-1]}"

    def _on_finished(self, worker: Worker, _: Message) -> None:
        worker.is_ending = True

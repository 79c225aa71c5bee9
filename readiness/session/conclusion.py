"""The end of a run: its report is written whole, published, and summed up on the terminal."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from readiness import __version__
from readiness.environment import Environment
from readiness.errors import NOT_RECORDED, Gap, UsageProblem
from readiness.recording.deck import Recording, Replay
from readiness.report import (
    Document,
    Run,
    document,
    figures,
    github,
    history,
    html,
    markdown,
    origin,
    reading,
    terminal,
    trend,
    write,
)
from readiness.report.history import History, Past
from readiness.report.redaction import redact
from readiness.run.stop import Stop
from readiness.session.outcomes import Outcomes
from readiness.session.selection import Selection, mismatch
from readiness.suite import Suite
from readiness.verdict import Outcome, Result, Verdict

REPLAYED = 6
"""The exit status of a replay whose items all end as recorded: neither success, nor one of pytest's own."""


@dataclass(frozen=True)
class Ask:
    """What the report needs of the run when that ends.

    Args:
        end: ends every worker. Returns for each check that was under way, by its node, how long it had run and what it
            waited for.
        spending: the paid requests; None for an application that pays for none.
        map: the outline of the stack's graph; None where no check read it.
        keep: keeps how long the checks took. Called for a run that ended by itself.
    """

    end: Callable[[], Mapping[str, str]]
    spending: Callable[[], Mapping[str, Any] | None]
    map: Callable[[], Mapping[str, Any] | None]
    keep: Callable[[], None]


class Conclusion:
    """A pytest plugin of the process that writes the report.

    Args:
        config: of the run.
        suite: the application and its items.
        environment: where its stack is.
        app: the checkout that was verified.
        directory: where the report goes.
        template: of the stack, in that checkout.
        started: when the run began.
        clock: the same, in seconds of time.monotonic().
        selection: which checks were to run.
        outcomes: how they ended.
        stop: what may have ended the run early.
        deck: the recording that is made, or that answers.
        ask: what else it needs of the run when that ends.

    Raises:
        UsageProblem: what the report is to hold or to be compared with cannot be read.
    """

    def __init__(
        self,
        config: pytest.Config,
        suite: Suite,
        environment: Environment,
        *,
        app: Path,
        template: Path,
        directory: Path,
        started: datetime,
        clock: float,
        selection: Selection,
        outcomes: Outcomes,
        stop: Stop,
        deck: Recording | Replay | None,
        ask: Ask,
    ) -> None:
        self._config, self._suite, self._environment = config, suite, environment
        self._app, self._template, self._directory, self._started = app, template, directory, started
        self._clock = clock
        self._selection, self._outcomes, self._stop, self._ask = selection, outcomes, stop, ask
        self._replay = deck if isinstance(deck, Replay) else None
        self._recording = deck if isinstance(deck, Recording) else None
        # Another run may write to the same place at the same time; each publishes what is its own.
        self.draft = directory.resolve() / f".unfinished-{os.getpid()}"
        self._run: Run | None = None
        self._report: Document = {}
        self.notes: list[str] = []
        """What else the terminal tells."""
        option, env = config.option, environment
        self._budgets = (
            figures.read(option.benchmarks, environment=env.name, emulated=env.emulated)
            if option.benchmarks
            else None
        )
        same = {"stack": env.stack_name, "region": env.region, "emulated": env.emulated}
        self._history = History(directory / history.FOLDER, same, since=option.since)
        self._history.require_baseline()

    def open_draft(self) -> None:
        """Prove that the report can be written, where it is written first, and have every format go there.

        Raises:
            UsageProblem: it cannot.
        """
        shutil.rmtree(self.draft, ignore_errors=True)  # of a process that had the same number
        try:
            self.draft.mkdir(parents=True)
            probe = self.draft / ".writable"
            probe.write_text("")
            probe.unlink()
        except OSError as problem:
            raise UsageProblem(
                f"the report cannot be written to {self.draft.parent}: {problem.strerror}; name another --report-dir"
            ) from problem
        option = self._config.option
        option.htmlpath = option.htmlpath or str(self.draft / "verification.html")
        option.self_contained_html = True
        option.xmlpath = option.xmlpath or str(self.draft / "verification.xml")

    def publish_last(self) -> None:
        """Publish the report when every other plugin that is registered so far has ended with the session."""
        self._config.pluginmanager.register(_Last(self._publish), "verification-last")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """End all workers, then write the whole report in every case."""
        interrupted = self._ask.end()
        ended_early = self._ended_early(session)
        self._stop.ignore()
        try:
            self._conclude(session, ended_early, interrupted)
        except OSError as problem:
            self._give_up_report(session, problem)
        try:
            yield
        except OSError as problem:  # of pytest-html or JUnit, and the terminal's summary has gone with it
            self._give_up_report(session, problem)
            sys.stderr.write(f"\nerror: {redact(self.notes[-1])}\n")
        finally:
            if self.draft.is_dir():  # another plugin came to grief: what is ours is whole
                self._move(*self.draft.glob("verification.[jm]*"))

    def _give_up_report(self, session: pytest.Session, problem: OSError) -> None:
        self._run = None
        self.notes.append(
            f"no report: {problem.filename or self._directory} cannot be written: {problem.strerror}; "
            "make room there or name another --report-dir, then run again"
        )
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def _conclude(self, session: pytest.Session, ended_early: str, interrupted: Mapping[str, str]) -> None:
        if self._selection.problems:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            return
        ended = {
            item: self._outcomes.results.get(item) or _not_run(item, node, ended_early, interrupted.get(node))
            for item, node in {**self._selection.checks, **dict.fromkeys(self._outcomes.results, "")}.items()
        }
        results = [ended[item] for item in self._suite.items if item in ended]
        outcomes = {result.item: str(result.outcome) for result in results}
        started = self._started.isoformat(timespec="seconds")
        verdict = Verdict(
            results,
            items=len(self._suite.items),
            rehearsal=self._environment.rehearsal,
            interrupted=ended_early,
            replayed=f"{self._replay.started:%Y-%m-%d}" if self._replay else "",
        )
        now = Past(
            started,
            origin.commit(self._app),
            str(verdict),
            outcomes,
            self._history.failing_since(outcomes, started),
            self._seconds(results),
        )
        self._run = Run(
            verdict=verdict,
            items=self._suite.items,
            environment=self._environment,
            started=self._started,
            seconds=time.monotonic() - self._clock,
            app=self._app,
            suite=self._config.rootpath,
            template=self._template,
            pictures=self._outcomes.pictures,
            comparison=self._history.compare(outcomes, started),
            budgets=self._budgets,
            spending=self._ask.spending(),
            left_out=self._selection.left_out,
            map=self._ask.map(),
            trend=trend.trend([now, *self._history.runs]),
        )
        self._report = document.build(self._run)
        write(self._report, self.draft)
        self._report_to_junit()
        if not ended_early:
            session.exitstatus = self._run.verdict.exit_status
            if not self._replay:
                self._history.keep(now)
                self._ask.keep()
        if self._replay:
            self._compare_with_recording(session, self._replay, results)
        elif self._recording:
            self.notes.append(self._finish_recording(self._recording, self._run))
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            self.notes.append(github.append(Path(summary), markdown.render(self._report)))

    def _seconds(self, results: Sequence[Result]) -> Mapping[str, float]:
        """How long the checks of each section took."""
        sections: dict[str, float] = {}
        for result in results:
            section = self._suite.items[result.item].section
            sections[section] = round(sections.get(section, 0) + result.seconds, 3)
        return sections

    def _compare_with_recording(
        self, session: pytest.Session, replay: Replay, results: Sequence[Result]
    ) -> None:
        """Say where a replay ends otherwise than the recorded run, and let the exit status follow."""
        replayed = {
            result.item: str(result.outcome)
            for result in results
            if result.cause != NOT_RECORDED and result.gap is not Gap.NEEDS_INTERNET
        }
        differences = replay.differences(replayed)
        self.notes.append(
            f"{len(replayed)} of {len(results)} items were replayed, {len(replayed) - len(differences)} with the recorded outcome"
        )
        self.notes += differences
        if session.exitstatus in (0, 1):
            session.exitstatus = 1 if differences or not replayed else REPLAYED

    def _finish_recording(self, recording: Recording, run: Run) -> str:
        about = {
            "suite": __version__,
            "settings": run.environment.settings.recorded,
            "endpoint": run.environment.emulator_url,
            "emulated": run.environment.emulated,
            "speed": run.environment.speed,
            "paid": bool(self._config.option.paid),
            "commit": run.commit,
            "template": run.template_sha256,
            "verdict": str(run.verdict),
        }
        return recording.finish(
            about, {result.item: (str(result.outcome), result.node) for result in run.verdict.results}
        )

    def _report_to_junit(self) -> None:
        for plugin in self._config.pluginmanager.get_plugins():
            if add := getattr(plugin, "add_global_property", None):
                if self._run and self._run.spending:
                    add("paid requests", reading.spending(self._report))
                if left_out := reading.left_out(self._report):
                    add("left out", left_out)

    def _ended_early(self, session: pytest.Session) -> str:
        """What ended the run before all of it had run, as the end of a sentence; empty for nothing."""
        if session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            return "by an error of pytest itself, see the terminal"
        left = self._selection.checks.keys() - self._outcomes.results.keys()
        if not left and session.exitstatus != pytest.ExitCode.INTERRUPTED:
            return ""
        said = session.shouldstop or session.shouldfail
        return self._stop.reason or (f"by pytest: {said}" if said else "by a check")

    def _publish(self) -> None:
        """Put the finished report in its place: files that are whole, and none before all of them are.

        A run that could not start leaves none.
        """
        if not self.draft.is_dir():
            return
        for plugin in list(self._config.pluginmanager.get_plugins()):
            # Both tell on the terminal where their file lies.
            if (xml := Path(getattr(plugin, "logfile", ""))).parent == self.draft:
                plugin.logfile = (
                    self._directory.resolve() / xml.name if self._run else "none, for no check was judged"
                )
            elif page := getattr(plugin, "_report_path", None):
                self._settle_page(plugin, page)
        self._move(*self.draft.iterdir())

    def _move(self, *files: Path) -> None:
        """Put these files of a run that has a verdict in their place, and take the rest away."""
        for file in files if self._run else ():
            file.replace(self._directory / file.name)
        shutil.rmtree(self.draft)

    def _settle_page(self, plugin: Any, page: Path) -> None:
        """Fix pytest-html's page, and set the path that the plugin reports. Without a verdict, remove the plugin."""
        if self._run is None:
            self._config.pluginmanager.unregister(plugin)
            return
        html.correct(page)
        if page.parent == self.draft:
            plugin._report_path = self._directory.resolve() / page.name  # noqa: SLF001

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        report.title = html.title(self._environment)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        if self._run:
            page = html.summary(
                self._report,
                self._outcomes.pictures,
                folder=self._directory.resolve(),
                suite=self._config.rootpath,
            )
            prefix.append(page)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, cells: list[str]) -> None:
        """Empty pytest-html's table, because the summary already has every item and its pictures."""
        cells.clear()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:  # noqa: C901
        if self._selection.problems:
            terminalreporter.line(f"ERROR: {mismatch(self._selection.problems)}", red=True)
        if self._run is None:
            for note in self.notes:
                terminalreporter.line(note, red=True)
            return
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for command in github.commands(self._report):
                terminalreporter.line(command)
        verdict = self._run.verdict
        if attention := terminal.attention(self._report):
            terminalreporter.section("needs attention")
        for line in attention:
            terminalreporter.line(line)
        notes = [*self._history.notes, *filter(None, [*self.notes, reading.left_out(self._report)])]
        for kind, found in reading.changes(self._report).items():
            terminalreporter.line(f"{kind}: {', '.join(change.item['id'] for change in found)}")
        for note in notes:
            terminalreporter.line(note, yellow=True)
        terminalreporter.section("verdict")
        if self._run.spending:
            terminalreporter.line(f"paid requests: {reading.spending(self._report)}")
        colour = {"green": True} if verdict.ok else {"red": True}
        terminalreporter.line(f"{self._run.headline}: {verdict}", bold=True, **colour)
        terminalreporter.line(f"report: {self._directory / 'verification.html'}")


def _not_run(item: str, node: str, ended_early: str, interrupted: str | None) -> Result:
    """The result of a check that no report came of."""
    cause = f"the run was ended {ended_early}"
    how = "before this check" if interrupted is None else f"this check {interrupted}"
    return Result(item, Outcome.UNVERIFIED, f"{cause}, {how}", node=node, cause=cause)


class _Last:
    """Acts when everything else that ends with the session has, before the terminal sums up."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self._act()

"""pytest hooks: options, selection, binding, and how a test's end becomes an outcome.

Hooks alone: what they decide with lives in checklist, verdict, waivers, judgement and report. Silent
unless the run names the `verification` folder, or another application's `checks` beside its checklist.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import tomllib
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO, TypeVar, cast

import pytest
from pytest_metadata.plugin import metadata_key

from verification import budgets, checklist, environment, progress, waivers
from verification.checklist import How
from verification.environment import ROOT
from verification.errors import NeedsAws, UsageProblem
from verification.judgement import OBSERVED, Seen, judge
from verification.probes.http import ALLOWANCE, LATEST
from verification.report import (
    Document,
    Picture,
    Run,
    document,
    figures,
    github,
    history,
    html,
    known,
    markdown,
    reading,
    write,
)
from verification.report.history import History, Past
from verification.report.redaction import redact
from verification.report.stream import Redacting
from verification.turns import turn
from verification.verdict import Outcome, Result, Verdict, waive

CHECKS = ROOT / "verification"
GAPS = ROOT / "verification" / "embedded" / "gaps.toml"
_MARKERS = {
    "item(id)": "the item of PRODUCTION_CHECKLIST.md that this check settles",
    **{section.value: f"checklist section {section.name}" for section in checklist.Section},
    "static": "reads the source tree alone",
    "active": "writes to the live stack, or loads it",
    "drill": "disturbs the stack, or takes long: runs alone and last",
    "browser": "drives a real browser",
    "paid": "costs money at the AI providers on real AWS",
}
_STATUS: dict[Outcome, Any] = {
    Outcome.PASS: ("passed", ".", "PASS"),
    Outcome.FAIL: ("failed", "F", ("FAIL", {"red": True})),
    Outcome.WAIVED: ("waived", "w", ("WAIVED", {"yellow": True})),
    Outcome.UNVERIFIED: ("unverified", "u", ("UNVERIFIED", {"yellow": True})),
}
_T = TypeVar("_T")
SEEN = pytest.StashKey[Seen]()
"""What a check came upon; the fixture `evidence` adds what it notes itself."""
_REFUSED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "log_file": (bool, "--log-file would keep what a check logs as it is"),
    "pastebin": (bool, "--pastebin would send the terminal to a public page"),
    "debug": (bool, "--debug would keep pytest's own trace as it is"),
    "capture": (lambda how: how == "tee-sys", "--capture=tee-sys would show what a check prints as it is"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("verification", "production verification")
    group.addoption(
        "--env", default="local", metavar="NAME", help="environment of environments.toml (default: local)"
    )
    group.addoption(
        "--app",
        type=Path,
        metavar="DIR",
        help="checkout of the application to verify (default: the folder of its checklist)",
    )
    group.addoption("--cloud", metavar="NAME", help="embedded AWS to use, for environments that live on one")
    group.addoption(
        "--paid", action="store_true", help="also run checks that spend money at the AI providers"
    )
    group.addoption(
        "--report-dir", type=Path, metavar="DIR", help="where the report goes (default: reports/<env>)"
    )
    group.addoption(
        "--since",
        default="",
        metavar="RUN",
        help="the run to compare with: the beginning of its time or commit (default: the last comparable one)",
    )
    group.addoption(
        "--benchmarks",
        type=Path,
        metavar="FILE",
        help="performance figures for the report, from 'pytest benchmarks --benchmark-json=FILE'",
    )
    group.addoption("--list-items", action="store_true", help="list the checklist and exit; needs no stack")
    group.addoption("--explain", metavar="ID", help="explain one item and exit; needs no stack")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer the questions that need no stack."""
    if not (config.option.list_items or config.option.explain):
        return None
    items = _or_usage_error(lambda: checklist.load(_home(config)))
    if config.option.list_items:
        for item in items.values():
            print(
                f"{item.id:8} {item.severity:9} {item.section:11} {item.title}{' (planned)' * item.planned}"
            )
        return 0
    if config.option.explain not in items:
        raise pytest.UsageError(
            f"no item '{config.option.explain}'; pytest verification --list-items names them all"
        )
    item = items[config.option.explain]
    how = ", ".join(sorted(item.how))
    print(f"{item.id} {item.title}\n{item.severity}, {item.section}, {how}{', planned' * item.planned}\n")
    print(f"Claim:  {item.claim}\nWhy:    {item.why}\nRemedy: {item.remedy}")
    return 0


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in _MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    home = _or_usage_error(lambda: _home(config))
    for item in _or_usage_error(lambda: checklist.load(home)).values():
        config.addinivalue_line("markers", f"{item.id}: {item.title}")
    if any(_checks(home) in (path, *path.parents) for path in _given(config)):
        config.pluginmanager.register(_or_usage_error(lambda: Verification(config)), "verification-run")


def _given(config: pytest.Config) -> list[Path]:
    return [Path(config.invocation_params.dir, str(arg).partition("::")[0]).resolve() for arg in config.args]


def _home(config: pytest.Config) -> Path:
    """The folder whose checklist the run is about: where `checks` that it names lie beside one, else this repository.

    Raises:
        UsageProblem: the run names two of them.
    """
    homes = {
        folder.parent
        for path in _given(config)
        for folder in (path, *path.parents)
        if folder.name == "checks" and (folder.parent / checklist.FILE).is_file()
    }
    if len(homes) > 1:
        raise UsageProblem(f"one run verifies one application; named: {', '.join(map(str, sorted(homes)))}")
    return homes.pop() if homes else ROOT


def _checks(home: Path) -> Path:
    return CHECKS if home == ROOT else home / "checks"


def _or_usage_error(start: Callable[[], _T]) -> _T:
    try:
        return start()
    except UsageProblem as problem:
        raise pytest.UsageError(str(problem)) from problem


class Verification:
    """One run over the checklist. Lives on the controller and, under xdist, on each worker."""

    def __init__(self, config: pytest.Config) -> None:
        option = config.option
        self.config = config
        for name, (refused, why) in _REFUSED.items():
            if refused(getattr(option, name, None)):
                raise UsageProblem(f"{why}, secrets and all; leave it out")
        known.hide_environment()
        self.worker = hasattr(config, "workerinput")
        self.home = _home(config)
        known.hide_folders(self.home, ROOT)
        ours = self.home == ROOT
        self.items = checklist.load(self.home)
        self.app: Path = (option.app or self.home).resolve()
        template = "backend/template.yaml" if ours else "template.yaml"
        self.template = self.app / template
        if not self.template.is_file():
            raise UsageProblem(f"--app {self.app}: expected a checkout with {template}, found none")
        declared = environment.FILE if ours else self.home / environment.FILE.name
        self.environment = environment.connect(option.env, cloud=option.cloud, declared=declared)
        self.started = datetime.now(UTC)
        self.clock = time.monotonic()
        # They are about this repository's items.
        self.gaps = _needs_aws() if ours and self.environment.emulated else {}
        approved = waivers.load(
            self.home / "waivers.toml",
            items=self.items,
            environments=environment.names(declared),
            today=self.started.date(),
        )
        self.waivers = {waiver.item: waiver for waiver in approved if waiver.environment == option.env}
        self.selected: dict[str, str] = {}
        self.results: dict[str, Result] = {}
        self.pictures: dict[str, list[Picture]] = {}
        self.problems: list[str] = []
        self.run: Run | None = None
        self.report: Document = {}
        self.budgets: Mapping[str, Any] | None = None
        self.said: list[str] = []
        self.directory: Path = option.report_dir or self.home / "reports" / option.env
        self.waiting = self.directory / ".waiting"
        progress.tell(self.waiting)
        self.watcher: progress.Watcher | None = None
        # Where a worker tells the controller what it will run; a dead worker cannot be asked any more.
        self.told = self.directory / ".collected.json"
        # Of everybody on this machine who verifies this stack.
        settings = self.environment.settings
        self.turns = ROOT / ".local" / "turns" / f"{option.cloud or settings.cloud or 'aws'}.{settings.stack}"
        known.hide(_credentials(self.environment))
        if self.worker:
            known.hide_account(cast("Any", config).workerinput["account"])
        elif not option.collectonly:
            self._start(option)

    def _start(self, option: Any) -> None:
        """Whatever can keep the run from starting, before any check does; then room for its report.

        Raises:
            UsageProblem: something does.
        """
        self.environment.preflight()
        self.environment.require_stack()
        known.hide_account(self.environment.account_id)
        env = self.environment
        if option.benchmarks:
            self.budgets = figures.read(option.benchmarks, environment=env.name, emulated=env.emulated)
        same = {"stack": env.stack_name, "region": env.region, "emulated": env.emulated}
        self.history = History(self.directory / history.FOLDER, same, since=option.since)
        self.history.require_baseline()
        _open_turns(self.turns.parent)
        _make_room(self.directory)
        option.htmlpath = option.htmlpath or str(self.directory / "verification.html")
        option.self_contained_html = True
        option.xmlpath = option.xmlpath or str(self.directory / "verification.xml")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker has to know what it must not let out, and needs no call of its own for it."""
        node.workerinput["account"] = self.environment.account_id

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """From here on the terminal shows no secret, and who watches it is told what is waited for."""
        metadata: dict[str, Any] = self.config.stash.get(metadata_key, {})  # pytest-html and JUnit show it
        metadata.update({name: redact(text) for name, text in metadata.items() if isinstance(text, str)})
        writer = self.config.get_terminal_writer()
        writer._file = cast("TextIO", Redacting(writer._file))  # noqa: SLF001  # pytest has no way to filter it
        if self.config.option.capture == "no":
            sys.stdout = cast("TextIO", Redacting(sys.stdout))
            sys.stderr = cast("TextIO", Redacting(sys.stderr))
        reporter: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        if not self.worker and reporter and reporter.isatty and not os.environ.get("CI"):
            self.watcher = progress.Watcher(self.waiting, _line_of(reporter), progress.FIRST_WORD)
            self.watcher.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        bound = []
        for test in items:
            item_id = _item_id(test)
            sections = [
                section.value for section in checklist.Section if test.get_closest_marker(section.value)
            ]
            bound.append((test.nodeid, item_id, ",".join(sections)))
            for how in self.items[item_id].how if item_id in self.items else ():
                if how is not How.READ_ONLY:
                    test.add_marker(how.value)
                if how is How.DRILL:
                    test.add_marker(pytest.mark.xdist_group("drill"))
            if item_id in self.items:
                test.add_marker(item_id)
        checks = _checks(self.home)
        whole = bool({*_given(config)} & {checks, checks / "checks"})
        expected = self.items if whole else {id_: self.items[id_] for _, id_, _ in bound if id_ in self.items}
        self.problems = checklist.binding_problems(expected, bound)
        if self.problems and self.worker:
            items.clear()  # the controller says why, see pytest_sessionfinish
        elif self.problems:
            raise pytest.UsageError(_mismatch(self.problems))
        unwanted = list(self._unwanted(config))
        dropped = [test for test in items if any(test.get_closest_marker(marker) for marker in unwanted)]
        if dropped:
            config.hook.pytest_deselected(items=dropped)
            items[:] = [test for test in items if test not in dropped]
        items.sort(key=_is_drill)

    def _unwanted(self, config: pytest.Config) -> Iterable[str]:
        if self.environment.settings.guard and not _asks_for("drill", config.option.markexpr):
            yield "drill"
            if not _asks_for("active", config.option.markexpr):
                yield "active"
        if not self.may_spend:
            yield "paid"

    @property
    def may_spend(self) -> bool:
        """Whether AI providers may be made to work: simulated ones always, others when --paid grants it."""
        return self.environment.emulated or bool(self.config.option.paid)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.selected = {_item_id(test): test.nodeid for test in session.items}
        if self.worker:
            _write_whole(self.told, json.dumps({"selected": self.selected, "problems": self.problems}))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """A drill waits until nobody looks at the stack, and whoever wants to look waits for the drill."""
        if item.get_closest_marker("static"):
            return (yield)
        with turn(self.turns, alone=_is_drill(item)):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        ALLOWANCE.renew(budgets.REQUESTS_OF_AN_ITEM)
        if reason := self.gaps.get(_item_id(item)):
            raise NeedsAws(reason)

    def pytest_assertion_pass(self, item: pytest.Item, orig: str, expl: str) -> None:
        """An assertion that holds tells nothing by itself; what it compared is the evidence."""
        observed, pair = item.stash.setdefault(SEEN, Seen()).observed, (" ".join(orig.split()), expl)
        if len(observed) < OBSERVED and pair not in observed:
            observed.append(pair)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        _redact(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: Any) -> None:
        text = str(warning_message.message)
        if redact(text) != text:
            warning_message.message = Warning(redact(text))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        item.user_properties[:] = [(name, redact(str(value))) for name, value in item.user_properties]
        report = yield
        _redact(report)
        seen = item.stash.setdefault(SEEN, Seen())
        seen.exchanges += LATEST
        LATEST.clear()
        if call.when == "call" or call.excinfo:
            result = waive(judge(_item_id(item), call, report, seen), self.waivers, self.started.date())
            result = replace(result, reason=redact(result.reason))  # a waiver's words are somebody's too
            if result.outcome is Outcome.WAIVED or (result.gap and self.environment.rehearsal):
                report.outcome = "skipped"
                report.longrepr = (str(item.path), 0, result.reason)
            item.user_properties.append(("outcome", str(result.outcome)))  # into the JUnit file
            report.verification = result.plain()  # type: ignore[attr-defined]  # crosses to the controller
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        return _STATUS[result.outcome] if (result := _result(report)) else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = _result(report)
        if result is None:
            return
        earlier = self.results.get(result.item)
        # A check that failed and then could not clean up behind itself has still failed.
        if earlier is None or earlier.outcome is not Outcome.FAIL:
            self.results[result.item] = result
        self.pictures.setdefault(result.item, []).extend(
            Picture(redact(str(extra["name"])), extra["content"])
            for extra in getattr(report, "extras", ())
            if extra["format_type"] == "image"
        )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        if self.watcher:
            self.watcher.stop()
        if not self.worker:
            self._conclude(session)
        yield
        page = Path(self.config.option.htmlpath or "")
        if self.run and page.is_file():
            html.mend(page)

    def _conclude(self, session: pytest.Session) -> None:
        if self.told.exists():
            told = json.loads(self.told.read_text(encoding="utf-8"))
            self.selected, self.problems = told["selected"], told["problems"]
            self.told.unlink()
        if self.problems:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        broken = session.exitstatus in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR)
        if broken or self.config.option.collectonly:
            return
        ended = {
            item: self.results.get(item)
            or Result(item, Outcome.UNVERIFIED, "the run ended before this check did", node=node)
            for item, node in {**self.selected, **dict.fromkeys(self.results, "")}.items()
        }
        results = [ended[item] for item in self.items if item in ended]
        outcomes = {result.item: str(result.outcome) for result in results}
        started = self.started.isoformat(timespec="seconds")
        self.run = Run(
            verdict=Verdict(results, items=len(self.items), rehearsal=self.environment.rehearsal),
            items=self.items,
            environment=self.environment,
            started=self.started,
            seconds=time.monotonic() - self.clock,
            app=self.app,
            suite=self.config.rootpath,
            template=self.template,
            pictures=self.pictures,
            comparison=self.history.compare(outcomes, started),
            budgets=self.budgets,
        )
        self.report = document.build(self.run)
        write(self.report, self.directory)
        if session.exitstatus != pytest.ExitCode.INTERRUPTED:
            session.exitstatus = self.run.verdict.exit_status
            failing = self.history.failing_since(outcomes, started)
            verdict = str(self.run.verdict)
            self.history.keep(Past(started, self.run.commit, verdict, outcomes, failing))
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            self.said.append(github.append(Path(summary), markdown.render(self.report)))

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        report.title = html.title(self.environment)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        if self.run:
            page = html.summary(
                self.report, self.pictures, folder=self.directory.resolve(), suite=self.config.rootpath
            )
            prefix.append(page)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, cells: list[str]) -> None:
        """Every item stands in the summary; pytest-html's table would say it all again, pictures included."""
        cells.clear()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.problems:
            terminalreporter.line(f"ERROR: {_mismatch(self.problems)}", red=True)
        if self.run is None:
            return
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for command in github.commands(self.report):
                terminalreporter.line(command)
        verdict, attention = self.run.verdict, self.run.attention()
        if attention:
            terminalreporter.section("needs attention")
        for result in attention:
            item = self.items[result.item]
            terminalreporter.line(f"{result.outcome.upper():10} {item.id} {item.title} ({item.severity})")
            terminalreporter.line(f"           {result.reason}")
            if result.outcome is Outcome.FAIL:
                terminalreporter.line(f"           why: {item.why}")
                terminalreporter.line(f"           remedy: {item.remedy}")
        notes = [*self.history.notes, *filter(None, self.said)]
        for kind, found in reading.changes(self.report).items():
            terminalreporter.line(f"{kind}: {', '.join(change.item['id'] for change in found)}")
        for note in notes:
            terminalreporter.line(note, yellow=True)
        terminalreporter.section("verdict")
        colour = {"green": True} if verdict.ok else {"red": True}
        terminalreporter.line(f"{self.run.headline}: {verdict}", bold=True, **colour)
        terminalreporter.line(f"report: {self.directory / 'verification.html'}")


def _item_id(test: pytest.Item) -> str:
    marker = test.get_closest_marker("item")
    return str(marker.args[0]) if marker and marker.args else ""


def _is_drill(test: pytest.Item) -> bool:
    return test.get_closest_marker("drill") is not None


def _result(report: pytest.TestReport) -> Result | None:
    plain = getattr(report, "verification", None)
    return Result.of(plain) if plain else None


def _redact(report: pytest.TestReport | pytest.CollectReport) -> None:
    report.sections = [(name, redact(text)) for name, text in report.sections]
    if isinstance(report.longrepr, tuple):  # a skip, of which pytest wants path, line and reason
        path, line, reason = report.longrepr
        report.longrepr = (path, line, redact(reason))
    elif report.longrepr and redact(report.longreprtext) != report.longreprtext:
        report.longrepr = redact(report.longreprtext)


def _credentials(env: environment.Environment) -> list[str]:
    """What the run itself signs with."""
    found = env.session.get_credentials()
    return [text for text in (found.access_key, found.secret_key, found.token) if text] if found else []


def _line_of(reporter: Any) -> Callable[[str], None]:
    """Prints a line of its own, whatever pytest has begun to print, and past what captures a check's output."""
    terminal = os.fdopen(os.dup(sys.__stdout__.fileno()), "w", buffering=1) if sys.__stdout__ else sys.stderr

    def line(text: str) -> None:
        begun, reporter.currentfspath = reporter.currentfspath, None
        terminal.write(("\n" if begun else "") + redact(text) + "\n")

    return line


def _needs_aws() -> dict[str, str]:
    declared = tomllib.loads(GAPS.read_text(encoding="utf-8")).get("needs-aws", [])
    return {gap["item"]: gap["reason"] for gap in declared}


def _asks_for(marker: str, expression: str) -> bool:
    """Whether -m names the marker for what it wants; an expression with `not` anywhere is no such wish."""
    words = re.findall(r"\w+", expression)
    return marker in words and "not" not in words


def _mismatch(problems: list[str]) -> str:
    return "checks and checklist do not match:\n  " + "\n  ".join(problems)


def _write_whole(file: Path, text: str) -> None:
    """All workers write the same; whoever reads, reads all of one."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def _open_turns(folder: Path) -> None:
    """Prove before any check that turns can be taken."""
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
    except OSError as problem:
        raise UsageProblem(
            f"{folder} cannot be written: {problem.strerror}; runs take turns by files in it, so make it writable"
        ) from problem


def _make_room(directory: Path) -> None:
    """Prove that the report can be written, and take away what an earlier run said."""
    probe = directory / ".writable"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        for old in (probe, *directory.glob("verification.*"), *directory.glob(".collected.json*")):
            old.unlink()
    except OSError as problem:
        raise UsageProblem(
            f"the report cannot be written to {directory}: {problem.strerror}; name another --report-dir"
        ) from problem

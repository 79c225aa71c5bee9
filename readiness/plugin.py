"""pytest hooks: options, selection, binding, and how a test's end becomes an outcome.

Hooks alone: what they decide with lives in suite, verdict, waivers, judgement and report. Silent unless the run names
the checks of an application, or `verify-stack` has started it.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO, TypeVar, cast

import pytest
from pytest_metadata.plugin import metadata_key

from readiness import (
    __version__,
    application,
    budgets,
    checklist,
    environment,
    findings,
    gaps,
    planned,
    progress,
    waivers,
)
from readiness.application import Application
from readiness.checklist import How, Item
from readiness.errors import NOT_RECORDED, Gap, NeedsAws, NotApplicable, UsageProblem
from readiness.judgement import OBSERVED, Seen, judge
from readiness.ledger import NOTHING_IS_PAID, Ledger
from readiness.probes.http import ALLOWANCE, LATEST
from readiness.progress import waiting
from readiness.recording.deck import Recording, Replay
from readiness.report import (
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
    terminal,
    write,
)
from readiness.report.history import History, Past
from readiness.report.redaction import redact
from readiness.report.shortening import beginning
from readiness.report.stream import Redacting
from readiness.run import limits
from readiness.run.control import Controller, Told
from readiness.run.durations import Durations
from readiness.run.limits import TimeLimits
from readiness.run.perform import Performer
from readiness.run.room import Room
from readiness.run.schedule import Check
from readiness.run.stop import Stop
from readiness.run.workers import VARIABLE
from readiness.shared import Shared
from readiness.suite import Suite
from readiness.turns import turn
from readiness.verdict import Outcome, Result, Verdict, waive
from readiness.waivers import Waiver

_MARKERS = {
    "item(id)": "the item of PRODUCTION_CHECKLIST.md that this check settles",
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
    Outcome.NOT_APPLICABLE: ("not applicable", "-", "NOT APPLICABLE"),
}
_T = TypeVar("_T")
REPLAYED = 6
"""The exit status of a replay whose items all end as recorded: neither success, nor one of pytest's own."""
_SUITE = pytest.StashKey[Suite | None]()
_WORKERS = pytest.StashKey[int]()
_PERFORMER = pytest.StashKey[Performer]()
SEEN = pytest.StashKey[Seen]()
_HOW = pytest.StashKey[frozenset[How]]()
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
    group.addoption("--application", type=Path, help=argparse.SUPPRESS)  # verify-stack's
    group.addoption("--cloud", metavar="NAME", help="embedded AWS to use, for environments that live on one")
    group.addoption(
        "--paid", action="store_true", help="also run checks that spend money at the AI providers"
    )
    group.addoption(
        "--budget",
        type=_usd,
        default=budgets.RUN_USD,
        metavar="USD",
        help="what the run may spend at the AI providers; 0 allows no paid request (default: %(default)s)",
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
    group.addoption(
        "--record",
        type=Path,
        metavar="DIR",
        help="keep what was asked and answered, without secrets, in a new folder",
    )
    group.addoption(
        "--replay",
        type=Path,
        metavar="DIR",
        help="have a recording answer, and dial nobody; never READY, exit status 6 when every item ends as recorded",
    )
    group.addoption(
        "--deadline",
        type=_duration,
        metavar="TIME",
        help="end the whole run after such a time as 45m; what has not ended is UNVERIFIED "
        f"(default: {limits.words(budgets.RUN_DEADLINE['AWS'])}, on an emulated AWS {limits.words(budgets.RUN_DEADLINE['emulated'])})",
    )
    group.addoption(
        "--item-timeout",
        type=_duration,
        metavar="TIME",
        help="end each check after such a time as 90s (default: by what the check takes)",
    )
    group.addoption(
        "--static", action="store_true", help="read files alone, without AWS; the report is that of 'static'"
    )
    group.addoption("--list-items", action="store_true", help="list the checklist and exit; needs no stack")
    group.addoption("--explain", metavar="ID", help="explain one item and exit; needs no stack")


def _duration(text: str) -> timedelta:
    try:
        return limits.duration(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem


def _usd(text: str) -> float:
    try:
        usd = float(text)
    except ValueError:
        usd = math.nan
    if not 0 <= usd < math.inf:
        raise argparse.ArgumentTypeError(f"expected an amount in USD such as 0, 0.5 or 2, found '{text}'")
    return usd


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer the questions that need no stack; else decide where checks run."""
    if not (config.option.list_items or config.option.explain):
        if _or_usage_error(lambda: _verifies(config)):
            config.stash[_WORKERS] = _number_of_workers(config)
            if VARIABLE in os.environ:
                config.stash[_PERFORMER] = Performer(config, _described)
                # How other plugins tell that this pytest works for another one, and leave reports to that.
                config.workerinput = {"workerid": "worker"}  # type: ignore[attr-defined]
        return None
    suite = _or_usage_error(lambda: _suite(config))
    items = suite.items if suite else {}
    if config.option.list_items:
        for item in items.values():
            print(
                f"{item.id:8} {item.severity:9} {item.section:11} {item.title}{' (planned)' * item.planned}"
            )
        return 0
    if config.option.explain not in items:
        raise pytest.UsageError(f"no item '{config.option.explain}'; the option --list-items names them all")
    item = items[config.option.explain]
    how = ", ".join(sorted(item.how))
    print(f"{item.id} {item.title}\n{item.severity}, {item.section}, {how}{', planned' * item.planned}\n")
    print(f"Claim:  {item.claim}\nWhy:    {item.why}\nRemedy: {item.remedy}")
    return 0


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in _MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    suite = _or_usage_error(lambda: _suite(config))
    if suite is None:
        return
    for item in suite.items.values():
        config.addinivalue_line("markers", f"{item.id}: {item.title}")
    for section in dict.fromkeys(item.section for item in suite.items.values()):
        config.addinivalue_line("markers", f"{section}: a section of the checklist")
    _find_tools(suite.application)
    if suite.verifies(_given(config)):
        config.pluginmanager.register(
            _or_usage_error(lambda: Verification(config, suite)), "verification-run"
        )
    elif config.option.application:
        raise pytest.UsageError(
            f"expected checks of the catalogue or of {suite.application.checks}, found {', '.join(config.args)}; "
            "name no path to run them all"
        )


def _verifies(config: pytest.Config) -> bool:
    """Whether the run names checks of a checklist."""
    suite = _suite(config)
    return suite is not None and suite.verifies(_given(config))


def _find_tools(application: Application) -> None:
    """Let every program that is started find the application's own tools first."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    own = [str(tools) for tools in application.tools if str(tools) not in path]
    os.environ["PATH"] = os.pathsep.join([*own, *path])


def _number_of_workers(config: pytest.Config) -> int:
    """How many processes of their own run the checks; 0 when this one does, for a debugger has to be in it.

    `-n` is pytest-xdist's option. Its workers are not used, see docs/adr/0025-own-runner.md. Without pytest-xdist
    (`-p no:xdist`) the checks run in this process.
    """
    option = config.option
    if not hasattr(option, "numprocesses"):
        return 0
    asked, option.numprocesses, option.dist, option.tx = option.numprocesses, 0, "no", []
    if option.usepdb or option.trace or option.collectonly or VARIABLE in os.environ:
        return 0
    if asked in ("auto", "logical"):
        asked = config.hook.pytest_xdist_auto_num_workers(config=config)
    return int(asked or 1)


def _given(config: pytest.Config) -> list[Path]:
    return [Path(config.invocation_params.dir, str(arg).partition("::")[0]).resolve() for arg in config.args]


def _suite(config: pytest.Config) -> Suite | None:
    """What the run is about, None where it is no verification.

    Raises:
        UsageProblem: the run names checks of two applications.
    """
    if _SUITE in config.stash:
        return config.stash[_SUITE]
    found: Suite | None = None
    if config.option.application:
        found = Suite.of(Application.of(config.option.application), catalogue=True)
    else:
        places = _given(config) if config.args else [config.invocation_params.dir]
        around = {each.folder: each for place in places if (each := Application.around(place))}
        named = [each for each in around.values() if any(each.checks in (p, *p.parents) for p in places)]
        if len(named) > 1:
            folders = ", ".join(sorted(str(each.folder) for each in named))
            raise UsageProblem(f"one run verifies one application; named: {folders}")
        chosen = named or list(around.values())
        if chosen:
            found = Suite.of(chosen[0], catalogue=False)
    config.stash[_SUITE] = found
    return found


def _or_usage_error(start: Callable[[], _T]) -> _T:
    try:
        return start()
    except UsageProblem as problem:
        raise pytest.UsageError(str(problem)) from problem


class Verification:
    """One run over the checklist. Lives in the controller and in each of its workers."""

    shared: Shared
    ledger: Ledger
    left_out: dict[str, list[str]]
    """Items that this environment or these options leave out, by the kind of check that they need."""

    def __init__(self, config: pytest.Config, suite: Suite) -> None:  # noqa: PLR0915  # all that a run is, in one place
        option = config.option
        self.config = config
        for name, (refused, why) in _REFUSED.items():
            if refused(getattr(option, name, None)):
                raise UsageProblem(f"{why}, secrets and all; leave it out")
        known.hide_environment()
        if option.static:
            option.env = "static"
            option.markexpr = f"static and ({option.markexpr})" if option.markexpr else "static"
        self.performer = config.stash.get(_PERFORMER, None)
        self.suite, self.application = suite, suite.application
        self.home = self.application.folder
        self.replay = self._replay(option)
        self.recording: Recording | None = None
        of_replay = "-replayed" if self.replay else ""
        self.directory: Path = option.report_dir or self.home / "reports" / f"{option.env}{of_replay}"
        # Another run may write to the same place at the same time; each publishes what is its own.
        self.draft = self.directory.resolve() / f".unfinished-{os.getpid()}"
        if not self.performer and not option.collectonly:
            _remove_old_report(self.directory)
        known.hide_folders(self.home, config.rootpath)
        self.items = suite.items
        self.app: Path = (option.app or self.home).resolve()
        template = self.application.template.relative_to(self.home)
        self.template = self.app / template
        if not self.template.is_file():
            raise UsageProblem(f"--app {self.app}: expected a checkout with {template}, found none")
        hello: Mapping[str, Any] = self.performer.hello if self.performer else {}
        self.started = datetime.fromisoformat(hello["started"]) if hello else datetime.now(UTC)
        self.environment = self._connected(option, hello)
        self.clock = time.monotonic()
        file = self.application.gaps
        self.gaps = gaps.needs_aws(file) if file and self.environment.emulated else {}
        self.waivers = self._approved()
        self.selected: dict[str, str] = {}
        self.results: dict[str, Result] = {}
        self.left_out = {}
        self.pictures: dict[str, list[Picture]] = {}
        self.problems: list[str] = []
        self.run: Run | None = None
        self.report: Document = {}
        self.budgets: Mapping[str, Any] | None = None
        self.said: list[str] = []
        self.compared: findings.Comparison | None = None
        self.watcher: progress.Watcher | None = None
        self.stop = Stop()
        self.room: Room | None = None
        self.controller: Controller | None = None
        # Of everybody on this machine who verifies this stack.
        stack = f"{option.cloud or self.environment.settings.cloud or 'aws'}.{self.environment.stack_name}"
        self.turns = self.application.state / "turns" / stack
        self.durations = Durations(self.application.state / "durations" / f"{stack}.json")
        known.hide(_credentials(self.environment))
        if self.performer:
            self._work(self.performer)
        elif not option.collectonly:
            self._start(option)
        if self.performer or not config.stash[_WORKERS]:
            config.pluginmanager.register(TimeLimits(self._limits), "verification-limits")
            if (deck := self.replay or self.recording) and not option.collectonly:
                config.pluginmanager.register(
                    deck.hooks(_item_id, self.application.checks), "verification-recording"
                )

    def _replay(self, option: Any) -> Replay | None:
        """The recording that answers, and with it the options of the recorded run.

        Raises:
            UsageProblem: there is none, or the run is to be recorded too.
        """
        if not option.replay:
            return None
        if option.record:
            raise UsageProblem(
                "--record and --replay exclude each other: what a recording answers is recorded already"
            )
        runs_checks = self.performer is not None or not self.config.stash[_WORKERS]
        worker = self.performer.name if self.performer else ""
        app = (option.app or self.home).resolve()
        sources = app / self.application.template.relative_to(self.home).parent
        replay = Replay(option.replay, sources, worker=worker, runs_checks=runs_checks)
        option.env, option.paid = replay.about["environment"], replay.about["paid"]
        if self.config.stash[_WORKERS]:
            self.config.stash[_WORKERS] = max(len(replay.about["workers"]), 1)
        return replay

    def _connected(self, option: Any, hello: Mapping[str, Any]) -> environment.Environment:
        """Where the stack is, or the recording that stands for it."""
        if self.replay:
            return environment.played_back(self.application, self.replay.about, self.replay.exchanges)
        if option.static:
            return environment.nowhere(self.application)
        env = environment.connect(self.application, option.env, cloud=option.cloud)
        if not option.record or option.collectonly:
            return env
        worker = self.performer.name if self.performer else ""
        self.recording = Recording(option.record, self.started, worker, hello)
        return replace(env, exchanges=self.recording.exchanges)

    @property
    def _today(self) -> date:
        """The date that waivers are judged by: a replay says what held when it was recorded."""
        return (self.replay or self).started.date()

    def _work(self, performer: Performer) -> None:
        """Take what the controller said at first."""
        known.hide_account(performer.hello["account"])
        progress.tell(Path(performer.hello["waiting"]))
        self._share(Path(performer.hello["shared"]))
        self.config.pluginmanager.register(performer, "verification-performer")

    def _share(self, folder: Path) -> None:
        """What belongs to the whole run lies in one folder for all of its processes."""
        self.shared = Shared(folder)
        budget = self.config.option.budget
        self.ledger = Ledger(folder / "ledger", budget, self.application.load_prices() or NOTHING_IS_PAID)

    def _approved(self) -> Mapping[str, Waiver]:
        """The waivers of this environment, by item."""
        if not self.application.waivers.is_file():
            return {}
        every = waivers.load(
            self.application.waivers,
            items=self.items,
            environments=environment.names(self.application),
            today=self._today,
        )
        return {waiver.item: waiver for waiver in every if waiver.environment == self.config.option.env}

    def _limits(self, test: pytest.Item) -> tuple[timedelta, timedelta]:
        """How long a check may take, and then how long its clean-up."""
        how, emulated = self.items[_item_id(test)].how, self.environment.emulated
        whole = self.config.option.item_timeout or limits.limit(how, emulated=emulated)
        return whole, limits.clean_up_limit(how, emulated=emulated)

    def _start(self, option: Any) -> None:
        """Whatever can keep the run from starting, before any check does; then room for its report.

        Raises:
            UsageProblem: something does.
        """
        env = self.environment
        if not option.static:
            env.preflight()
            env.require_stack()
            known.hide_account(env.account_id)
        if option.benchmarks:
            self.budgets = figures.read(option.benchmarks, environment=env.name, emulated=env.emulated)
        same = {"stack": env.stack_name, "region": env.region, "emulated": env.emulated}
        self.history = History(self.directory / history.FOLDER, same, since=option.since)
        self.history.require_baseline()
        kind = "emulated" if env.emulated else "AWS"
        # From here on something lies about, which a signal must not leave behind.
        self.config.add_cleanup(self._leave)
        self.stop.watch(option.deadline or budgets.RUN_DEADLINE[kind])
        _open_turns(self.turns.parent)
        _make_room(self.draft)
        option.htmlpath = option.htmlpath or str(self.draft / "verification.html")
        option.self_contained_html = True
        option.xmlpath = option.xmlpath or str(self.draft / "verification.xml")
        grace = max(budgets.CLEAN_UP_LIMIT[kind].values())
        self.room = Room.open(self.draft, grace=grace)
        waiting = self.room.folder / "waiting"
        waiting.mkdir()
        progress.tell(waiting)
        shared = self.room.folder / "shared"
        shared.mkdir()
        self._share(shared)
        if number := self.config.stash[_WORKERS]:
            hello = {
                "account": env.account_id,
                "started": self.started.isoformat(),
                "waiting": str(waiting),
                "shared": str(shared),
                **(self.recording.hello() if self.recording else {}),
            }
            self.controller = Controller(
                self.config,
                number,
                room=self.room.folder,
                emulated=env.emulated,
                hello=hello,
                seconds=self.durations.read(),
                item_limit=option.item_timeout,
                told=Told(self._collected, self._lost, progress.of, progress.forget),
                assigned=self.replay.workers if self.replay else {},
            )
            self.config.pluginmanager.register(self.controller, "verification-controller")

    def _leave(self) -> None:
        """Give back what this process shares with whoever started pytest in it."""
        self.stop.forget()
        progress.tell(None)
        if self.room:
            self.room.close()

    def _collected(
        self, checks: Sequence[Check], problems: Sequence[str], left_out: Mapping[str, Sequence[str]]
    ) -> None:
        self.selected = {check.item: check.node for check in checks}
        self.problems = list(problems)
        self.left_out = {kind: list(items) for kind, items in left_out.items()}

    def _lost(self, check: Check, reason: str, last_words: str) -> pytest.TestReport:
        """The report of a check that ended with its process."""
        result = Result(
            check.item, Outcome.UNVERIFIED, redact(reason), evidence=redact(last_words), node=check.node
        )
        path = check.node.partition("::")[0]
        report = pytest.TestReport(
            check.node, (path, None, check.node), {}, "failed", result.reason, "call", duration=0.0
        )
        report.user_properties = [("outcome", str(result.outcome))]
        report.verification = result.plain()  # type: ignore[attr-defined]
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """From here on the terminal shows no secret, and who watches it is told what is waited for."""
        metadata: dict[str, Any] = self.config.stash.get(metadata_key, {})  # pytest-html and JUnit show it
        metadata.update({name: redact(text) for name, text in metadata.items() if isinstance(text, str)})
        reporter: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter:
            writer = self.config.get_terminal_writer()
            writer._file = cast("TextIO", Redacting(writer._file))  # noqa: SLF001  # pytest has no way to filter it
        if self.config.option.capture == "no":
            sys.stdout = cast("TextIO", Redacting(sys.stdout))
            sys.stderr = cast("TextIO", Redacting(sys.stderr))
        if self.room:
            # Registered last of all that end with the session, for it takes what they have written.
            self.config.pluginmanager.register(_Last(self._publish), "verification-last")
            if reporter and reporter.isatty and not os.environ.get("CI"):
                folder = self.room.folder / "waiting"
                self.watcher = progress.Watcher(folder, _line_of(reporter), progress.FIRST_WORD)
                self.watcher.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        if self.room:
            self.stop.heed()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        """Bind tests to items before -m chooses among them, and leave out of its choice what may not run."""
        found = {_item_id(test) for test in items}
        expected = self.suite.expected(_given(config), found)
        items += planned.checks(session, {id_: item for id_, item in expected.items() if id_ not in found})
        self._bind(expected, items)
        yield
        self._leave_out(config, items)
        items.sort(key=_is_drill)

    def _bind(self, expected: Mapping[str, Item], items: list[pytest.Item]) -> None:
        bound = []
        for test in items:
            item_id = _item_id(test)
            sections = [name for name in self._sections if test.get_closest_marker(name)]
            bound.append((test.nodeid, item_id, ",".join(sections)))
            test.stash[_HOW] = self.items[item_id].how if item_id in self.items else frozenset()
            for how in test.stash[_HOW] - {How.READ_ONLY}:
                test.add_marker(how.value)
            if item_id in self.items:
                test.add_marker(item_id)
        self.problems = checklist.binding_problems(expected, bound)
        if self.problems and self.performer:
            items.clear()  # the controller says why, see pytest_sessionfinish
            self.performer.problems = self.problems
        elif self.problems:
            raise pytest.UsageError(_mismatch(self.problems))

    @property
    def _sections(self) -> Iterable[str]:
        return dict.fromkeys(item.section for item in self.items.values())

    def _leave_out(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        for marker in self._unwanted(config):
            dropped = [test for test in items if test.get_closest_marker(marker)]
            if dropped:
                self.left_out[marker] = [_item_id(test) for test in dropped]
                config.hook.pytest_deselected(items=dropped)
                items[:] = [test for test in items if test not in dropped]
        if self.performer:
            self.performer.left_out = self.left_out

    def _unwanted(self, config: pytest.Config) -> Iterable[str]:
        read_only = self.environment.settings.read_only
        if read_only and not _asks_for("drill", config.option.markexpr):
            yield "drill"
            if not _asks_for("active", config.option.markexpr):
                yield "active"
        if not self.may_spend or (read_only and not _asks_for("paid", config.option.markexpr)):
            yield "paid"

    @property
    def may_spend(self) -> bool:
        """Whether AI providers may be made to work: simulated ones always, others when --paid grants it."""
        return self.environment.emulated or bool(self.config.option.paid)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if not self.controller:
            self.selected = {_item_id(test): test.nodeid for test in session.items}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """A drill waits until nobody looks at the stack, and whoever wants to look waits for the drill."""
        if item.stash[_HOW] == {How.STATIC} or self.replay:
            return (yield)
        with turn(self.turns, alone=_is_drill(item)):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        ALLOWANCE.renew(budgets.REQUESTS_OF_AN_ITEM)
        self.ledger.item = _item_id(item)
        if reason := self.gaps.get(_item_id(item)):
            raise NeedsAws(reason)
        if reason := self.application.left_out.get(_item_id(item)):
            raise NotApplicable(f"left out by {application.FILE}: {reason}")

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """What a comparison found that does not hold is the finding; pytest's own words stay in the evidence."""
        self.compared = findings.compared(op, left, right)

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
        item.user_properties[:] = [
            (redact(str(name)), redact(str(value))) for name, value in item.user_properties
        ]
        try:
            report = yield
        except (Exception, SystemExit) as problem:  # noqa: BLE001  # representing a stranger's object runs his code
            report = _unrepresented(item, call, problem)
        _redact(report)
        seen = item.stash.setdefault(SEEN, Seen())
        seen.compared, self.compared = self.compared, None
        seen.exchanges += LATEST
        LATEST.clear()
        if call.when == "call" or call.excinfo:
            result = waive(self._judged(item, call, report, seen), self.waivers, self._today)
            result = replace(result, reason=redact(result.reason))  # a waiver's words are somebody's too
            is_skipped = result.outcome in (Outcome.WAIVED, Outcome.NOT_APPLICABLE)
            if is_skipped or (result.gap and self.environment.rehearsal):
                report.outcome = "skipped"
                report.longrepr = (str(item.path), 0, result.reason)
            # Into the JUnit file: what was observed to fail has failed, whatever its clean-up came to.
            if ("outcome", Outcome.FAIL) not in item.user_properties:
                others = [each for each in item.user_properties if each[0] != "outcome"]
                item.user_properties[:] = [*others, ("outcome", str(result.outcome))]
            report.user_properties = list(item.user_properties)
            report.verification = result.plain()  # type: ignore[attr-defined]  # crosses to the controller
        return report

    def _judged(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, seen: Seen
    ) -> Result:
        id_ = _item_id(item)
        expected = self.application.expects_item(id_) and id_ not in self.application.left_out
        return judge(id_, call, report, seen, expected=expected)

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
        """End all workers, then write the report, whole and whatever has happened."""
        if self.performer or not self.room:
            yield
            return
        interrupted = self.controller.interrupted() if self.controller else {}
        try:
            if self.controller:
                with waiting("what was begun to be put back"):
                    self.controller.stop()
        except KeyboardInterrupt:
            self.said.append("Not everything was put back: a second request ended the run at once.")
        ended_early = self._ended_early(session)
        self.stop.ignore()
        if self.watcher:
            self.watcher.stop()
        try:
            self._conclude(session, ended_early, interrupted)
        except OSError as problem:
            self._give_up_report(session, problem)
        try:
            yield
        except OSError as problem:  # of pytest-html or JUnit, and the terminal's summary has gone with it
            self._give_up_report(session, problem)
            print(f"\nerror: {redact(self.said[-1])}", file=sys.stderr)
        finally:
            if self.draft.is_dir():  # another plugin came to grief: what is ours is whole
                self._move(*self.draft.glob("verification.[jm]*"))

    def _give_up_report(self, session: pytest.Session, problem: OSError) -> None:
        self.run = None
        self.said.append(
            f"no report: {problem.filename or self.directory} cannot be written: {problem.strerror}; "
            "make room there or name another --report-dir, then run again"
        )
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def _conclude(self, session: pytest.Session, ended_early: str, interrupted: Mapping[str, str]) -> None:
        if self.problems:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            return
        ended = {
            item: self.results.get(item) or _not_run(item, node, ended_early, interrupted.get(node))
            for item, node in {**self.selected, **dict.fromkeys(self.results, "")}.items()
        }
        results = [ended[item] for item in self.items if item in ended]
        outcomes = {result.item: str(result.outcome) for result in results}
        started = self.started.isoformat(timespec="seconds")
        self.run = Run(
            verdict=Verdict(
                results,
                items=len(self.items),
                rehearsal=self.environment.rehearsal,
                interrupted=ended_early,
                replayed=f"{self.replay.started:%Y-%m-%d}" if self.replay else "",
            ),
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
            spending=self.ledger.told() if self.application.prices else None,
            left_out=self.left_out,
        )
        self.report = document.build(self.run)
        write(self.report, self.draft)
        self._tell_junit()
        if not ended_early:
            session.exitstatus = self.run.verdict.exit_status
            failing = self.history.failing_since(outcomes, started)
            verdict = str(self.run.verdict)
            if not self.replay:
                self.history.keep(Past(started, self.run.commit, verdict, outcomes, failing))
            if self.controller and not self.replay:
                self.durations.keep(self.controller.took)
        if self.replay:
            self._compare_with_recording(session, self.replay, results)
        elif self.recording:
            self.said.append(self._finish_recording(self.recording, self.run))
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            self.said.append(github.append(Path(summary), markdown.render(self.report)))

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
        self.said.append(
            f"{len(replayed)} of {len(results)} items were replayed, {len(replayed) - len(differences)} with the recorded outcome"
        )
        self.said += differences
        if session.exitstatus in (0, 1):
            session.exitstatus = 1 if differences or not replayed else REPLAYED

    def _finish_recording(self, recording: Recording, run: Run) -> str:
        about = {
            "suite": __version__,
            "environment": run.environment.name,
            "stack": run.environment.stack_name,
            "region": run.environment.region,
            "endpoint": run.environment.endpoint_url or "",
            "emulated": run.environment.emulated,
            "paid": bool(self.config.option.paid),
            "commit": run.commit,
            "template": run.template_sha256,
            "verdict": str(run.verdict),
        }
        return recording.finish(
            about, {result.item: (str(result.outcome), result.node) for result in run.verdict.results}
        )

    def _tell_junit(self) -> None:
        for plugin in self.config.pluginmanager.get_plugins():
            if add := getattr(plugin, "add_global_property", None):
                if self.run and self.run.spending:
                    add("paid requests", reading.spending(self.report))
                if left_out := reading.left_out(self.report):
                    add("left out", left_out)

    def _ended_early(self, session: pytest.Session) -> str:
        """What ended the run before all of it had run, as the end of a sentence; empty for nothing."""
        if session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            return "by an error of pytest itself, see the terminal"
        left = self.selected.keys() - self.results.keys()
        if not left and session.exitstatus != pytest.ExitCode.INTERRUPTED:
            return ""
        said = session.shouldstop or session.shouldfail
        return self.stop.reason or (f"by pytest: {said}" if said else "by a check")

    def _publish(self) -> None:
        """Put the finished report in its place: files that are whole, and none before all of them are.

        A run that could not start leaves none.
        """
        if not self.draft.is_dir():
            return
        for plugin in list(self.config.pluginmanager.get_plugins()):
            # Both tell on the terminal where their file lies.
            if (xml := Path(getattr(plugin, "logfile", ""))).parent == self.draft:
                plugin.logfile = (
                    self.directory.resolve() / xml.name if self.run else "none, for no check was judged"
                )
            elif page := getattr(plugin, "_report_path", None):
                self._settle_page(plugin, page)
        self._move(*self.draft.iterdir())

    def _move(self, *files: Path) -> None:
        """Put these files of a run that has a verdict in their place, and take the rest away."""
        for file in files if self.run else ():
            file.replace(self.directory / file.name)
        shutil.rmtree(self.draft)

    def _settle_page(self, plugin: Any, page: Path) -> None:
        """Mend pytest-html's page, and have the plugin tell where it will lie; without a verdict it says nothing."""
        if self.run is None:
            self.config.pluginmanager.unregister(plugin)
            return
        html.mend(page)
        if page.parent == self.draft:
            plugin._report_path = self.directory.resolve() / page.name  # noqa: SLF001

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

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:  # noqa: C901
        if self.problems:
            terminalreporter.line(f"ERROR: {_mismatch(self.problems)}", red=True)
        if self.run is None:
            for note in self.said:
                terminalreporter.line(note, red=True)
            return
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for command in github.commands(self.report):
                terminalreporter.line(command)
        verdict = self.run.verdict
        if attention := terminal.attention(self.report):
            terminalreporter.section("needs attention")
        for line in attention:
            terminalreporter.line(line)
        notes = [*self.history.notes, *filter(None, [*self.said, reading.left_out(self.report)])]
        for kind, found in reading.changes(self.report).items():
            terminalreporter.line(f"{kind}: {', '.join(change.item['id'] for change in found)}")
        for note in notes:
            terminalreporter.line(note, yellow=True)
        terminalreporter.section("verdict")
        if self.run.spending:
            terminalreporter.line(f"paid requests: {reading.spending(self.report)}")
        colour = {"green": True} if verdict.ok else {"red": True}
        terminalreporter.line(f"{self.run.headline}: {verdict}", bold=True, **colour)
        terminalreporter.line(f"report: {self.directory / 'verification.html'}")


def _item_id(test: pytest.Item) -> str:
    marker = test.get_closest_marker("item")
    return str(marker.args[0]) if marker and marker.args else ""


def _is_drill(test: pytest.Item) -> bool:
    return test.get_closest_marker("drill") is not None


def _unrepresented(
    item: pytest.Item, call: pytest.CallInfo[None], problem: BaseException
) -> pytest.TestReport:
    """The report of a phase whose failure cannot be written down as pytest does it."""
    said = f"{call.excinfo.typename if call.excinfo else 'it'} cannot be shown: {type(problem).__name__}"
    return pytest.TestReport(
        item.nodeid, item.location, {}, "failed", said, cast("Any", call.when), duration=call.duration
    )


def _result(report: pytest.TestReport) -> Result | None:
    plain = getattr(report, "verification", None)
    return Result.of(plain) if plain else None


def _redact(report: pytest.TestReport | pytest.CollectReport) -> None:
    report.sections = [(name, redact(beginning(text))) for name, text in report.sections]
    if isinstance(report.longrepr, tuple):  # a skip, of which pytest wants path, line and reason
        path, line, reason = report.longrepr
        report.longrepr = (path, line, redact(reason))
    elif report.longrepr:
        told = report.longreprtext
        if (redacted := redact(beginning(told))) != told:
            report.longrepr = redacted


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


def _asks_for(marker: str, expression: str) -> bool:
    """Whether -m names the marker for what it wants; an expression with `not` anywhere is no such wish."""
    words = re.findall(r"\w+", expression)
    return marker in words and "not" not in words


def _mismatch(problems: list[str]) -> str:
    return "checks and checklist do not match:\n  " + "\n  ".join(problems)


def _not_run(item: str, node: str, ended_early: str, interrupted: str | None) -> Result:
    """The result of a check that no report came of."""
    cause = f"the run was ended {ended_early}"
    how = "before this check" if interrupted is None else f"this check {interrupted}"
    return Result(item, Outcome.UNVERIFIED, f"{cause}, {how}", node=node, cause=cause)


def _described(test: pytest.Item) -> Mapping[str, Any]:
    """What the controller has to know of a check."""
    group = test.get_closest_marker("xdist_group")
    return {
        "item": _item_id(test),
        "how": [how.value for how in test.stash[_HOW]],
        "group": str(group.args[0]) if group and group.args else "",
    }


class _Last:
    """Acts when everything else that ends with the session has, before the terminal sums up."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self._act()


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


def _remove_old_report(directory: Path) -> None:
    """Take away what an earlier run said, before anything can end this one."""
    for old in directory.glob("verification.*"):
        old.unlink()


def _make_room(draft: Path) -> None:
    """Prove that the report can be written, where it will be written first."""
    shutil.rmtree(draft, ignore_errors=True)  # of a process that had the same number
    try:
        draft.mkdir(parents=True)
        probe = draft / ".writable"
        probe.write_text("")
        probe.unlink()
    except OSError as problem:
        raise UsageProblem(
            f"the report cannot be written to {draft.parent}: {problem.strerror}; name another --report-dir"
        ) from problem

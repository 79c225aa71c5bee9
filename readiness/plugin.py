"""pytest's hooks of a verification: whether a run is one, where its checks run, and what belongs to the whole of it.

Each further concern has its module in `readiness/session`. Silent unless the run names the checks of an application, or
`verify-stack` has started it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO, TypeVar, cast

import pytest
from pytest_metadata.plugin import metadata_key

from readiness import application, budgets, environment, gaps, progress, waivers
from readiness.application import Application
from readiness.discovery.graph import Graph
from readiness.discovery.outline import outline
from readiness.errors import NeedsAws, NotApplicable, UsageProblem
from readiness.ledger import NOTHING_IS_PAID, Ledger
from readiness.probes.http import ALLOWANCE
from readiness.progress import waiting
from readiness.recording.deck import Recording, Replay
from readiness.report import known
from readiness.report.redaction import redact
from readiness.report.stream import Redacting
from readiness.run import limits
from readiness.run.control import Callbacks, Controller
from readiness.run.durations import Durations
from readiness.run.limits import TimeLimits
from readiness.run.perform import Performer
from readiness.run.room import Room
from readiness.run.stop import Stop
from readiness.run.workers import VARIABLE
from readiness.session import options
from readiness.session.conclusion import Ask, Conclusion
from readiness.session.outcomes import SEEN, Outcomes
from readiness.session.selection import Selection, described, is_drill, is_static, item_id
from readiness.shared import Shared
from readiness.suite import Suite
from readiness.turns import turn
from readiness.waivers import Waiver

__all__ = ["SEEN", "Verification"]

_MARKERS = {
    "item(id)": "the item of PRODUCTION_CHECKLIST.md that this check settles",
    "static": "reads the source tree alone",
    "active": "writes to the live stack, or loads it",
    "drill": "disturbs the stack, or takes long: runs alone and last",
    "browser": "drives a real browser",
    "paid": "costs money at the AI providers on real AWS",
}
_T = TypeVar("_T")
_SUITE = pytest.StashKey[Suite | None]()
_WORKERS = pytest.StashKey[int]()
_PERFORMER = pytest.StashKey[Performer]()


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer the questions that need no stack; else decide where checks run."""
    if not (config.option.list_items or config.option.explain):
        if _or_usage_error(lambda: _verifies(config)):
            config.stash[_WORKERS] = _number_of_workers(config)
            if VARIABLE in os.environ:
                config.stash[_PERFORMER] = Performer(config, described)
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
    if suite.verifies(options.given(config)):
        run = _or_usage_error(lambda: Verification(config, suite))
        for name, plugin in run.plugins.items():
            config.pluginmanager.register(plugin, f"verification-{name}")
    elif config.option.application:
        raise pytest.UsageError(
            f"expected checks of the catalogue or of {suite.application.checks}, found {', '.join(config.args)}; "
            "name no path to run them all"
        )


def _verifies(config: pytest.Config) -> bool:
    """Whether the run names checks of a checklist."""
    suite = _suite(config)
    return suite is not None and suite.verifies(options.given(config))


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
        places = options.given(config) if config.args else [config.invocation_params.dir]
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

    def __init__(self, config: pytest.Config, suite: Suite) -> None:
        option = config.option
        self.config = config
        options.refuse_leaks(option)
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
        self.selection = Selection(config, suite, self.environment, self.performer)
        self.outcomes = Outcomes(self.application, self._approved(), self._today, self.environment)
        self.conclusion: Conclusion | None = None
        self.watcher: progress.Watcher | None = None
        self.stop = Stop()
        self.room: Room | None = None
        self.controller: Controller | None = None
        # Shared by all runs on this machine that verify this stack.
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
                    deck.hooks(item_id, self.application.checks), "verification-recording"
                )

    @property
    def plugins(self) -> Mapping[str, object]:
        """What pytest calls of this run, by name."""
        every = {
            "selection": self.selection,
            "outcomes": self.outcomes,
            "conclusion": self.conclusion,
            "run": self,
        }
        return {name: plugin for name, plugin in every.items() if plugin}

    @property
    def may_spend(self) -> bool:
        """Whether AI providers may be made to work: simulated ones always, others when --paid grants it."""
        return self.selection.may_spend

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
        option.env, option.paid = replay.about["settings"]["name"], replay.about["paid"]
        if self.config.stash[_WORKERS]:
            self.config.stash[_WORKERS] = max(len(replay.about["workers"]), 1)
        return replay

    def _connected(self, option: Any, hello: Mapping[str, Any]) -> environment.Environment:
        """Return the environment of the stack, or of the recording that replaces it."""
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
        how, emulated = self.items[item_id(test)].how, self.environment.emulated
        whole = self.config.option.item_timeout or limits.limit(how, emulated=emulated)
        return whole, limits.clean_up_limit(how, emulated=emulated)

    def _start(self, option: Any) -> None:
        """Check before any check runs that the run can start. Then make room for its report.

        Raises:
            UsageProblem: the run cannot start.
        """
        env = self.environment
        if not option.static:
            env.preflight()
            env.require_stack()
            known.hide_account(env.account_id)
        self.conclusion = Conclusion(
            self.config,
            self.suite,
            env,
            app=self.app,
            template=self.template,
            directory=self.directory,
            started=self.started,
            clock=self.clock,
            selection=self.selection,
            outcomes=self.outcomes,
            stop=self.stop,
            deck=self.replay or self.recording,
            ask=Ask(self._end_workers, self._spending, self._map, self._keep_durations),
        )
        kind = "emulated" if env.emulated else "AWS"
        # From here on something lies about, which a signal must not leave behind.
        self.config.add_cleanup(self._leave)
        self.stop.watch(option.deadline or budgets.RUN_DEADLINE[kind])
        _open_turns(self.turns.parent)
        self.conclusion.open_draft()
        grace = max(budgets.CLEAN_UP_LIMIT[kind].values())
        self.room = Room.open(self.conclusion.draft, grace=grace)
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
                callbacks=Callbacks(
                    self.selection.collected, self.outcomes.lost, progress.of, progress.forget
                ),
                assigned=self.replay.workers if self.replay else {},
            )
            self.config.pluginmanager.register(self.controller, "verification-controller")

    def _leave(self) -> None:
        """Release what this process shares with the program that started pytest in it."""
        self.stop.forget()
        progress.tell(None)
        if self.room:
            self.room.close()

    def _end_workers(self) -> Mapping[str, str]:
        """End every worker and what watches them. Returns what was under way, see Ask."""
        interrupted = self.controller.interrupted() if self.controller else {}
        try:
            if self.controller:
                with waiting("what was begun to be put back"):
                    self.controller.stop()
        except KeyboardInterrupt:
            if self.conclusion:
                self.conclusion.notes.append(
                    "Not everything was put back: a second request ended the run at once."
                )
        if self.watcher:
            self.watcher.stop()
        return interrupted

    def _spending(self) -> Mapping[str, Any] | None:
        return self.ledger.summary() if self.application.prices else None

    def keep_map(self, graph: Graph) -> None:
        """Keep the outline of the stack's graph for the report."""
        self.shared.once("map", lambda: outline(graph), repeatable=True)

    def _map(self) -> Mapping[str, Any] | None:
        kept: Mapping[str, Any] | None = self.shared.made("map")
        return kept

    def _keep_durations(self) -> None:
        if self.controller:
            self.durations.keep(self.controller.took)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Redact secrets in the terminal from now on, and report there what the run waits for."""
        metadata: dict[str, Any] = self.config.stash.get(metadata_key, {})  # pytest-html and JUnit show it
        metadata.update({name: redact(text) for name, text in metadata.items() if isinstance(text, str)})
        reporter: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter:
            writer = self.config.get_terminal_writer()
            writer._file = cast("TextIO", Redacting(writer._file))  # noqa: SLF001  # pytest has no way to filter it
        if self.config.option.capture == "no":
            sys.stdout = cast("TextIO", Redacting(sys.stdout))
            sys.stderr = cast("TextIO", Redacting(sys.stderr))
        if self.room and self.conclusion:
            # Registered here, for it has to be the last of all that end with the session.
            self.conclusion.publish_last()
            if reporter and reporter.isatty and not os.environ.get("CI"):
                folder = self.room.folder / "waiting"
                self.watcher = progress.Watcher(folder, _line_of(reporter), progress.FIRST_WORD)
                self.watcher.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        if self.room:
            self.stop.heed()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Make a drill wait until no other check reads the stack, and make the other checks wait for the drill."""
        if is_static(item) or self.replay:
            return (yield)
        with turn(self.turns, alone=is_drill(item)):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        ALLOWANCE.renew(budgets.REQUESTS_OF_AN_ITEM)
        self.ledger.item = item_id(item)
        if reason := self.gaps.get(item_id(item)):
            raise NeedsAws(reason)
        if reason := self.application.left_out.get(item_id(item)):
            raise NotApplicable(f"left out by {application.FILE}: {reason}")


def _credentials(env: environment.Environment) -> list[str]:
    """What the run itself signs with."""
    found = env.session.get_credentials()
    return [text for text in (found.access_key, found.secret_key, found.token) if text] if found else []


def _line_of(reporter: Any) -> Callable[[str], None]:
    """Return a function that prints a whole line, after unfinished output of pytest and past the capture of output."""
    terminal = os.fdopen(os.dup(sys.__stdout__.fileno()), "w", buffering=1) if sys.__stdout__ else sys.stderr

    def line(text: str) -> None:
        begun, reporter.currentfspath = reporter.currentfspath, None
        terminal.write(("\n" if begun else "") + redact(text) + "\n")

    return line


def _open_turns(folder: Path) -> None:
    """Check before any check runs that lock files of the stack can be written.

    Raises:
        UsageProblem: the folder is not writable.
    """
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
    except OSError as problem:
        raise UsageProblem(
            f"expected a writable folder {folder}, found: {problem.strerror}; runs lock files in it, so make it writable"
        ) from problem


def _remove_old_report(directory: Path) -> None:
    """Take away what an earlier run said, before anything can end this one."""
    for old in directory.glob("verification.*"):
        old.unlink()

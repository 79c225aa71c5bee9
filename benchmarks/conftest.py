"""What every benchmark shares: figures held against budgets, as one table and in --benchmark-json. Serial."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import regression
from benchmarks.figures import Figures, table
from benchmarks.regression import Comparison
from readiness import interruptions
from readiness.environment import Environment
from readiness.errors import Unverified, UsageProblem
from verification.application import ROOT, connect
from verification.stack import Stack

__all__ = ["Figures"]

_FIGURES = pytest.StashKey[Figures]()
_ENVIRONMENT = pytest.StashKey[Environment]()
_BASELINE = pytest.StashKey[dict[str, Any]]()
_COMPARISONS = pytest.StashKey[list[Comparison]]()
_STATUS = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--compare-with",
        type=Path,
        metavar="FILE",
        help="a --benchmark-json of the same environment and kind of machine; what became slower fails the run",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("benchmarks run one after the other; leave -n out")
    config.option.dist = (
        "no"  # pytest-benchmark would take the project's mode of distribution for many workers
    )
    # Its table is of whole rounds, with their publishing and waiting; the figures end the run instead.
    config.option.benchmark_quiet = True
    config.stash[_FIGURES] = Figures()
    config.stash[_COMPARISONS] = []
    interruptions.end_as_by_hand()
    if file := config.option.compare_with:
        try:
            config.stash[_BASELINE] = regression.read(file)
        except UsageProblem as problem:
            raise pytest.UsageError(str(problem)) from problem


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for the environment before anything is measured; the page alone needs none."""
    config = session.config
    if config.option.collectonly or not session.items:
        return
    try:
        if any("env" in getattr(item, "fixturenames", ()) for item in session.items):
            chosen = connect(config.option.env, cloud=config.option.cloud)
            chosen.preflight()
            chosen.require_stack()
            config.stash[_ENVIRONMENT] = chosen
        if baseline := config.stash.get(_BASELINE, None):
            regression.require_same(baseline["measured"], _where(config))
    except UsageProblem as problem:
        pytest.exit(str(problem), returncode=pytest.ExitCode.USAGE_ERROR)


def pytest_runtest_setup(item: pytest.Item) -> None:
    figures = item.config.stash[_FIGURES]
    figures.group = item.path.stem.removeprefix("test_")
    figures.emulated = "env" in getattr(item, "fixturenames", ()) and item.config.stash[_ENVIRONMENT].emulated


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What nobody could measure stands in the table too, and not as a figure that is over."""
    report = yield
    if call.excinfo and not call.excinfo.errisinstance((AssertionError, KeyboardInterrupt)):
        known = call.excinfo.errisinstance(Unverified)
        reason = " ".join(f"{'' if known else call.excinfo.typename + ': '}{call.excinfo.value}".split())[
            :300
        ]
        item.config.stash[_FIGURES].unseen(item.name, reason)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Compare before pytest-benchmark writes its JSON."""
    config = session.config
    figures = config.stash[_FIGURES]
    if (baseline := config.stash.get(_BASELINE, None)) and session.exitstatus in (0, 1):
        try:
            config.stash[_COMPARISONS].extend(regression.compare(baseline, figures.rows))
        except Unverified as problem:
            figures.group = "compared"
            figures.unseen("with the baseline", str(problem))
        comparisons = config.stash[_COMPARISONS]
        if not comparisons or not all(one.held for one in comparisons):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
    config.stash[_STATUS] = int(session.exitstatus)
    yield


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Which kind of machine is enough; its name is nobody's business."""
    del config
    machine_info.pop("node", None)
    machine_info["cpus"] = os.cpu_count()


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    output_json["measured"] = {**_where(config), "exit_status": config.stash[_STATUS]}
    output_json["figures"] = [row.plain for row in config.stash[_FIGURES].rows]
    output_json["comparisons"] = [one.plain for one in config.stash[_COMPARISONS]]


@pytest.fixture(scope="session")
def env(pytestconfig: pytest.Config) -> Environment:
    """The environment that --env names."""
    return pytestconfig.stash[_ENVIRONMENT]


@pytest.fixture(scope="session")
def stack(env: Environment) -> Stack:
    """The deployed application; a benchmark keeps no ledger of what it spends, `--paid` grants all of it."""
    return Stack(env)


@pytest.fixture(scope="session")
def app(pytestconfig: pytest.Config) -> Path:
    """The checkout of the application that --app names."""
    return _app(pytestconfig)


@pytest.fixture(scope="session")
def may_spend(env: Environment, pytestconfig: pytest.Config) -> bool:
    """Whether AI providers may be made to work: simulated ones always, others when --paid grants it."""
    return env.emulated or bool(pytestconfig.option.paid)


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    """The table that ends the run."""
    return pytestconfig.stash[_FIGURES]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows, comparisons = config.stash[_FIGURES].rows, config.stash[_COMPARISONS]
    if rows:
        terminalreporter.section("figures")
        for row, line in zip(rows, table(rows), strict=True):
            terminalreporter.line(line, red=row.held is False, yellow=row.held is None)
        if any(row.emulated for row in rows):
            terminalreporter.line("Measured on an embedded AWS: a rehearsal, no proof for production.")
    if config.stash.get(_BASELINE, None):
        terminalreporter.section(f"compared with {config.option.compare_with}")
        for one in comparisons:
            terminalreporter.line(str(one), red=not one.held)
        if not comparisons:
            terminalreporter.line("no figure could be compared", red=True)
    if rows and config.option.benchmark_json:
        terminalreporter.line(f"every sample: {config.option.benchmark_json}")


def _app(config: pytest.Config) -> Path:
    chosen: Path = config.option.app or ROOT
    return chosen.resolve()


def _where(config: pytest.Config) -> dict[str, Any]:
    """What a figure depends on beside the code."""
    env = config.stash.get(_ENVIRONMENT, None)
    described = subprocess.run(
        ["git", "-C", str(_app(config)), "describe", "--always", "--dirty=+", "--abbrev=12", "--match="],
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "environment": env.name if env else "no stack",
        "emulated": env.emulated if env else False,
        "stack": env.stack_name if env else "",
        "region": env.region if env else "",
        "commit": described.stdout.strip() or "unknown",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
    }

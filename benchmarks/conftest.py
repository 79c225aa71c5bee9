"""What every benchmark shares: figures held against budgets, printed as one table. Benchmarks run serially."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from verification.environment import Environment, connect
from verification.errors import UsageProblem


@dataclass
class Figures:
    """What was measured, beside what was wanted."""

    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def judge(self, what: str, measured: str, wanted: str, *, held: bool) -> bool:
        """Note one figure for the table, and give back whether it holds."""
        self.rows.append((what, measured, wanted, held))
        return held


_FIGURES = pytest.StashKey[Figures]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("benchmarks run one after the other; leave -n out")
    config.option.dist = (
        "no"  # pytest-benchmark would take the project's mode of distribution for many workers
    )
    config.stash[_FIGURES] = Figures()


@pytest.fixture(scope="session")
def env(pytestconfig: pytest.Config) -> Environment:
    """The environment that --env names, once it was seen that its stack can be looked at."""
    try:
        chosen = connect(pytestconfig.option.env, cloud=pytestconfig.option.cloud)
        chosen.preflight()
        chosen.require_stack()
    except UsageProblem as problem:
        pytest.exit(str(problem), returncode=pytest.ExitCode.USAGE_ERROR)
    return chosen


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    """The table that ends the run."""
    return pytestconfig.stash[_FIGURES]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[_FIGURES].rows
    if not rows:
        return
    terminalreporter.section("figures")
    for what, measured, wanted, held in rows:
        verdict = "ok" if held else "OVER"
        terminalreporter.line(f"{what:32} {measured:>12}   wanted {wanted:<14} {verdict}", red=not held)

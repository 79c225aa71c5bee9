"""The API under the load of many users at once, by Artillery: the light profile unless --load-profile asks for more.

Everything stays in reports/<env>/load-<time>/: what Artillery said, the figures as JSON, and a page about them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import Figures
from readiness.errors import Unverified, UsageProblem
from scripts.loadtest import trial
from scripts.loadtest.generator import Generator
from scripts.loadtest.profile import Profile
from verification.application import ROOT
from verification.deployment.console import err
from verification.stack import Stack


@pytest.mark.benchmark(group="load")
def test_load(
    stack: Stack, benchmark: BenchmarkFixture, figures: Figures, pytestconfig: pytest.Config
) -> None:
    """A request that fails, or takes long, only when others come at the same time."""
    chosen = pytestconfig.option
    profile = Profile.named(chosen.load_profile).scaled(chosen.load_scale).on(chosen.load_count)
    where: Path = chosen.load_dir or (
        ROOT / "reports" / stack.env.name / f"load-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    )
    if not (stack.env.emulated or chosen.paid):
        raise UsageProblem(
            f"{profile.jobs} jobs cost money; read ./scripts/run-loadtest.sh {stack.env.name} --dry-run, then use --paid"
        )
    generator = Generator(chosen.load_on, stack.env.region)

    def attempt() -> trial.Trial | BaseException:
        # pytest-benchmark cannot write its JSON once a measured function has raised.
        try:
            return trial.run(stack, profile, generator, where, say=err)
        except (Unverified, UsageProblem, KeyboardInterrupt) as problem:
            return problem

    ended: trial.Trial | BaseException = benchmark.pedantic(attempt, rounds=1, iterations=1)  # type: ignore[no-untyped-call]  # it declares no types
    if isinstance(ended, BaseException):
        raise ended
    benchmark.extra_info["load"] = ended.document()
    for one in ended.criteria:
        figures.judge(f"load: {one.what}", one.measured, one.wanted, held=one.held)
    err(f"load: {where / 'load.html'}")

    assert not ended.failed, "\n".join(
        f"{one.what}: {one.measured}, wanted {one.wanted}; {one.advice}" for one in ended.failed
    )

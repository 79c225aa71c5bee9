"""Starts and answers of the API function, beside those of a bare one in the same run.

Durations are Lambda's own, from the REPORT line of each invocation. The two functions take turns, so that whatever
else the machine does meets both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import Figures
from benchmarks.reference import bare_function
from verification import budgets
from verification.probes.api import gateway_event
from verification.resources.function import Function
from verification.resources.invocation import Invocation
from verification.samples import Samples
from verification.stack import Stack

pytestmark = pytest.mark.benchmark(group="lambda")
_HEALTH = gateway_event("GET", "/health")


@pytest.fixture(scope="module")
def bare(stack: Stack) -> Iterator[Function]:
    with bare_function(stack.env, like=stack.api) as function:
        yield function


def test_cold_start(stack: Stack, bare: Function, benchmark: BenchmarkFixture, figures: Figures) -> None:
    """Init plus first handler time, in fresh environments; no provider is asked."""
    starts: dict[Function, list[Invocation]] = {stack.api: [], bare: []}

    def start_both() -> None:
        for function, seen in starts.items():
            seen.extend(function.cold_starts(_HEALTH, 1))

    _repeat(benchmark, start_both, budgets.BENCHMARK_COLD_STARTS)
    whole = Samples.of("cold start", (start.start_to_answer for start in starts[stack.api]))
    init, bare_init = (
        Samples.of(f"init of {name}", (start.init for start in seen if start.init))
        for name, seen in zip(("the API function", "a bare function"), starts.values(), strict=True)
    )
    ratio = init.median / bare_init.median
    _keep(benchmark, {"cold start": whole, "init": init, "bare init": bare_init}, starts[stack.api])

    held = [
        figures.judge(
            "cold start p95",
            _ms(whole.percentile(95)),
            f"< {_ms(budgets.COLD_START_P95)}",
            held=whole.percentile(95) < budgets.COLD_START_P95,
        ),
        figures.judge(
            "init / bare init (medians)",
            f"{ratio:.2f}",
            f"<= {budgets.INIT_RATIO}",
            held=ratio <= budgets.INIT_RATIO,
        ),
    ]
    assert all(held), f"{whole}, {init}, {bare_init}"


def test_warm(stack: Stack, bare: Function, benchmark: BenchmarkFixture, figures: Figures) -> None:
    """`/health` in a warm environment, beside a handler that does nothing."""
    reports: dict[Function, list[Invocation]] = {stack.api: [], bare: []}
    for function in reports:
        function.warm_invocations(_HEALTH, 1)

    def call_both() -> None:
        for function, seen in reports.items():
            seen.extend(function.warm_invocations(_HEALTH, 1))

    _repeat(benchmark, call_both, budgets.BENCHMARK_WARM_CALLS)
    warm, bare_warm = (
        Samples.of(name, (report.duration for report in seen))
        for name, seen in zip(("warm /health", "bare"), reports.values(), strict=True)
    )
    ratio = warm.percentile(95) / bare_warm.percentile(95)
    _keep(benchmark, {"warm": warm, "bare warm": bare_warm}, reports[stack.api])

    held = [
        figures.judge(
            "warm p95",
            _ms(warm.percentile(95)),
            f"< {_ms(budgets.WARM_P95)}",
            held=warm.percentile(95) < budgets.WARM_P95,
        ),
        figures.judge(
            "warm p95 / bare p95",
            f"{ratio:.2f}",
            f"<= {budgets.WARM_RATIO}",
            held=ratio <= budgets.WARM_RATIO,
        ),
    ]
    assert all(held), f"{warm}, {bare_warm}"


def _repeat(benchmark: BenchmarkFixture, step: Callable[[], None], rounds: int) -> None:
    benchmark.pedantic(step, rounds=rounds, iterations=1)  # type: ignore[no-untyped-call]  # it declares no types


def _keep(benchmark: BenchmarkFixture, samples: dict[str, Samples], reports: Sequence[Invocation]) -> None:
    """Every sample and the memory go into --benchmark-json; the times beside them are of the whole exchange."""
    milliseconds = {
        name: [round(one.total_seconds() * 1000, 3) for one in seen.durations]
        for name, seen in samples.items()
    }
    benchmark.extra_info.update(
        milliseconds=milliseconds,
        figures={name: repr(seen) for name, seen in samples.items()},
        billed_ms=[report.billed.total_seconds() * 1000 for report in reports],
        memory_mb=reports[0].memory_mb,
        peak_memory_mb=max(report.peak_memory_mb for report in reports),
    )


def _ms(duration: timedelta) -> str:
    return f"{duration / timedelta(milliseconds=1):.1f} ms"

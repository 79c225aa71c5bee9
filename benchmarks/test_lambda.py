"""Starts and answers of the API function, beside those of a bare one in the same run.

Durations are Lambda's own, from the REPORT line of each invocation. The functions take turns, so that whatever else
the machine does meets all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.figures import Figures, milliseconds
from benchmarks.imports import Start, unpacked
from benchmarks.reference import bare_function, forget_functions, variant
from readiness.aws.function import Function
from readiness.aws.invocation import Invocation
from readiness.errors import Unverified
from readiness.interruptions import held_back
from readiness.samples import Samples
from verification import budgets
from verification.probes.api import gateway_event
from verification.stack import Stack

pytestmark = pytest.mark.benchmark(group="lambda")
_HEALTH = gateway_event("GET", "/health")
_GALLERY = gateway_event("GET", "/gallery/list")  # the least that needs a client

# What each optimisation that lies in the code was before it, by the change that takes it back.
_UNDONE = {
    "with boto3 on top": (
        "pixel_prompt/aws.py",
        "from botocore.session import Session\n",
        "from boto3 import Session\n\nSession.create_client = Session.client\n",
    ),
    "clients at first use": ("pixel_prompt/api.py", "    _application().prepare()\n", "    pass\n"),
}


@pytest.fixture(scope="module")
def api(stack: Stack) -> Iterator[Function]:
    """The live function. Before and after it is made sure that nothing of a benchmark is there."""

    def clear() -> None:
        with held_back():
            stack.api.forget_fresh_versions()
            forget_functions(stack.env)

    clear()
    try:
        yield stack.api
    finally:
        clear()


@pytest.fixture(scope="module")
def bare(stack: Stack, api: Function) -> Iterator[Function]:
    with bare_function(stack.env, like=api) as function:
        yield function


def test_cold_start(api: Function, bare: Function, benchmark: BenchmarkFixture, figures: Figures) -> None:
    """Init plus first handler time, in fresh environments; no provider is asked."""
    starts: dict[Function, list[Invocation]] = {api: [], bare: []}

    def start_both() -> None:
        for function, seen in starts.items():
            seen.extend(function.cold_starts(_HEALTH, 1))

    _repeat(benchmark, start_both, budgets.BENCHMARK_COLD_STARTS)
    whole, bare_whole = (
        Samples.of(name, (start.start_to_answer for start in seen))
        for name, seen in zip(("cold start", "a bare function's"), starts.values(), strict=True)
    )
    init, bare_init = (
        _inits(name, seen) for name, seen in zip(("init", "bare init"), starts.values(), strict=True)
    )
    kept = {"cold start": whole, "bare cold start": bare_whole, "init": init, "bare init": bare_init}
    _keep(benchmark, kept, starts[api])

    count = len(whole.durations)
    held = [
        figures.tail("cold start p95", whole, budgets.COLD_START_P95),
        figures.hold(
            "init / bare init (medians)",
            init.median / bare_init.median,
            "<=",
            budgets.INIT_RATIO,
            "",
            samples=count,
        ),
    ]
    _tell(figures, "cold start", whole)
    figures.record("init median", milliseconds(init.median), "ms", count)
    figures.record("memory used at most", max(start.peak_memory_mb for start in starts[api]), "MB", count)
    figures.record("package", api.configuration["CodeSize"] / 1024, "KB")
    assert all(held), f"{whole}, {init}, {bare_init}"


def test_warm(api: Function, bare: Function, benchmark: BenchmarkFixture, figures: Figures) -> None:
    """`/health` in a warm environment, beside a handler that does nothing."""
    reports: dict[Function, list[Invocation]] = {api: [], bare: []}
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
    _keep(benchmark, {"warm": warm, "bare warm": bare_warm}, reports[api])

    count = len(warm.durations)
    held = [
        figures.tail("warm p95", warm, budgets.WARM_P95),
        figures.hold(
            "warm p95 / bare p95", ratio, "<=", budgets.WARM_RATIO, "", samples=count, compared=False
        ),
    ]
    _tell(figures, "warm", warm)
    assert all(held), f"{warm}, {bare_warm}"


def test_what_a_start_is_made_of(
    api: Function, benchmark: BenchmarkFixture, figures: Figures, tmp_path: Path
) -> None:
    """An import that somebody adds is seen here by name, before it is felt."""
    package, starts = unpacked(api, tmp_path), list[Start]()
    _repeat(benchmark, lambda: starts.append(package.start()), budgets.IMPORT_RUNS)
    owners = sorted({owner for start in starts for owner in start.imports})
    parts = {owner: median(start.imports.get(owner, 0.0) for start in starts) for owner in owners}
    parts["making clients"] = median(start.preparing for start in starts)
    benchmark.extra_info["imports_ms"] = parts

    for owner, spent in sorted(parts.items(), key=lambda part: -part[1])[:5]:
        figures.record(f"start spent in {owner}", spent, "ms", len(starts))
    assert parts.get("pixel_prompt", 0) > 0, f"the package's own code was not imported: {parts}"


def test_what_changes_would_bring(api: Function, benchmark: BenchmarkFixture, figures: Figures) -> None:
    """Cold starts of copies with more memory, or without an optimisation, by turns with the function itself."""
    starts: dict[str, list[Invocation]] = {}
    with ExitStack() as copies:
        functions = {"as deployed": api}
        for memory_mb in budgets.VARIANT_MEMORY_MB:
            changed = variant(api.env, api, MemorySize=memory_mb)
            functions[f"with {memory_mb} MB"] = copies.enter_context(changed)
        for what, (path, optimised, plain) in _UNDONE.items():
            files = {path: _replaced(api.package, path, optimised, plain)}
            functions[what] = copies.enter_context(variant(api.env, api, files))

        def start_each() -> None:
            for what, function in functions.items():
                starts.setdefault(what, []).extend(function.cold_starts(_GALLERY, 1))

        _repeat(benchmark, start_each, budgets.VARIANT_COLD_STARTS)
    samples = {
        what: Samples.of(what, (start.start_to_answer for start in seen)) for what, seen in starts.items()
    }
    benchmark.extra_info["variants"] = {
        what: {
            "cold start median ms": milliseconds(one.median),
            "init median ms": milliseconds(_inits(what, starts[what]).median),
            "billed median ms": median(milliseconds(start.billed) for start in starts[what]),
            "memory MB": starts[what][0].memory_mb,
            "samples": len(one.durations),
        }
        for what, one in samples.items()
    }
    for what, one in samples.items():
        figures.record(f"cold /gallery/list, {what}", milliseconds(one.median), "ms", len(one.durations))


def _replaced(package: Mapping[str, bytes], path: str, old: str, new: str) -> bytes:
    text = package.get(path, b"").decode()
    if old not in text:
        raise Unverified(f"{path} of the deployed package does not hold {old!r}; see _UNDONE in {__name__}")
    return text.replace(old, new).encode()


def _repeat(benchmark: BenchmarkFixture, step: Callable[[], None], rounds: int) -> None:
    benchmark.pedantic(step, rounds=rounds, iterations=1)  # type: ignore[no-untyped-call]  # it declares no types


def _inits(what: str, starts: Sequence[Invocation]) -> Samples:
    return Samples.of(what, (start.init for start in starts if start.init))


def _tell(figures: Figures, what: str, samples: Samples) -> None:
    count = len(samples.durations)
    for name, value in {
        "mean": samples.mean,
        "min": samples.least,
        "max": samples.most,
        "p50": samples.percentile(50),
    }.items():
        figures.record(f"{what} {name}", milliseconds(value), "ms", count, compared=name == "p50")


def _keep(benchmark: BenchmarkFixture, samples: dict[str, Samples], reports: Sequence[Invocation]) -> None:
    """Every sample and the memory go into --benchmark-json; the times beside them are of the whole exchange."""
    milliseconds = {
        name: [round(one.total_seconds() * 1000, 3) for one in seen.durations]
        for name, seen in samples.items()
    }
    benchmark.extra_info.update(
        milliseconds=milliseconds,
        billed_ms=[report.billed.total_seconds() * 1000 for report in reports],
        memory_mb=reports[0].memory_mb,
        peak_memory_mb=max(report.peak_memory_mb for report in reports),
    )

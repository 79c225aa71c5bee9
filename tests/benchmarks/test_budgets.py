"""Each budget of benchmarks/ is seen to be missed when its subject is made slow or heavy, and says so."""

from __future__ import annotations

import json

import pytest

from tests.faults.delivery import cache_policy

pytestmark = [pytest.mark.embedded, pytest.mark.further, pytest.mark.xdist_group("benchmarks")]
API = "pixel_prompt/api.py"
LATE_IMPORT = ("ApiFunction", API, "import json\n", "import json\nimport time as late\n\nlate.sleep(4)\n")
LATE_HEALTH = (
    "ApiFunction",
    API,
    "        models = [\n",
    "        time.sleep(0.6)\n        models = [\n",
)
LATE_STATUS = (
    "ApiFunction",
    API,
    "        job = self._jobs.get(read_id(job_id))\n",
    "        time.sleep(0.6)\n        job = self._jobs.get(read_id(job_id))\n",
)


def missed(run, what):
    """The run failed for this budget, says so, and wrote it down."""
    figure = run.figure(what)
    assert run.status == 1, run.output
    assert figure["held"] is False, figure
    assert f"{figure['measured']}" in run.output
    assert "OVER" in run.output
    assert run.json["measured"]["exit_status"] == 1
    return figure


def test_budgets_are_held_without_a_fault(measure):
    run = measure(
        "benchmarks/test_lambda.py", "benchmarks/test_cdn.py", "-k", "cold_start or warm or test_images"
    )

    assert run.status == 0, run.output
    assert "held in rehearsal" in run.output
    assert run.json["measured"]["emulated"] is True
    assert len(run.json["benchmarks"]) == 3


def test_an_import_of_four_seconds_is_a_late_cold_start(bench, measure):
    with bench.patched(*LATE_IMPORT):
        run = measure("benchmarks/test_lambda.py", "-k", "test_cold_start")

    assert missed(run, "cold start p95")["value"] > 4000
    assert missed(run, "init / bare init (medians)")["value"] > 2


def test_600_ms_of_sleep_are_a_late_warm_answer(bench, measure):
    with bench.patched(*LATE_HEALTH):
        run = measure("benchmarks/test_lambda.py", "-k", "test_warm")

    assert missed(run, "warm p95")["value"] > 600
    assert missed(run, "warm p95 / bare p95")["held"] is False


def test_a_slow_route_is_late_for_one_user(bench, measure):
    with bench.patched(*LATE_STATUS):
        run = measure("benchmarks/test_api.py", "-k", "status or health")

    assert missed(run, "GET /status/{jobId}, 1 at once, p95")["value"] > 600
    assert run.figure("GET /health, 1 at once, p95")["held"] is True


def test_a_cache_that_never_hits_is_detected_by_its_rate(bench, measure):
    for _ in cache_policy(bench, lambda policy: policy.update(MinTTL=0, DefaultTTL=0, MaxTTL=0)):
        run = measure("benchmarks/test_cdn.py", "-k", "test_images")

    assert missed(run, "hit rate after the first request")["value"] == 0


def test_hits_that_take_their_time_are_late(bench, measure):
    with bench.switched_on("slow-hits"):
        run = measure("benchmarks/test_cdn.py", "-k", "test_images or conditional")

    assert missed(run, "hit p95")["value"] > 1000


def test_two_megabytes_are_refused_by_the_build(bench, measure):
    with two_megabytes(bench):
        run = measure("benchmarks/test_bundle.py")

    assert run.status == 1
    assert "The first view weighs" in run.output
    assert "UNVERIFIED" in run.output


def test_two_megabytes_are_too_heavy_also_where_the_build_lets_them_pass(bench, measure):
    lenient = ("frontend/build/bundleReport.ts", "45 * 1024", "45 * 1024 * 1024")
    with two_megabytes(bench), bench.checkout.changed(*lenient):
        built = measure("benchmarks/test_bundle.py")
        loaded = measure("benchmarks/test_frontend.py", "-k", "can_be_audited or first_view")

    assert missed(built, "first view, compressed")["value"] > 1024
    assert missed(built, "all files, compressed")["value"] > 1024
    assert missed(loaded, "first view, as transferred")["value"] > 1024


def two_megabytes(bench):
    """The page's first script holds noise that no compression makes smaller."""
    noise = json.dumps(
        "".join(chr(0x4E00 + (number * 7919 + number**3) % 20000) for number in range(700_000))
    )
    path = "frontend/src/main.tsx"
    text = (bench.checkout.app / path).read_text(encoding="utf-8")
    return bench.checkout.written(path, f"{text}\nwindow.name = {noise};\n")


def test_what_became_slower_than_the_baseline_is_a_regression(bench, measure, tmp_path):
    """Ten milliseconds are far within the budget of 500, and many times what it took before."""
    baseline = tmp_path / "baseline.json"
    before = measure("benchmarks/test_lambda.py", "-k", "test_warm", file=baseline)
    same = measure("benchmarks/test_lambda.py", "-k", "test_warm", f"--compare-with={baseline}")
    with bench.patched(*(part.replace("0.6", "0.01") for part in LATE_HEALTH)):
        slower = measure("benchmarks/test_lambda.py", "-k", "test_warm", f"--compare-with={baseline}")

    assert before.json, before.output
    assert same.json["comparisons"], same.output
    assert "REGRESSED" not in same.output
    assert slower.status == 1
    assert slower.figure("warm p95")["held"] is True
    told = next(one for one in slower.json["comparisons"] if one["what"] == "lambda: warm p50")
    assert told["held"] is False
    assert told["ratio"] > 3
    assert "REGRESSED" in slower.output

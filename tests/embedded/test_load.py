"""A load test of the deployed application, and the same one of an API that is slow, fails, limits or is throttled.

Deploys the application on an embedded AWS of its own and runs the full profile in three tenths of its time, three times,
and the light one, three times. Takes 20 minutes, wants a quiet machine and Artillery (scripts/setup.sh --load):
scripts/test.sh runs it with --all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.loadtest import trial
from scripts.loadtest.generator import Generator
from scripts.loadtest.profile import Profile
from tests.faults.bench import Bench, Checkout, deployed
from verification.embedded.cloud import Cloud

pytestmark = pytest.mark.further

FULL, LIGHT = Profile.named("full").scaled(0.3), Profile.named("light")
API = "pixel_prompt/api.py"
STATUS = "        job = self._jobs.get(read_id(job_id))\n"
CREATED = "        job = self._jobs.create(wish, models, request.correlation_id)\n"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The application, deployed as a user deploys it; gone with this process."""
    checkout = Checkout.of_this_tree(tmp_path_factory.mktemp("checkout") / "app")
    cloud = Cloud(f"load-{os.getpid()}")
    with deployed(checkout, cloud):
        yield Bench(cloud.name, checkout, tmp_path_factory.mktemp("reports"))


def loaded(bench: Bench, where: Path, profile: Profile) -> trial.Trial:
    return trial.run(bench.stack, profile, Generator(), where, say=print)


def failed(ended: trial.Trial) -> set[str]:
    return {one.what for one in ended.failed}


@contextmanager
def limited(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", ALLOWED_ADDRESSES="203.0.113.7"):
        yield


def test_the_application_bears_a_hundred_users(bench: Bench, tmp_path: Path) -> None:
    ended = loaded(bench, tmp_path, FULL)

    assert failed(ended) == set()
    assert ended.load.users_most == 100


def test_a_slow_status_is_seen_as_slow(bench: Bench, tmp_path: Path) -> None:
    with bench.patched("ApiFunction", API, STATUS, f"        time.sleep(1.5)\n{STATUS}"):
        ended = loaded(bench, tmp_path, FULL)

    assert "p95" in failed(ended)
    assert ended.load.errors == 0
    assert ended.load.by_route["status"].p50_ms > 1500


def test_an_api_that_fails_now_and_then_is_seen_to_fail(bench: Bench, tmp_path: Path) -> None:
    failing = f"        if time.time_ns() % 20 == 0:\n            raise ValueError('no')\n{CREATED}"
    with bench.patched("ApiFunction", API, CREATED, failing):
        ended = loaded(bench, tmp_path, FULL)

    assert "error rate" in failed(ended)
    assert set(ended.load.codes) == {"200", "202", "500"}
    assert ended.load.application == {"500": ended.load.codes["500"]}
    assert failed(ended) <= {"error rate", "p95", "p99"}


def test_the_applications_own_limits_are_seen_apart(bench: Bench, tmp_path: Path) -> None:
    with limited(bench):
        ended = loaded(bench, tmp_path, LIGHT)

    assert {"error rate", "429 of the application"} <= failed(ended)
    assert ended.load.gateway == {}


def test_a_gateway_that_refuses_is_seen_apart(bench: Bench, tmp_path: Path) -> None:
    client = bench.client("apigatewayv2")
    stage = {"ApiId": bench.physical("HttpApi"), "StageName": "$default"}
    before = client.get_stage(**stage)["DefaultRouteSettings"]
    tight = {**before, "ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 1}
    client.update_stage(**stage, DefaultRouteSettings=tight)
    try:
        ended = loaded(bench, tmp_path, LIGHT)
    finally:
        client.update_stage(**stage, DefaultRouteSettings=before)

    assert {"error rate", "429 of the gateway"} <= failed(ended)
    assert ended.load.application == {}


def test_a_throttled_function_is_seen_as_throttled(bench: Bench, tmp_path: Path) -> None:
    client, name = bench.client("lambda"), bench.physical("ApiFunction")
    before = client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"]
    slow = f"        time.sleep(1)\n{STATUS}"
    with bench.patched("ApiFunction", API, STATUS, slow):
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
        try:
            ended = loaded(bench, tmp_path, LIGHT)
        finally:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=before)

    assert {"error rate", "throttled invocations", "503 of the gateway"} <= failed(ended)

"""Many drills in a row on one live worker, which has to be as strong after them as it was before.

Deploys the application on an embedded AWS of its own; a minute and a half.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from readiness.probes.http import exchange
from tests.faults.bench import Bench, Checkout, deployed
from verification import budgets
from verification.embedded.cloud import Cloud
from verification.probes.api import Api

pytestmark = pytest.mark.further

# A retry costs 5 of a client's 500, the last of a call that succeeds is given back: 45 a drill, so that the twelfth
# finds too little. Source: botocore.retries.standard, RetryQuotaChecker.
DRILLS = 14


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    checkout = Checkout.of_this_tree(tmp_path_factory.mktemp("checkout") / "app")
    cloud = Cloud(f"drills-{os.getpid()}")
    with deployed(checkout, cloud):
        yield Bench(cloud.name, checkout, tmp_path_factory.mktemp("reports"))


def test_drills_in_a_row_end_alike_and_leave_the_worker_its_retries(bench: Bench) -> None:
    api = Api(bench.env, bench.stack.formation.output("ApiEndpoint"))
    drill = {"action": "drill", "slowDowns": budgets.S3_REFUSALS}

    ends = [
        api.look(bench.stack.worker.invoke(drill, budgets.DRILL_DEADLINE)["jobId"]).status
        for _ in range(DRILLS)
    ]

    assert ends == ["completed"] * DRILLS
    refusals = b'{"s3:PutObject": ["slow_down", "slow_down"]}'
    faults = f"{bench.env.endpoint_url}/_embedded/faults"
    exchange(bench.env, "POST", faults, body=refusals)
    try:
        job = api.generate("a harbour after a storm")
        met = exchange(bench.env, "GET", faults).json()["met"]
    finally:
        exchange(bench.env, "DELETE", faults)
    assert met == {"slow_down": 2 * len(job.results)}
    assert job.status == "completed", job.results

"""The deployed API keeps backend/openapi.yaml, whatever it is sent.

The long run, with its number of cases: pytest tests/embedded/test_contract_fuzz.py -m further -s
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.embedded.fuzz import Fuzzed, fuzz
from tests.faults.bench import Bench, Checkout
from verification.application import ROOT
from verification.embedded.cloud import Cloud
from verification.probes.api import Api

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("contract-fuzz")]

ALL_ROUTES = {200, 202, 400, 404, 405, 415, 422}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The application on an embedded AWS of its own, whose allow-list lets this machine's address do anything."""
    cloud = Cloud(f"fuzz-{os.getpid()}")
    cloud.up(owned_by=os.getpid())
    try:
        checkout = Checkout.of_this_tree(tmp_path_factory.mktemp("checkout") / "app")
        command = ["scripts/deploy.sh", "local", "--yes", "--cloud", cloud.name, "--app", str(checkout.app)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        bench = Bench(cloud.name, checkout, tmp_path_factory.mktemp("reports"))
        _open(bench)
        yield bench
    finally:
        cloud.down()


def _open(bench: Bench) -> None:
    """One gallery to look at; no throttling, and no worker that makes nine images of each accepted case."""
    api = Api(bench.env, bench.stack.formation.output("ApiEndpoint"))
    assert api.generate("a harbour", verification=False).image_urls
    bench.client("apigatewayv2").update_stage(
        ApiId=bench.stack.http_api.id,
        StageName="$default",
        DefaultRouteSettings={"ThrottlingRateLimit": 100_000.0, "ThrottlingBurstLimit": 100_000},
    )
    for source in bench.stack.worker.event_sources:
        bench.client("lambda").update_event_source_mapping(UUID=source["UUID"], Enabled=False)


def _fuzz(bench: Bench, examples: int, *phases: str) -> Fuzzed:
    return fuzz(bench.stack.formation.output("ApiEndpoint"), bench.env.ca_bundle, examples, phases)


def _told(seen: Fuzzed) -> str:
    return "\n\n".join(f"{what}\n{problem}" for what, problem in seen.problems.items())


def test_the_contract_is_kept(bench: Bench) -> None:
    seen = _fuzz(bench, 8)

    assert seen.problems == {}, _told(seen)
    assert seen.total > 250, seen
    assert seen.answers.keys() >= ALL_ROUTES, seen


@pytest.mark.further
def test_the_contract_is_kept_over_thousands_of_cases(bench: Bench) -> None:
    seen = _fuzz(bench, 450)

    print(f"\n{seen}")
    assert seen.problems == {}, _told(seen)
    assert seen.total >= 5000, seen
    assert seen.answers.keys() >= ALL_ROUTES, seen


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            '{"jobId": job.id, "totalModels": len(models)}',
            '{"jobId": job.id}',
            "POST /generate: response_schema_conformance",
        ),
        (
            'write(\n            "browser_report"',
            "write(\n            1 / 0",
            "POST /log: not_a_server_error",
        ),
        ('{"status": "logged"}', '{"status": "logged", "id": 1}', "POST /log: response_schema_conformance"),
    ],
    ids=["a dropped field", "a crash", "an extra field"],
)
def test_a_broken_handler_is_caught(bench: Bench, old: str, new: str, problem: str) -> None:
    with bench.patched("ApiFunction", "pixel_prompt/api.py", old, new):
        seen = _fuzz(bench, 1, "examples")

    assert problem in seen.problems, seen


def test_a_missing_header_is_caught(bench: Bench) -> None:
    with bench.patched(
        "ApiFunction", "pixel_prompt/web.py", '                "X-Correlation-ID": correlation_id,\n', ""
    ):
        seen = _fuzz(bench, 1, "examples")

    assert {problem.partition(": ")[2] for problem in seen.problems} == {"response_headers_conformance"}, seen

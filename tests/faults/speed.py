"""Faults of speed: slow starts, slow answers, a cache that does not help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from readiness.verdict import Outcome
from tests.faults.bench import Bench
from tests.faults.fault import fault


@fault("INF-06", "the gateway refuses for good once it has begun to")
def refusing_gateway(bench: Bench) -> Iterator[None]:
    with bench.switched_on("refusing-gateway"):
        yield


@fault("INF-06", "the throttle is set and not enforced", outcome=Outcome.UNVERIFIED)
def open_gateway(bench: Bench) -> Iterator[None]:
    with bench.switched_on("open-gateway"):
        yield


@fault("INF-06", "what is too much gets a 503")
def overloaded(bench: Bench) -> Iterator[None]:
    with (
        bench.switched_on("open-gateway"),
        bench.patched(
            "ApiFunction",
            "pixel_prompt/api.py",
            "    def health(self, _request: Request, _log: Log) -> Response:\n",
            # Once the burst is over, the items that ask for the health get it.
            "    _answered: list[float] = []\n\n"
            "    def health(self, _request: Request, _log: Log) -> Response:\n"
            "        now = time.monotonic()\n"
            "        self._answered[:] = [*(one for one in self._answered if now - one < 2), now]\n"
            "        if len(self._answered) > 10:\n"
            "            raise AwsConnectionError(error='too many')\n",
        ),
    ):
        yield


@fault("INF-10", "an import takes four seconds")
def slow_import(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/api.py",
        "import json\n",
        "import json\nimport time as late\n\nlate.sleep(4)\n",
    ):
        yield


@fault("INF-10", "the version is published already", outcome=Outcome.UNVERIFIED)
def published_before(bench: Bench) -> Iterator[None]:
    client, name = bench.client("lambda"), bench.physical("ApiFunction")
    version = client.publish_version(FunctionName=name)["Version"]
    try:
        yield
    finally:
        client.delete_function(FunctionName=name, Qualifier=version)


@fault("INF-11", "every status takes 600 ms")
def slow_status(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/api.py",
        "        job = self._jobs.get(read_id(job_id))\n",
        "        time.sleep(0.6)\n        job = self._jobs.get(read_id(job_id))\n",
    ):
        yield


@fault("CDN-05", "the edge takes its time over what it has")
def slow_hits(bench: Bench) -> Iterator[None]:
    with bench.switched_on("slow-hits"):
        yield


@fault("CDN-11", "the edges ignore invalidations")
def deaf_edges(bench: Bench) -> Iterator[None]:
    with bench.switched_on("deaf-edges"):
        yield


@fault("CDN-09", "the page's distribution compresses nothing", relatives={"CDN-16"})
def bulky_page(bench: Bench) -> Iterator[None]:
    def spread(configuration: dict[str, Any]) -> None:
        configuration["DefaultCacheBehavior"]["Compress"] = False

    with bench.distribution_changed(spread, "SiteDistribution"):
        yield

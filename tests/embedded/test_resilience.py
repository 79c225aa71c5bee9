"""The application under faults that no check can provoke on a live stack: many at once, and deaths in the middle.

Deploys the application on an embedded AWS of its own. Takes minutes: scripts/test.sh runs it with --all, and by hand
it is `pytest tests/embedded/test_resilience.py -s`, which also prints what it counted.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from readiness.aws.queue import Queue
from readiness.errors import Unverified
from readiness.probes.cdn import Cdn
from readiness.probes.http import exchange
from tests import registry
from tests.faults.bench import Bench, Checkout
from verification.application import ROOT
from verification.embedded.cloud import Cloud
from verification.probes.api import Api, Job

pytestmark = pytest.mark.further

MODELS = {model.vendor: {other.id for other in registry.of(model.vendor)} for model in registry.MODELS}
CODES = {
    "unauthorized",
    "rate_limited",
    "moderated",
    "rejected",
    "timeout",
    "unavailable",
    "invalid_response",
}
# How many requests each fault mode hits before the next one; silence is waited out, so it is rarer.
MODES = {
    **dict.fromkeys(("unauthorized", "rate_limited", "server_error", "reset", "garbage"), 5),
    **dict.fromkeys(("wrong_type", "slow", "moderated"), 5),
    "timeout": 2,
}
ENDED = {"completed", "partial", "failed"}
# As many workers as two processors carry; each is a process with nine threads.
WORKERS = 3


@dataclass(frozen=True)
class Site:
    """The deployed application, and the controls of what it stands on."""

    bench: Bench
    cloud: Cloud

    @property
    def api(self) -> Api:
        return Api(self.bench.env, self.bench.stack.formation.output("ApiEndpoint"))

    @property
    def cdn(self) -> Cdn:
        return Cdn(self.bench.env, self.bench.stack.formation.output("CloudFrontDomain"))

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask one of the embedded AWS's own controls."""
        url = f"{self.bench.env.endpoint_url}/_embedded/{path}"
        answer = exchange(self.bench.env, method, url, body=json.dumps(body).encode())
        assert answer.status == HTTPStatus.OK, answer
        return answer.json()

    def submit(self, number: int) -> list[str]:
        """Ask for so many jobs, a little slower than the API's throttle; their ids."""
        ids = []
        for index in range(number):
            wish = {"prompt": f"harbour number {index}", "steps": 25, "guidance": 7}
            answer = self.api.call("POST", "/generate", json_body=wish)
            assert answer.status == HTTPStatus.ACCEPTED, answer
            ids.append(answer.json()["jobId"])
            time.sleep(0.03)
        return ids

    def look(self, job_id: str) -> Job | None:
        """A job as it is now; None when the API does not tell, as it may under load."""
        try:
            return self.api.look(job_id)
        except Unverified:
            return None

    def wait(self, ids: list[str], seconds: float) -> dict[str, Job]:
        """The jobs once all of them have ended."""
        ended: dict[str, Job] = {}
        until = time.monotonic() + seconds
        while len(ended) < len(ids):
            for job_id in ids:
                if job_id in ended:
                    continue
                if (job := self.look(job_id)) and job.status in ENDED:
                    ended[job_id] = job
                time.sleep(0.05)
            assert time.monotonic() < until, f"{len(ids) - len(ended)} of {len(ids)} jobs have not ended"
        return ended

    def stored(self) -> list[str]:
        return sorted(stored.key for stored in self.bench.stack.bucket.objects("images/"))

    def dead_letters(self) -> list[str]:
        """The bodies of all dead letters, which are gone afterwards."""
        queue, bodies = self.bench.stack.dead_letter_queue, []
        while (
            messages := self.bench.client("sqs")
            .receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10)
            .get("Messages")
        ):
            for message in messages:
                self.bench.client("sqs").delete_message(
                    QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"]
                )
                bodies.append(message["Body"])
        return sorted(bodies)

    def settle(self, seconds: float) -> int:
        """Wait until no message waits in the jobs' queue; how many still do."""
        until = time.monotonic() + seconds
        while (waiting := self.waiting()) and time.monotonic() < until:
            time.sleep(1)
        return waiting

    def waiting(self) -> int:
        """Messages in the jobs' queue, seen or hidden."""
        attributes = Queue(self.bench.env, self.bench.stack.queue.url).attributes
        return sum(
            int(attributes[f"ApproximateNumberOfMessages{which}"]) for which in ("", "NotVisible", "Delayed")
        )


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The application, deployed as a user deploys it; gone with this process."""
    checkout = Checkout.of_this_tree(tmp_path_factory.mktemp("checkout") / "app")
    cloud = Cloud(f"resilience-{os.getpid()}")
    cloud.up(owned_by=os.getpid())
    try:
        command = ["scripts/deploy.sh", "local", "--yes", "--cloud", cloud.name, "--app", str(checkout.app)]
        command += ["--parameter", f"WorkerConcurrency={WORKERS}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        yield Site(Bench(cloud.name, checkout, tmp_path_factory.mktemp("reports")), cloud)
    finally:
        cloud.down()


@pytest.fixture
def site(deployed: Site) -> Iterator[Site]:
    """The application with no image, no dead letter and no fault."""
    for key in deployed.stored():
        deployed.bench.client("s3").delete_object(Bucket=deployed.bench.stack.bucket.name, Key=key)
    deployed.dead_letters()
    deployed.control("DELETE", "providers")
    yield deployed
    deployed.control("DELETE", "providers")
    deployed.control("DELETE", "faults")


def keys(jobs: dict[str, Job]) -> list[str]:
    """Where the jobs' images are stored, as their addresses tell."""
    return sorted(urlsplit(url).path.lstrip("/") for job in jobs.values() for url in job.image_urls)


def served(site: Site, jobs: dict[str, Job]) -> int:
    """How many of the jobs' images the CDN serves as images."""
    cdn = site.cdn
    urls = [url for job in jobs.values() for url in job.image_urls]
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(lambda url: cdn.get(cdn.path(url)), urls))
    return sum(
        answer.status == HTTPStatus.OK and answer.headers["content-type"].startswith("image/")
        for answer in answers
    )


def test_a_job_survives_an_s3_that_refuses_resets_and_keeps_silent(site: Site) -> None:
    faults = ["slow_down", "reset", "timeout"]
    site.control("POST", "faults", {"s3:PutObject": faults})

    began = time.monotonic()
    job = site.api.generate("a harbour in a storm")
    met = site.control("GET", "faults")["met"]
    print(f"\none job in {time.monotonic() - began:.0f} s, attempts that met a fault: {met}")

    assert job.status == "completed", job.results
    assert met == dict.fromkeys(faults, len(job.results))
    assert keys({job.id: job}) == site.stored()
    assert served(site, {job.id: job}) == len(job.results)


@contextmanager
def weather(site: Site) -> Iterator[None]:
    """Every vendor meets every fault mode, a few requests each, while the context lasts."""
    over = threading.Event()

    def change() -> None:
        turns = {
            vendor: itertools.islice(itertools.cycle([*MODES.items(), None]), start, None)
            for start, vendor in enumerate(MODELS)
        }
        for _ in range(2 * (len(MODES) + 1)):
            for vendor, turn in turns.items():
                name, count = next(turn) or (None, None)
                site.control("POST", f"providers/{vendor}", {"fault": name, "count": count})
            if over.wait(3):
                return
        for vendor in MODELS:
            site.control("POST", f"providers/{vendor}", {"fault": None})

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_two_hundred_jobs_in_all_weathers_lose_nothing(site: Site) -> None:
    """Silence is waited out for a minute at most; some vendors have up to three, in which nothing else would happen."""
    began = time.monotonic()
    poison = [json.dumps({"jobId": str(uuid.uuid4())}), "no JSON", "{}"]
    shorter = ("min(call.timeout, deadline.remaining)", "min(call.timeout, 60.0, deadline.remaining)")
    with (
        site.bench.patched("WorkerFunction", "pixel_prompt/adapters/transport.py", *shorter),
        weather(site),
    ):
        ids = site.submit(200)
        for body in poison:
            site.bench.client("sqs").send_message(QueueUrl=site.bench.stack.queue.url, MessageBody=body)
        jobs = site.wait(ids, 330)
    seconds = time.monotonic() - began

    results = [result for job in jobs.values() for result in job.results]
    completed = Counter(result["model"] for result in results if result["status"] == "completed")
    failures = [result.get("error") or {} for result in results if result["status"] == "failed"]
    ledger = site.control("GET", "providers")
    delivered = {
        vendor: account["paid"] - account["outcomes"].get("wrong_type", 0)
        for vendor, account in ledger.items()
    }
    print(f"\n{len(jobs)} jobs in {seconds:.0f} s: {dict(Counter(job.status for job in jobs.values()))}")
    print(
        f"{completed.total()} images, {len(failures)} failures: {dict(Counter(e.get('code') for e in failures))}"
    )
    print(f"vendors met: { {vendor: account['outcomes'] for vendor, account in ledger.items()} }")

    assert completed.total() + len(failures) == len(results) == 9 * 200
    assert {
        vendor: sum(completed[model] for model in models) for vendor, models in MODELS.items()
    } == delivered
    assert keys(jobs) == site.stored()
    assert served(site, jobs) == completed.total()
    assert {error.get("code") for error in failures} <= CODES
    assert all(error.get("message") for error in failures)
    met = {outcome for account in ledger.values() for outcome in account["outcomes"]}
    assert MODES.keys() <= met, "the weather was no weather"
    assert site.settle(60) == 0
    assert site.dead_letters() == sorted(poison)


def busy_workers(site: Site) -> list[int]:
    """The processes of the worker's environments that are not frozen, so in the middle of a job."""
    state = site.cloud.require()
    function = f"AWS_LAMBDA_FUNCTION_NAME={site.bench.physical('WorkerFunction')}".encode()
    busy = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(after_name[1]) == state.pid and after_name[0] not in "TZ" and function in variables:
            busy.append(int(folder.name))
    return busy


def test_ten_workers_that_are_killed_lose_nothing(site: Site) -> None:
    """What a killed worker held is free again after its lease, shortened here from eleven minutes to one and a half."""
    for vendor in MODELS:
        site.control("POST", f"providers/{vendor}", {"latency_ms": 4000})
    shorter = ("MODEL_SECONDS: Final = 600.0", "MODEL_SECONDS: Final = 30.0")
    with site.bench.patched("WorkerFunction", "pixel_prompt/generation.py", *shorter):
        began = time.monotonic()
        ids = site.submit(16)
        killed: list[int] = []
        while len(killed) < 10:
            assert time.monotonic() < began + 120, f"only {len(killed)} workers could be killed"
            time.sleep(0.5)
            seen = [job.status for job_id in ids if (job := site.look(job_id))]
            held = seen.count("running") - len(killed)
            # A job that was killed still counts as running. One that starts holds nothing yet: its message would
            # come back after the queue's own hour and a half.
            if (busy := busy_workers(site)) and held >= len(busy):
                os.kill(busy[0], signal.SIGKILL)
                killed.append(busy[0])
        for vendor in MODELS:
            site.control("POST", f"providers/{vendor}", {"latency_ms": 20})
        jobs = site.wait(ids, 240)
        seconds = time.monotonic() - began

    ledger = site.control("GET", "providers")
    paid = sum(account["paid"] for account in ledger.values())
    print(f"\n{len(jobs)} jobs in {seconds:.0f} s, {len(set(killed))} workers killed")
    print(f"{len(site.stored())} images stored, {paid} paid for")

    assert {job.status for job in jobs.values()} == {"completed"}, [job.results for job in jobs.values()]
    assert keys(jobs) == site.stored()
    assert len(site.stored()) == 9 * len(ids)
    assert served(site, jobs) == 9 * len(ids)
    assert site.settle(60) == 0
    assert site.dead_letters() == []

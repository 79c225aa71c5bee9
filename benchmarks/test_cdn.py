"""What the CDN does for images: misses, hits, conditional requests, how many of each, and how long a change takes.

The images are copies of the newest job's, put where nobody has asked for them, so that a miss is one; they are gone
afterwards. Times are of whole exchanges, from this machine to its nearest edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import cycle

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.figures import Figures, milliseconds
from readiness.environment import Environment
from readiness.errors import Unverified
from readiness.probes.cdn import Cdn, key_of
from readiness.probes.http import Answer
from readiness.samples import Samples
from verification import budgets
from verification.probes.api import Api, Job
from verification.stack import Stack

pytestmark = pytest.mark.benchmark(group="cdn")
_PREFIX = "images/benchmark-"


@dataclass
class Seen:
    """What the CDN answered to requests for images that it had not been asked for before."""

    answers: list[tuple[int, Answer]] = field(default_factory=list)
    """Each with how many requests for the same image had gone before it."""

    def ask(self, cdn: Cdn, path: str) -> None:
        """Request one image as often as is wanted of each."""
        for earlier in range(budgets.CDN_REQUESTS):
            self.answers.append((earlier, cdn.get(path)))

    def by_word(self, word: str) -> list[Answer]:
        return [answer for _, answer in self.answers if _word(answer) == word]

    @property
    def hit_percent(self) -> float:
        """Hits of the requests that could be any."""
        later = [answer for earlier, answer in self.answers if earlier]
        return 100 * sum(_word(answer) == "Hit" for answer in later) / len(later)


@pytest.fixture(scope="module")
def shown_job(env: Environment, stack: Stack, *, may_spend: bool) -> Job:
    """The newest job with images; where there is none and it costs nobody money, a new one."""
    api = Api(env, stack.formation.output("ApiEndpoint"))
    try:
        return api.newest_job()
    except Unverified:
        if not may_spend:
            raise
    return api.generate("a pier in the morning, seen by a benchmark")


@pytest.fixture(scope="module")
def paths(stack: Stack, shown_job: Job) -> Iterator[list[str]]:
    """Yield images that no request has asked the CDN for."""
    original = key_of(shown_job.sample_url)
    with stack.bucket.temporary_copies(original, _PREFIX, budgets.CDN_IMAGES) as keys:
        yield [f"/{key}" for key in keys]


def test_images(
    cdn: Cdn, paths: list[str], shown_job: Job, benchmark: BenchmarkFixture, figures: Figures
) -> None:
    """Users wait for the bucket instead of the edge, and each view is paid for twice."""
    cdn.get(cdn.path(shown_job.sample_url), method="HEAD")  # opens the connection
    seen, asked = Seen(), iter(paths)
    benchmark.pedantic(  # type: ignore[no-untyped-call]  # it declares no types
        lambda: seen.ask(cdn, next(asked)), rounds=len(paths), iterations=1
    )
    wrong = [answer for _, answer in seen.answers if answer.status != HTTPStatus.OK]
    assert not wrong, wrong
    kinds = {word: seen.by_word(word) for word in ("Miss", "Hit")}
    benchmark.extra_info.update(
        milliseconds={
            word: [milliseconds(answer.elapsed) for answer in found] for word, found in kinds.items()
        },
        bytes=len(seen.answers[0][1].body),
        edges=sorted({answer.headers.get("x-amz-cf-pop", "unnamed") for _, answer in seen.answers}),
        hit_percent=seen.hit_percent,
        requests=len(seen.answers),
    )
    rate = figures.hold(
        "hit rate after the first request",
        seen.hit_percent,
        ">=",
        budgets.CDN_HIT_PERCENT,
        "%",
        samples=len(seen.answers) - len(paths),
    )
    misses = Samples.of("miss", (answer.elapsed for answer in kinds["Miss"]))
    figures.record("miss p50", milliseconds(misses.percentile(50)), "ms", len(misses.durations))
    figures.record("image", len(seen.answers[0][1].body) / 1024, "KB")
    assert rate, f"{seen.hit_percent:.1f} % hits, {misses}"

    hits = Samples.of("hit", (answer.elapsed for answer in kinds["Hit"]))
    figures.record("hit p50", milliseconds(hits.percentile(50)), "ms", len(hits.durations))
    assert figures.tail("hit p95", hits, budgets.EDGE_HIT), hits


def test_conditional_requests(
    cdn: Cdn, paths: list[str], benchmark: BenchmarkFixture, figures: Figures
) -> None:
    """A browser that has an image already would be sent all of it again."""
    tags = {path: cdn.get(path).headers.get("etag", "") for path in paths}
    if nameless := [path for path, tag in tags.items() if not tag]:
        raise Unverified(f"{cdn!r} gives no ETag to ask with: {nameless}")
    answers: list[Answer] = []
    turns = cycle(tags.items())

    def ask() -> None:
        path, tag = next(turns)
        answers.append(cdn.get(path, headers={"If-None-Match": tag}))

    benchmark.pedantic(ask, rounds=2 * len(paths), iterations=1)  # type: ignore[no-untyped-call]  # it declares no types
    times = Samples.of("conditional request", (answer.elapsed for answer in answers))
    unchanged = [answer for answer in answers if answer.status == HTTPStatus.NOT_MODIFIED]
    sent = max(len(answer.body) for answer in answers)
    benchmark.extra_info.update(
        milliseconds={"Conditional": [milliseconds(answer.elapsed) for answer in answers]},
        unchanged_percent=100 * len(unchanged) / len(answers),
        bytes=sent,
    )
    count = len(answers)
    held = [
        figures.hold("conditional answered 304", 100 * len(unchanged) / count, ">=", 100, "%", samples=count),
        figures.hold("conditional, bytes of body", sent / 1024, "<=", 0, "KB", samples=count),
        figures.tail("conditional p95", times, budgets.EDGE_HIT),
    ]
    figures.record("conditional p50", milliseconds(times.percentile(50)), "ms", count)
    assert all(held), f"{times}, {answers[0]!r}"


def test_deployment_of_a_change(stack: Stack, benchmark: BenchmarkFixture, figures: Figures) -> None:
    """A fix, or the rollback of a mistake, takes as long to reach users. By CloudFormation's own events."""
    began, took = benchmark.pedantic(  # type: ignore[no-untyped-call]  # it declares no types
        stack.formation.latest_change, args=("Distribution",), rounds=1, iterations=1
    )
    benchmark.extra_info.update(began=f"{began:%Y-%m-%dT%H:%M:%SZ}", seconds=took.total_seconds())

    assert figures.hold(
        "deployment of a change",
        took.total_seconds(),
        "<",
        budgets.DISTRIBUTION_DEPLOYMENT.total_seconds(),
        "s",
    ), f"the change that began {began} took {took}"


def _word(answer: Answer) -> str:
    """`Hit`, `Miss` or what else the edge says of it."""
    return answer.headers.get("x-cache", "").partition(" ")[0]

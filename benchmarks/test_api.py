"""How long each route takes when one user asks, ten at the same moment, and fifty.

Between two rounds the gateway's bucket fills up again, so that its limit refuses nobody; what is refused all the same
is counted, and no sample. Routes that make images, or ask a text model, cost money on real AWS: `--paid` grants it.
What such a round has used up of the address's day is given back before the next one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.figures import Figures, milliseconds
from readiness.environment import Environment
from readiness.errors import Unverified
from readiness.probes.http import Answer
from readiness.samples import Samples
from verification import budgets
from verification.allowance import Allowance
from verification.probes.api import Api
from verification.probes.at_once import at_once
from verification.stack import Stack

pytestmark = pytest.mark.benchmark(group="api")
_PROMPT = "a pier in the morning, seen by a benchmark"
_REPORT = {"level": "info", "message": "a benchmark asks how long this takes"}


@pytest.fixture(scope="module")
def api(env: Environment, stack: Stack) -> Api:
    return Api(env, stack.formation.output("ApiEndpoint"))


@pytest.fixture(scope="module")
def job_id(api: Api, *, may_spend: bool) -> str:
    """A job with images, of any age; where there is none and it costs nobody money, a new one."""
    try:
        return api.newest_job().id
    except Unverified:
        if not may_spend:
            raise
    return api.generate(_PROMPT).id


# The routes, as they are asked; what makes jobs comes last, since they keep the worker busy.
_FREE = ("GET /health", "GET /status/{jobId}", "GET /gallery/list", "GET /gallery/{id}", "POST /log")
_PAID = ("POST /enhance", "POST /generate")


def _call(api: Api, route: str, job_id: str) -> Callable[[], Answer]:
    method, _, path = route.partition(" ")
    path = path.replace("{jobId}", job_id).replace("{id}", job_id)
    bodies = {
        "/log": _REPORT,
        "/enhance": {"prompt": _PROMPT},
        "/generate": {
            "prompt": _PROMPT,
            "steps": budgets.STEPS[0],
            "guidance": budgets.GUIDANCE[0],
            "verification": True,
        },
    }
    body = bodies.get(path)
    if path == "/gallery/list" and not api.call("GET", path).document()["galleries"]:
        path += "?verification=true"  # an empty list would be read faster than any that users have
    return partial(api.call, method, path, json_body=body)


@pytest.mark.parametrize("route", _FREE)
def test_route(api: Api, job_id: str, benchmark: BenchmarkFixture, figures: Figures, route: str) -> None:
    """A user waits for each of them, and fifty users may ask at the same moment."""
    _measure(api, _call(api, route, job_id), route, benchmark, figures)


@pytest.fixture(scope="module")
def allowance(api: Api, stack: Stack) -> Allowance:
    """What this address may send to routes that cost."""
    return Allowance.of(stack, api.call("GET", "/health"))


@pytest.mark.parametrize("route", _PAID)
def test_route_that_costs(
    api: Api,
    allowance: Allowance,
    benchmark: BenchmarkFixture,
    figures: Figures,
    route: str,
    *,
    may_spend: bool,
) -> None:
    """The same; what the text model takes is part of the answer, what the images take is not."""
    if not may_spend:
        raise Unverified(f"{route} costs money at the AI providers; --paid grants it")
    _measure(api, _call(api, route, ""), route, benchmark, figures, allowance=allowance)


def _measure(
    api: Api,
    call: Callable[[], Answer],
    route: str,
    benchmark: BenchmarkFixture,
    figures: Figures,
    *,
    allowance: Allowance | None = None,
) -> None:
    makes_jobs = route == "POST /generate"
    plan = budgets.API_JOB_ROUNDS if makes_jobs else budgets.API_ROUNDS
    answers: dict[int, list[Answer]] = {users: [] for users in plan}

    def ask_all() -> None:
        for users, rounds in plan.items():
            for _ in range(rounds):
                round_ = _round(call, users, allowance, route)
                answers[users].extend(round_)
                if makes_jobs:
                    _let_end(api, round_)
                time.sleep(_refill(users))

    # Starts are measured elsewhere. What costs is not asked for that, and the same function answers /health.
    at_once([partial(api.call, "GET", "/health") if allowance else call] * max(plan))
    time.sleep(_refill(max(plan)))
    benchmark.pedantic(ask_all, rounds=1, iterations=1)  # type: ignore[no-untyped-call]  # it declares no types
    benchmark.extra_info.update(
        route=route,
        milliseconds={
            users: [milliseconds(one.elapsed) for one in seen if _good(one)]
            for users, seen in answers.items()
        },
        statuses={users: Counter(one.status for one in seen) for users, seen in answers.items()},
    )
    held = [_judge(route, users, seen, figures) for users, seen in answers.items()]
    failed = [one for seen in answers.values() for one in seen if not _good(one) and not _refused(one)]
    assert not failed, f"{len(failed)} answers are none of the contract's successes, such as {failed[0]!r}"
    assert all(held), (
        f"{route} is slower than its budget: {[row for row in figures.rows if row.held is False]}"
    )


def _round(call: Callable[[], Answer], users: int, allowance: Allowance | None, route: str) -> list[Answer]:
    """So many requests at once; where they count against the day of this address, they are given back.

    Raises:
        Unverified: the address may not send so many any more.
    """
    if allowance is None or allowance.is_unlimited:
        return at_once([call] * users)
    allowance.require(users, f"{route}, {users} at once")
    answers = at_once([call] * users)
    allowance.give_back([one for one in answers if _good(one)])
    return answers


def _refill(users: int) -> float:
    """Seconds until the gateway has forgotten that so many asked at once."""
    return users / (budgets.API_RATE * budgets.API_PACE)


def _let_end(api: Api, accepted: list[Answer]) -> None:
    """What the worker does for one round must not be what the next one waits for."""
    for answer in accepted:
        if answer.status == HTTPStatus.ACCEPTED:
            api.wait(answer.json()["jobId"], _PROMPT)


def _judge(route: str, users: int, answers: list[Answer], figures: Figures) -> bool:
    what = f"{route}, {users} at once"
    times = Samples.of(what, (one.elapsed for one in answers if _good(one)))
    refused = sum(map(_refused, answers))
    if refused:
        figures.record(f"{what}: refused for haste", refused, "requests", len(answers), compared=False)
    alone = users == 1 and route != "POST /enhance"
    limit = budgets.API_ALONE_P95 if alone else budgets.API_TOGETHER_P95
    count = len(times.durations)
    figures.record(f"{what}, p50", milliseconds(times.percentile(50)), "ms", count)
    return figures.tail(f"{what}, p95", times, limit)


def _good(answer: Answer) -> bool:
    return answer.status in (HTTPStatus.OK, HTTPStatus.ACCEPTED)


def _refused(answer: Answer) -> bool:
    return answer.status == HTTPStatus.TOO_MANY_REQUESTS

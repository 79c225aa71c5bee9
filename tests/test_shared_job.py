"""The job that all checks of a run share, and the two items that fail where there is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from readiness.errors import Unverified
from readiness.probes.http import Answer
from readiness.shared import Shared
from verification.checks import test_api as checks
from verification.fixtures import _of_the_run
from verification.probes.api import Job, NotAccepted, NotEnded


def answer(status: int) -> Answer:
    return Answer("POST https://api/generate", status, CaseInsensitiveDict(), b"{}", timedelta(seconds=0.1))


def begun() -> Job:
    return Job("j1", "a harbour", "pending", (), accepted=answer(202))


class Api:
    """Ends every job in one way."""

    def __init__(self, end: Job | Exception) -> None:
        self.end, self.asked = end, 0

    def finish(self, job: Job) -> Job:
        self.asked += 1
        if isinstance(self.end, Exception):
            raise self.end
        return self.end


def of_the_run(folder: Path, api: Api, begin: Any = begun) -> Job:
    verification: Any = SimpleNamespace(shared=Shared(folder))
    return _of_the_run(verification, api, "job", begin)  # type: ignore[arg-type]


def no_job(problem: Exception) -> Callable[[], Job]:
    """What makes no job."""

    def make() -> Job:
        raise problem

    return make


def test_one_job_serves_all_processes(tmp_path: Path) -> None:
    api = Api(Job("j1", "a harbour", "completed", []))

    jobs = [of_the_run(tmp_path, api) for _ in range(2)]

    assert [job.status for job in jobs] == ["completed"] * 2
    assert api.asked == 1


def test_every_process_learns_what_was_answered_instead_of_a_job(tmp_path: Path) -> None:
    calls = []

    def refused() -> Job:
        calls.append(1)
        raise NotAccepted(answer(500))

    for _ in range(2):
        with pytest.raises(NotAccepted, match="expected 202, found") as caught:
            of_the_run(tmp_path, Api(begun()), refused)
        assert caught.value.answer.status == 500
        assert caught.value.cause == "POST /generate answers 500"

    assert len(calls) == 1


def test_every_process_learns_that_the_job_did_not_end(tmp_path: Path) -> None:
    api = Api(NotEnded("j1", 720.0, answer(200)))

    for _ in range(2):
        with pytest.raises(NotEnded, match="job j1 had not ended after 720 s"):
            of_the_run(tmp_path, api)

    assert api.asked == 1


@pytest.mark.parametrize(
    "problem", [NotAccepted(answer(500)), NotAccepted(answer(422)), NotEnded("j1", 45, answer(500))]
)
def test_a_refused_request_fails_the_contracts_item(problem: Unverified) -> None:
    with pytest.raises(AssertionError, match="a request that the contract allows is refused"):
        checks._routed(no_job(problem))


@pytest.mark.parametrize(
    "problem", [NotAccepted(answer(429)), NotEnded("j1", 720, answer(200)), Unverified("the budget is spent")]
)
def test_what_is_no_refusal_leaves_the_contracts_item_unverified(problem: Unverified) -> None:
    with pytest.raises(Unverified) as caught:
        checks._routed(no_job(problem))

    assert caught.value is problem


def test_a_job_that_does_not_end_fails_the_models_item() -> None:
    with pytest.raises(AssertionError, match="had not ended after 720 s"):
        checks._ended(no_job(NotEnded("j1", 720, answer(200))))


@pytest.mark.parametrize("problem", [NotAccepted(answer(500)), NotEnded("j1", 45, answer(500))])
def test_without_a_readable_job_the_models_item_is_unverified(problem: Unverified) -> None:
    with pytest.raises(Unverified) as caught:
        checks._ended(no_job(problem))

    assert caught.value is problem

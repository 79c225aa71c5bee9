"""verification/probes/api.py"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.probes.server import Reply
from verification.errors import Unverified
from verification.probes.api import CORRELATION_PREFIX, Api, Job, new_correlation_id

RESULTS = [
    {"model": "a", "status": "completed", "imageUrl": "https://cdn/images/1/a.png"},
    {"model": "b", "status": "failed", "imageUrl": None},
    {"model": "c", "status": "failed"},
]


@pytest.fixture
def api(server, env):
    return Api(env, server.url + "/")


def state(status, results=()):
    return Reply.json({"status": status, "results": list(results)})


def test_a_call_is_recognisable_and_joins_the_path(api, server):
    api.call("GET", "/health")

    (asked,) = server.asked
    assert asked.path == "/health"
    assert asked.headers["x-correlation-id"].startswith(CORRELATION_PREFIX)
    assert "content-type" not in asked.headers


def test_no_two_calls_share_an_id():
    assert new_correlation_id() != new_correlation_id()


@pytest.mark.parametrize(
    ("arguments", "body", "kind"),
    [
        ({"json_body": {"prompt": "x"}}, b'{"prompt": "x"}', "application/json"),
        ({"json_body": []}, b"[]", "application/json"),
        ({"body": b"{"}, b"{", "application/json"),
        ({"body": b""}, b"", "application/json"),
        ({"body": b"a=b", "headers": {"Content-Type": "text/plain"}}, b"a=b", "text/plain"),
    ],
)
def test_a_body_is_sent_as_it_was_given(api, server, arguments, body, kind):
    api.call("POST", "/generate", **arguments)

    (asked,) = server.asked
    assert (asked.body, asked.headers["content-type"]) == (body, kind)


def test_a_callers_own_correlation_id_is_kept(api, server):
    api.call("GET", "/health", headers={"X-Correlation-ID": "mine"})

    assert server.asked[0].headers["x-correlation-id"] == "mine"


def test_generating_waits_until_the_job_has_ended(api, server):
    server.replies(Reply.json({"jobId": "j1"}, 202), state("running"), state("completed", RESULTS))

    job = api.generate("a harbour")

    assert job == Job("j1", "a harbour", "completed", RESULTS)
    assert job.image_urls == ["https://cdn/images/1/a.png"]
    assert [(r.method, r.path) for r in server.asked] == [
        ("POST", "/generate"),
        ("GET", "/status/j1"),
        ("GET", "/status/j1"),
    ]


@pytest.mark.parametrize("status", ["completed", "partial", "failed"])
def test_a_job_that_has_ended_is_returned_however_it_ended(api, server, status):
    server.replies(state(status, RESULTS))

    assert api.wait("j1", "x").status == status


@pytest.mark.parametrize("status", [200, 400, 429, 500, 503])
def test_a_job_that_is_not_accepted_is_unverified(api, server, status):
    server.replies(Reply.json({"error": {"code": "rate_limited"}}, status))

    with pytest.raises(Unverified, match=rf"expected 202, got <POST .*/generate -> {status} .*rate_limited"):
        api.generate("a harbour")

    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [state("running"), Reply(500), Reply(404)], ids=["running", "500", "404"])
def test_a_job_that_never_ends_is_unverified_and_says_how_long_it_took(api, server, answer):
    server.replies(answer)

    with pytest.raises(Unverified, match=rf"job j1 had not ended after \d+ s; .*-> {answer.status}"):
        api.wait("j1", "x", deadline=timedelta(seconds=0.1))


def test_a_job_is_looked_at_once_wherever_it_stands(api, server):
    server.replies(state("running", RESULTS))

    assert api.look("j1") == Job("j1", "", "running", RESULTS)
    assert len(server.asked) == 1


def test_a_job_says_how_many_of_its_models_are_done(api, server):
    server.replies(Reply.json({"status": "partial", "completed": 3, "results": RESULTS}), state("running"))

    assert [api.look("j1").done, api.look("j1").done] == [3, None]


def test_a_job_that_the_api_does_not_tell_of_is_unverified(api, server):
    server.replies(Reply(404))

    with pytest.raises(Unverified, match=r"no word on job j1: <GET .*/status/j1 -> 404"):
        api.look("j1")


def test_a_fault_in_between_does_not_end_the_waiting(api, server):
    server.replies(Reply(502), state("completed", RESULTS))

    assert api.wait("j1", "x").status == "completed"


def test_a_job_without_images_has_no_url():
    assert Job("j1", "x", "failed", RESULTS[1:]).image_urls == []

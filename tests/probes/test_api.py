"""verification/probes/api.py"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from readiness import budgets as general
from readiness.errors import BudgetSpent, Unverified
from readiness.ledger import Ledger
from tests.probes.server import Reply
from verification import budgets
from verification.costs import PRICES_OF_RUN
from verification.probes.api import CORRELATION_PREFIX, Api, Job, NotEnded, new_correlation_id

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


def test_a_job_is_marked_unless_it_is_to_be_like_a_users(api, server):
    server.replies(
        Reply.json({"jobId": "j1"}, 202),
        state("completed"),
        Reply.json({"jobId": "j2"}, 202),
        state("completed"),
    )

    api.generate("a harbour")
    api.generate("a harbour", verification=False, models=["a"])

    marked, _, like_a_users, _ = [json.loads(asked.body) if asked.body else None for asked in server.asked]
    assert marked == {"prompt": "a harbour", "steps": 25, "guidance": 7, "verification": True}
    assert like_a_users == {"prompt": "a harbour", "steps": 25, "guidance": 7, "models": ["a"]}


def listing(*ids):
    return Reply.json({"galleries": [{"id": one} for one in ids]})


def shown(name):
    return Reply.json(
        {"id": name, "prompt": "p", "images": [{"model": "a", "imageUrl": "https://cdn/a.png"}]}
    )


def test_the_newest_job_is_one_of_users(api, server):
    server.replies(listing("j1"), shown("j1"))

    assert api.newest_job().id == "j1"
    assert [asked.path for asked in server.asked] == ["/gallery/list?limit=1", "/gallery/j1"]


def test_the_newest_job_is_one_that_verified_where_users_have_made_none(api, server):
    """On a stack that nobody uses yet, images would otherwise be paid for at every run."""
    server.replies(listing(), listing("j1"), shown("j1"))

    assert api.newest_job().id == "j1"
    assert server.asked[1].path == "/gallery/list?limit=1&verification=true"


@pytest.mark.parametrize(("of_users", "lists"), [(True, 1), (False, 2)])
def test_without_a_job_there_is_nothing_to_look_at(api, server, of_users, lists):
    server.replies(listing())

    with pytest.raises(Unverified, match=r"gallery is empty.*--paid"):
        api.newest_job(of_users=of_users)

    assert len(server.asked) == lists


def test_a_list_is_asked_until_it_names_a_job_or_does_so_no_longer(api, server):
    server.replies(listing("j0"), listing("j1", "j0"), listing("j1"), listing())

    assert api.find_gallery("j1", verification=True) == ({"id": "j1"}, [{"id": "j1"}, {"id": "j0"}])
    assert api.find_gallery("j1", verification=False, gone=True) == (None, [])
    assert [asked.path.partition("&")[2] for asked in server.asked] == 2 * ["verification=true"] + 2 * [""]


def test_a_list_that_does_not_change_is_returned_unchanged(api, server, monkeypatch):
    monkeypatch.setattr(general, "CONSISTENCY_DEADLINE", timedelta())
    server.replies(listing("j1"))

    assert api.find_gallery("j2", verification=False) == (None, [{"id": "j1"}])
    assert api.find_gallery("j1", verification=False, gone=True) == ({"id": "j1"}, [{"id": "j1"}])


@pytest.mark.parametrize("status", ["completed", "partial", "failed"])
def test_a_job_that_has_ended_is_returned_however_it_ended(api, server, status):
    server.replies(state(status, RESULTS))

    assert api.wait("j1", "x").status == status


@pytest.mark.parametrize("status", [200, 400, 429, 500, 503])
def test_a_job_that_is_not_accepted_is_unverified(api, server, status):
    server.replies(Reply.json({"error": {"code": "rate_limited"}}, status))

    with pytest.raises(
        Unverified, match=rf"expected 202, found <POST .*/generate -> {status} .*rate_limited"
    ):
        api.generate("a harbour")

    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [state("running"), Reply(500), Reply(404)], ids=["running", "500", "404"])
def test_a_job_that_never_ends_is_unverified_and_says_how_long_it_took(api, server, answer):
    server.replies(answer)

    with pytest.raises(Unverified, match=rf"job j1 had not ended after \d+ s; .*-> {answer.status}"):
        api.wait("j1", "x", deadline=timedelta(seconds=0.1))


@pytest.mark.parametrize("answer", [Reply(500), Reply(404)], ids=["500", "404"])
def test_a_status_that_cannot_be_read_is_not_waited_for_as_long_as_a_job(api, server, answer, monkeypatch):
    monkeypatch.setattr(budgets, "STATUS_DEADLINE", timedelta(seconds=0.1))
    server.replies(state("running"), answer)

    with pytest.raises(NotEnded) as caught:
        api.wait("j1", "x")

    assert caught.value.answer.status == answer.status


@pytest.mark.parametrize("answer", [state("running"), Reply(429)], ids=["running", "429"])
def test_a_job_that_goes_on_is_waited_for(api, server, answer, monkeypatch):
    monkeypatch.setattr(budgets, "STATUS_DEADLINE", timedelta())
    server.replies(answer, answer, state("completed", RESULTS))

    assert api.wait("j1", "x").status == "completed"


def test_a_job_is_looked_at_once_wherever_it_stands(api, server):
    server.replies(state("running", RESULTS))

    assert api.look("j1") == Job("j1", "", "running", RESULTS)
    assert len(server.asked) == 1


def test_a_job_says_how_many_of_its_models_are_done(api, server):
    server.replies(Reply.json({"status": "partial", "completed": 3, "results": RESULTS}), state("running"))

    assert [api.look("j1").done, api.look("j1").done] == [3, None]


def test_a_job_that_the_api_does_not_tell_of_is_unverified(api, server):
    server.replies(Reply(404))

    with pytest.raises(Unverified, match=r"expected the state of job j1, found <GET .*/status/j1 -> 404"):
        api.look("j1")


def test_a_fault_in_between_does_not_end_the_waiting(api, server):
    server.replies(Reply(502), state("completed", RESULTS))

    assert api.wait("j1", "x").status == "completed"


def test_a_job_names_the_models_that_made_an_image():
    assert Job("j1", "x", "partial", RESULTS[::-1]).painters == ["a"]
    with pytest.raises(Unverified, match=r"job j1 .* left no image"):
        _ = Job("j1", "x", "failed", RESULTS[1:]).painters


def test_a_job_crosses_process_borders_with_the_answer_that_accepted_it(api, server):
    accepted = Reply(202, b'{"jobId": "j1"}', {"Apigw-RequestId": "r1"})
    server.replies(accepted, state("completed", RESULTS))
    job = api.generate("a harbour")

    again = Job.of(json.loads(json.dumps(job.plain())))

    assert vars(again) == {**vars(job), "accepted": again.accepted}
    assert again.accepted.headers["apigw-requestid"] == "r1"
    assert (again.accepted.status, again.accepted.body) == (202, job.accepted.body)
    assert Job.of(Job("j2", "x", "failed", []).plain()).accepted is None


PRICES = replace(PRICES_OF_RUN, image_usd={"a": 0.2, "b": 0.3}.get, enhancement_usd=0.01)


@pytest.fixture
def paying(server, env, tmp_path):
    return Api(env, server.url, Ledger(tmp_path / "ledger", 1.0, PRICES))


HEALTH = Reply.json({"models": [{"id": "a", "vendor": "anthill"}, {"id": "b", "vendor": "beehive"}]})


def test_a_job_is_counted_with_every_model_that_the_api_tells(paying, server):
    server.replies(HEALTH, Reply.json({"jobId": "j1"}, 202), state("completed"))

    paying.generate("a harbour")

    told = paying.ledger.summary()
    assert [(row["vendor"], row["images"]) for row in told["images"]] == [("anthill", 1), ("beehive", 1)]
    assert told["usd"] == pytest.approx(0.5)


def test_a_job_that_would_exceed_the_budget_is_not_sent(paying, server):
    server.replies(HEALTH)

    with paying.paying("an image", models=["a", "b", "a"]), pytest.raises(BudgetSpent):
        paying.generate("a harbour")

    assert [asked.path for asked in server.asked] == ["/health"]


@pytest.mark.parametrize("reply", [Reply(500), Reply.json({"status": "ok"}), Reply.json({"models": [1]})])
def test_an_api_that_does_not_tell_its_models_is_paid_all_the_same(paying, server, reply):
    server.replies(reply, Reply.json({"jobId": "j1"}, 202), state("completed"))

    paying.generate("a harbour")

    assert paying.ledger.summary()["images"][0]["images"] == budgets.MODELS


def test_a_refused_job_costs_nothing(paying, server):
    server.replies(HEALTH, Reply(429))

    with pytest.raises(Unverified):
        paying.generate("a harbour")

    assert paying.ledger.summary()["usd"] == 0


def test_a_job_whose_answer_was_lost_may_have_been_paid(env, tmp_path):
    nobody = Api(env, "http://127.0.0.1:1", Ledger(tmp_path / "ledger", 1.0, PRICES))

    with pytest.raises(Unverified):
        nobody.generate("a harbour", models=["a"])

    assert nobody.ledger.summary()["unsettled_usd"] == pytest.approx(0.2)


def test_a_job_without_images_has_no_url():
    assert Job("j1", "x", "failed", RESULTS[1:]).image_urls == []

"""Section Code: the API and its worker, as clients and operators see them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from readiness import budgets as general
from readiness.aws.log_group import LogEvent, LogGroup
from readiness.errors import Unverified
from readiness.ledger import Ledger
from readiness.probes.cdn import Cdn
from readiness.probes.http import Answer
from verification import budgets
from verification.probes.agreement import BLOCKED, Agreement, Sources
from verification.probes.api import (
    Api,
    Job,
    NotAccepted,
    NotEnded,
    error_of,
    gallery_path,
    new_correlation_id,
)
from verification.probes.commands import Source
from verification.probes.contract import Contract
from verification.resources.counter import forgotten
from verification.stack import Stack

pytestmark = pytest.mark.code


@pytest.mark.item("CODE-08")
def test_every_route_keeps_its_contract(
    api: Api, make_job: Callable[[], Job], source: Source, stack: Stack, ledger: Ledger
) -> None:
    """Clients are written against openapi.yaml; an answer that differs breaks them."""
    job = _routed(make_job)
    contract = Contract(source.app / "backend" / "openapi.yaml")
    problems = []
    painters = [ledger.cheapest(job.painters)]  # the answer is the same for one model and for all
    for operation in contract.operations():
        path = operation.path.replace("{jobId}", job.id).replace("{id}", job.id)
        example = operation.example
        if operation.path == "/generate":
            example = {**example, "verification": True, "models": painters}
        with _paying(api, operation.path, painters):
            answer = api.call(operation.method, path, json_body=example)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unverified(f"{answer!r}: this address has used up its share; see AllowedAddresses")
        problems += contract.problems(operation, answer)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            problems.append(f"{answer!r}: the contract's own example is refused")

    assert problems == []
    live = {key for key in stack.http_api.route_keys if key != "$default"}
    assert {str(operation) for operation in contract.operations()} == live


def _routed(make_job: Callable[[], Job]) -> Job:
    """The run's job. That a prompt is accepted, and that a job's status can be read, are claims of CODE-08.

    Raises:
        Unverified: there is no such job for another reason.
    """
    try:
        return make_job()
    except (NotAccepted, NotEnded) as problem:
        if problem.answer.status in (HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS):
            raise
        raise AssertionError(f"{problem.answer!r}: a request that the contract allows is refused") from None


def _paying(api: Api, path: str, models: Sequence[str]) -> AbstractContextManager[object]:
    """Keep the price of a request to one route, which makes vendors work or does not."""
    what = f"POST {path} as the contract has it"
    if path == "/generate":
        return api.paying(what, models=models)
    return api.paying(what, enhancements=1) if path == "/enhance" else nullcontext()


@pytest.mark.item("CODE-09")
def test_every_model_yields_an_image(api: Api, make_job: Callable[[], Job], cdn: Cdn, stack: Stack) -> None:
    """Users pay attention to the one picture that is missing."""
    job = _ended(make_job)
    wrong, urls = {}, set()
    rate_limited = job.rate_limited
    for result in job.results:
        if result["model"] in rate_limited:
            continue
        if result["status"] != "completed" or not result.get("imageUrl"):
            wrong[result["model"]] = f"{result['status']}: {result.get('error')}"
            continue
        urls.add(result["imageUrl"])
        image = cdn.get(cdn.path(result["imageUrl"]))
        try:
            with Image.open(BytesIO(image.body)) as picture:
                picture.load()
                kind = Image.MIME[picture.format or ""]
        except (OSError, SyntaxError) as problem:
            wrong[result["model"]] = f"{image!r} does not decode: {problem}"
        else:
            if (served := image.headers.get("content-type")) != kind:
                wrong[result["model"]] = f"{image!r} is {kind}, served as {served}"

    assert wrong == {}
    assert len({result["model"] for result in job.results}) == budgets.MODELS
    assert len(urls) == budgets.MODELS - len(rate_limited)
    api.require_no_rate_limit(rate_limited)
    assert job.status == "completed"
    together_ms = sum(result["durationMs"] for result in job.results)
    events = stack.worker_log.wait_for(job.id, job.asked, lambda events: bool(_durations(events)))
    if not _durations(events):
        raise Unverified(f"{stack.worker_log!r} does not tell how long job {job.id} took")
    took_ms = min(_durations(events))
    assert took_ms < budgets.AT_ONCE_RATIO * together_ms, (
        f"the job took {took_ms} ms where its models took {together_ms} ms together: one was asked after the other"
    )


def _ended(make_job: Callable[[], Job]) -> Job:
    """The run's job. That it ends is a claim of CODE-09.

    Raises:
        Unverified: there is no job, or nothing tells its status.
    """
    try:
        return make_job()
    except NotEnded as problem:
        if problem.answer.status != HTTPStatus.OK:
            raise
        raise AssertionError(str(problem)) from None


@pytest.mark.item("CODE-10")
def test_gallery_shows_images_just_made(api: Api, job: Job, stack: Stack, cdn: Cdn, ledger: Ledger) -> None:
    """A user's pictures would be paid for, and the user could not find them again."""
    prompt = f"a jetty at dawn, seen by verification run {uuid.uuid4().hex}"
    # Nothing about it is different from a user's, and it is gone before the check ends.
    with stack.withdrawn(prompt):
        like_a_users = api.generate(prompt, verification=False, models=[ledger.cheapest(job.painters)])
        _assert_shown(api, cdn, like_a_users, verification=False)
        _assert_shown(api, cdn, job, verification=True)
        marked, _ = api.find_gallery(job.id, verification=False, gone=True)
        assert not marked, f"users see {job.id} in their gallery, which is marked as verification"
    left, _ = api.find_gallery(like_a_users.id, verification=False, gone=True)
    assert not left, f"users see {like_a_users.id} in their gallery, which was withdrawn"


def _assert_shown(api: Api, cdn: Cdn, made: Job, *, verification: bool) -> None:
    """That a job is in its list, in its place, and shows what was made.

    Raises:
        Unverified: nothing was made, so the job is in no list.
    """
    paths = (gallery_path(1, verification=verification), f"/gallery/{made.id}")
    answers = [api.call("GET", path) for path in paths]
    assert [answer for answer in answers if answer.status != HTTPStatus.OK] == []
    images = [made.sample_url, *made.image_urls[1:]]
    shown, page = api.find_gallery(made.id, verification=verification)
    detail = api.call("GET", f"/gallery/{made.id}").document()
    created = [gallery["createdAt"] for gallery in page]

    first = gallery_path(1, verification=verification)
    newest = api.call("GET", first).document()
    following = (
        api.call("GET", f"{first}&cursor={newest['nextCursor']}").document()["galleries"]
        if "nextCursor" in newest
        else []
    )

    which = "what verified" if verification else "what users made"
    assert shown, f"gallery {made.id} is not listed among {which}"
    assert created == sorted(created, reverse=True), "the newest gallery has to come first"
    seen = {gallery["id"] for gallery in newest["galleries"]}
    assert seen.isdisjoint(gallery["id"] for gallery in following), f"a page repeats another: {following}"
    assert shown["imageCount"] == detail["imageCount"] == len(images)
    assert shown["prompt"] == detail["prompt"] == made.prompt
    assert sorted(image["imageUrl"] for image in detail["images"]) == sorted(images)
    assert {cdn.get(cdn.path(url)).status for url in [*images, shown["previewUrl"]]} == {HTTPStatus.OK}


@pytest.mark.item("CODE-11")
def test_enhanced_prompt_is_richer_and_keeps_its_subject(api: Api) -> None:
    """Users would get their own prompt back, or a prompt for a different picture."""
    prompt = "a red lighthouse"
    with api.paying("an enhanced prompt", enhancements=1):
        answer = api.call("POST", "/enhance", json_body={"prompt": prompt})
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Unverified(f"expected an enhanced prompt, found {answer!r}; run again after the limit's window")

    assert answer.status == HTTPStatus.OK, answer
    enhanced = answer.json()["enhancedPrompt"]
    assert len(enhanced) > len(prompt), enhanced
    assert "lighthouse" in enhanced.lower(), enhanced


@pytest.mark.item("CODE-12")
def test_invalid_input_gets_the_error_shape(api: Api) -> None:
    """A stack trace tells an attacker what to try next, and a user nothing."""
    wrong = []
    for statuses, method, path, request in _INVALID:
        answer = api.call(method, path, **request)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unverified(f"{answer!r}: another client is using up the API's limit")
        if answer.status not in statuses or not _is_in_shape(answer):
            wrong.append(f"{str(request)[:80]}: {answer!r}, expected {sorted(statuses)} in the error shape")

    assert wrong == []


@pytest.mark.item("CODE-13")
def test_limit_refuses_until_its_window_ends(stack: Stack, ledger: Ledger) -> None:
    """One script spends the providers' budget, or a user is locked out for good."""
    caller, counters = stack.caller(), stack.counters
    today, yesterday = (counters.of_address(caller.address, days_ago=days) for days in (0, 1))
    limit = int(stack.api.environment["ADDRESS_DAILY_LIMIT"])
    correlation = {"X-Correlation-ID": new_correlation_id()}
    with ledger.hold("an enhanced prompt", enhancements=1), forgotten(today, yesterday):
        today.add(limit)
        refusals = [caller.post("/enhance", _WISH)]
        assert not refusals[0].let_through, f"request {limit + 1} of a day was served: {refusals[0]!r}"
        refusals.append(caller.post("/generate", _WISH, correlation))
        assert not refusals[1].let_through, f"request {limit + 2} of a day was served: {refusals[1]!r}"

        left = (today.ends - counters.at).total_seconds()
        waits = [refusal.headers.get("retry-after", "") for refusal in refusals]
        assert [wait for wait in waits if not (wait.isdecimal() and 1 <= int(wait) <= left)] == [], (
            f"expected Retry-After from 1 to {left:.0f} s, got {waits}"
        )
        assert stack.table.keys_where("correlationId", correlation.values()) == [], "a refused job was stored"

        # Midnight is not waited for: the same count is made to be that of the day before.
        today.forget()
        yesterday.add(limit)
        again = caller.post("/enhance", _WISH)
        assert again.let_through, f"still refused in a new window: {again!r}"
        counters.of_all.give_back()


@pytest.mark.item("CODE-17")
def test_one_correlation_id_follows_a_request(api: Api, job: Job, stack: Stack) -> None:
    """A user's report names one id, and the vendor's failure could not be found by it."""
    assert job.accepted is not None
    refused = new_correlation_id()
    refusal = api.call("POST", "/generate", json_body={}, headers={"X-Correlation-ID": refused})
    malformed = ("short", "with space in it", "x" * 65, 'quote"d-and-long')
    believed = [
        id_
        for id_ in malformed
        if api.call("GET", "/health", headers={"X-Correlation-ID": id_}).headers.get("X-Correlation-ID")
        == id_
    ]
    carried = {
        "answer": (job.correlation_id, {job.accepted.headers.get("X-Correlation-ID")}),
        "refusal": (refused, {refusal.headers.get("X-Correlation-ID")}),
        "error body": (refused, {error_of(refusal).get("correlationId")}),
        "API's log": (job.correlation_id, _logged_ids(stack.api_log, job)),
        "worker's log": (job.correlation_id, _logged_ids(stack.worker_log, job)),
    }

    assert {where: seen for where, (sent, seen) in carried.items() if seen - {sent}} == {}, carried
    assert believed == [], "a client that may send any id can write any text into the log"
    if silent := [where for where, (_, seen) in carried.items() if not seen]:
        within = general.LOG_DEADLINE.total_seconds()
        raise Unverified(
            f"nothing about job {job.id} in the {' and the '.join(silent)} within {within:.0f} s"
        )


@pytest.mark.item("CODE-18")
def test_images_are_stored_though_s3_asks_to_slow_down(api: Api, stack: Stack) -> None:
    """S3 says so during ordinary scaling, and images that are already paid for would be thrown away."""
    drill = _drill(stack, slowDowns=budgets.S3_REFUSALS)
    if drill["refusals"] < budgets.MODELS:
        raise Unverified(
            f"the drill made S3 refuse {drill['refusals']} attempts, fewer than there are images"
        )
    job = api.look(drill["jobId"])

    assert job.status == "completed", job.results
    assert len(job.results) == budgets.MODELS
    assert _stored(stack, job) == _delivered(job), "each image has to be in the bucket, and once"


@pytest.mark.item("CODE-19")
def test_one_failing_provider_costs_one_image(api: Api, stack: Stack, source: Source) -> None:
    """With nine vendors, one that has trouble is an ordinary day."""
    drill = _drill(stack, modelsDown=1)
    job = api.look(drill["jobId"])
    contract = Contract(source.app / "backend" / "openapi.yaml")
    (operation,) = (each for each in contract.operations() if str(each) == "GET /status/{jobId}")
    failed = {result["model"]: result.get("error") for result in job.results if not result.get("imageUrl")}

    assert failed.keys() == set(drill["down"]), job.results
    assert job.status == "partial", job.results
    assert job.done == budgets.MODELS, f"all models are done, and the status says {job.done}"
    assert len(_delivered(job)) == budgets.MODELS - 1
    assert _stored(stack, job) == _delivered(job)
    assert [error and error.get("code") for error in failed.values()] == ["unavailable"], failed
    assert all(error.get("message") for error in failed.values() if error), failed
    assert [error for error in failed.values() if error and _shows_insides(error["message"])] == []
    assert contract.problems(operation, api.call("GET", f"/status/{job.id}")) == []


@pytest.mark.item("CODE-20")
def test_a_job_delivered_again_is_left_alone(api: Api, job: Job, stack: Stack) -> None:
    """SQS delivers at least once: nine vendors would be paid again."""
    stored = stack.bucket.objects(f"images/{job.id}/")
    sent = datetime.now(UTC)
    message = stack.queue.send({"jobId": job.id, "correlationId": job.correlation_id})
    events = stack.worker_log.wait_for(
        message, sent, lambda events: any(event.fields.get("event") in _DELIVERY_ENDS for event in events)
    )
    ends = [event.fields["event"] for event in events if event.fields.get("event") in _DELIVERY_ENDS]

    assert [event.message for event in events if "model" in event.fields] == []
    assert api.wait(job.id, job.prompt) == job
    assert stack.bucket.objects(f"images/{job.id}/") == stored
    if not ends:
        within = general.LOG_DEADLINE.total_seconds()
        raise Unverified(
            f"the worker's log does not tell of message {message} to its end within {within:.0f} s"
        )
    assert set(ends) == {"job_finished"}, "the worker has to take the second delivery for done"


def _drill(stack: Stack, **breakage: int) -> Mapping[str, Any]:
    """What the worker says of a job that it worked on with something broken: `jobId`, `down`, `refusals`."""
    event = {"action": "drill", "correlationId": new_correlation_id(), **breakage}
    return dict(stack.worker.invoke(event, budgets.DRILL_DEADLINE))


def _delivered(job: Job) -> list[str]:
    """The keys that a job's addresses name; who serves them is the CDN's matter."""
    return sorted(urlsplit(url).path.lstrip("/") for url in job.image_urls)


def _stored(stack: Stack, job: Job) -> list[str]:
    return sorted(stored.key for stored in stack.bucket.objects(f"images/{job.id}/"))


@pytest.mark.item("CODE-25")
def test_contract_and_api_agree(api: Api, source: Source, stack: Stack) -> None:
    """A contract that is weaker or wider than the API misleads the developers of its clients."""
    backend = source.app / "backend"
    contract, sources = Contract(backend / "openapi.yaml"), Sources.read(backend / "src")
    agreement = Agreement(api, contract, sources, _VALID, list(api.vendors()))
    parameters = stack.formation.template.get("Parameters", {}).values()
    agreement.read([frozenset(map(str, one.get("AllowedValues", ()))) for one in parameters])
    try:
        agreement.ask()
    except Unverified:
        if not agreement.problems:
            raise

    assert agreement.problems == []


_DELIVERY_ENDS = ("job_finished", "job_held_elsewhere", "job_crashed", "message_refused")


def _durations(events: Sequence[LogEvent]) -> list[int]:
    """How long a job took, of the lines that tell its end."""
    ends = [event.fields for event in events if event.fields.get("event") == "job_finished"]
    return [int(line["durationMs"]) for line in ends]


def _logged_ids(log: LogGroup, job: Job) -> set[str | None]:
    """The correlation ids of all structured lines about a job."""
    lines = [event.fields for event in log.wait_for(job.id, job.asked)]
    return {line.get("correlationId") for line in lines if line.get("jobId") == job.id}


_VALID: dict[str, dict[str, Any]] = {
    "/generate": {"prompt": BLOCKED, "verification": True},
    "/enhance": {"prompt": BLOCKED},
    "/log": {"message": "sent by a verification", "level": "info"},
}
# What is taken though it has to be refused becomes a job: no user shall find it in the gallery.
_WISH: dict[str, Any] = {"prompt": "a quiet harbour", "steps": 25, "guidance": 7, "verification": True}
_TOO_LONG = "a" * (budgets.PROMPT_CHARACTERS + 1)
_OF_NOTHING = "00000000-0000-4000-8000-000000000000"  # well-formed, and no job's
_INVALID: list[tuple[set[int], str, str, dict[str, Any]]] = [
    ({400, 422}, "POST", "/generate", {"json_body": {}}),
    ({400, 422}, "POST", "/generate", {"json_body": []}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": ""}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": _TOO_LONG}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": 7}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": None}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": "a \ud800 quay"}}),  # half a letter
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": "a \ufdd0 quay"}}),  # no letter
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": "a \x1b[2J quay"}}),
    # What would turn round, or hide from people, the text that stands beside it in the gallery.
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": "a \u202eyauq"}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": "a \u202bquay"}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": "a \u2067quay\n\u2069"}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": "a \u2069quay"}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"prompt": "a \U000e0071\U000e0075\U000e0061y"}}),
    ({400, 422}, "POST", "/enhance", {"json_body": {"prompt": "a \u202eyauq"}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"verification": "yes"}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"steps": budgets.STEPS[0] - 1}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"steps": budgets.STEPS[1] + 1}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"steps": "many"}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"guidance": budgets.GUIDANCE[0] - 0.5}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"guidance": budgets.GUIDANCE[1] + 0.5}}),
    ({400}, "POST", "/generate", {"body": b"{"}),
    ({400, 415}, "POST", "/generate", {"body": b""}),
    ({400}, "POST", "/generate", {"body": b'{"prompt": NaN}'}),
    ({400}, "POST", "/generate", {"body": b"\xff\xfe"}),
    ({413}, "POST", "/generate", {"body": b'{"prompt": "' + b"a" * 200_000 + b'"}'}),
    ({415}, "POST", "/generate", {"body": b"prompt=harbour", "headers": {"Content-Type": "text/plain"}}),
    ({400, 422}, "POST", "/enhance", {"json_body": {"prompt": 1}}),
    ({400, 404, 422}, "GET", "/status/no-such-job", {}),
    ({400, 404, 422}, "GET", "/gallery/no-such-gallery", {}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"seed": "any"}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"seed": -1}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"models": []}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"models": "all"}}),
    ({400, 422}, "POST", "/generate", {"json_body": _WISH | {"models": ["no-such-model"]}}),
    ({400, 422}, "GET", "/gallery/list?limit=0", {}),
    ({400, 422}, "GET", f"/gallery/list?limit={budgets.GALLERY_PAGE + 1}", {}),
    ({400, 422}, "GET", "/gallery/list?limit=many", {}),
    ({400, 422}, "GET", "/gallery/list?verification=many", {}),
    ({404}, "GET", f"/status/{_OF_NOTHING}", {}),
    ({404}, "GET", f"/gallery/{_OF_NOTHING}", {}),
    ({404}, "GET", "/no-such-route", {}),
    ({405}, "DELETE", "/health", {}),
]


def _is_in_shape(answer: Answer) -> bool:
    """The contract's error shape, and nothing of Python's insides."""
    error = error_of(answer)
    whole = all(error.get(part) for part in ("code", "message", "correlationId"))
    return whole and not _shows_insides(f"{error.get('message')} {error.get('code')}")


def _shows_insides(text: str) -> bool:
    return bool(re.search(r"Traceback|File \"|line \d+|\.py\b|<\w+ object|\w+\(\w+=", text))

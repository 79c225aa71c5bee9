"""Section Code: the source tree, and the application seen by its users."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, ViewportSize

from readiness import budgets as general
from readiness.aws.log_group import LogEvent, LogGroup
from readiness.errors import Unverified
from readiness.ledger import Ledger
from readiness.probes.cdn import Cdn
from readiness.probes.http import Answer
from readiness.probes.wire import LIVE, Answered
from verification import budgets
from verification.probes.agreement import BLOCKED, Agreement, Sources
from verification.probes.api import Api, Job, error_of, gallery_path, new_correlation_id
from verification.probes.artefacts import Artefacts
from verification.probes.browser import Visit
from verification.probes.commands import Source, TestRun
from verification.probes.contract import Contract
from verification.probes.packages import Packages
from verification.resources.counter import forgotten
from verification.stack import Stack

pytestmark = pytest.mark.code


@pytest.mark.item("CODE-01")
def test_eslint_reports_nothing(source: Source) -> None:
    """A warning that is left standing hides the next one."""
    assert source.eslint() == []


@pytest.mark.item("CODE-02")
@pytest.mark.xdist_group("unit-tests")
def test_frontend_unit_tests_pass(frontend_tests: TestRun) -> None:
    """A broken page is found by its users instead."""
    assert frontend_tests.failures == []
    assert frontend_tests.total > 0, "no frontend test ran"


@pytest.mark.item("CODE-03")
@pytest.mark.xdist_group("unit-tests")
def test_backend_unit_tests_pass(backend_tests: TestRun) -> None:
    """A regression that a test already knows about would be shipped."""
    assert backend_tests.failures == []
    assert backend_tests.total > 0, "no backend test ran"


@pytest.mark.item("CODE-04")
@pytest.mark.xdist_group("unit-tests")
def test_line_coverage_is_enough(frontend_tests: TestRun, backend_tests: TestRun) -> None:
    """Passing tests say nothing about lines that none of them runs."""
    measured = {"frontend": frontend_tests.coverage_percent, "backend": backend_tests.coverage_percent}
    unmeasured = [side for side, percent in measured.items() if percent is None]
    if unmeasured:
        raise Unverified(f"no coverage was measured for {' and '.join(unmeasured)}")

    assert {
        side: pct for side, pct in measured.items() if pct is not None and pct < budgets.COVERAGE_PERCENT
    } == {}


@pytest.mark.item("CODE-05")
def test_source_has_no_unfinished_words(source: Source) -> None:
    """A TODO note in shipped code is unplanned work."""
    assert source.unfinished_words() == []


@pytest.mark.item("CODE-06")
def test_python_lint_and_types_are_clean(source: Source) -> None:
    """A field that a vendor leaves out surfaces when that vendor has a bad day."""
    assert source.ruff() + source.mypy() == []


@pytest.mark.item("CODE-07")
def test_locks_match_their_manifests(packages: Packages) -> None:
    """An installation that differs from machine to machine has been tested on none."""
    assert packages.npm_mismatches() + packages.python_mismatches() == []


@pytest.mark.item("CODE-08")
def test_every_route_keeps_its_contract(
    api: Api, job: Job, source: Source, stack: Stack, ledger: Ledger
) -> None:
    """Clients are written against openapi.yaml; an answer that differs breaks them."""
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


def _paying(api: Api, path: str, models: Sequence[str]) -> AbstractContextManager[object]:
    """Keep the price of a request to one route, which makes vendors work or does not."""
    what = f"POST {path} as the contract has it"
    if path == "/generate":
        return api.paying(what, models=models)
    return api.paying(what, enhancements=1) if path == "/enhance" else nullcontext()


@pytest.mark.item("CODE-09")
def test_every_model_yields_an_image(api: Api, job: Job, cdn: Cdn, stack: Stack) -> None:
    """Users pay attention to the one picture that is missing."""
    wrong, urls = {}, set()
    rate_limited = _rate_limited(job)
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
    _require_no_rate_limit(api, rate_limited)
    assert job.status == "completed"
    together_ms = sum(result["durationMs"] for result in job.results)
    told = stack.worker_log.wait_for(job.id, job.asked, lambda events: bool(_durations(events)))
    if not _durations(told):
        raise Unverified(f"{stack.worker_log!r} does not tell how long job {job.id} took")
    took_ms = min(_durations(told))
    assert took_ms < budgets.AT_ONCE_RATIO * together_ms, (
        f"the job took {took_ms} ms where its models took {together_ms} ms together: one was asked after the other"
    )


def _rate_limited(job: Job) -> Sequence[str]:
    """The models that made no image because their vendors let no more requests through at the moment."""
    return [
        str(result["model"])
        for result in job.results
        if not result.get("imageUrl") and (result.get("error") or {}).get("code") == "rate_limited"
    ]


def _require_no_rate_limit(api: Api, models: Sequence[str]) -> None:
    """Raise Unverified if a rate limit kept models from making images.

    Raises:
        Unverified: there are such models.
    """
    if models:
        vendors = api.vendors()
        who = ", ".join(sorted({vendors.get(model, "unknown") for model in models}))
        raise Unverified(
            f"rate_limited by {who} for {', '.join(models)}, every other image is there; "
            "wait a minute, or have the vendor raise the limit of the key, then run again",
            cause=f"{who} answers rate_limited",
        )


@pytest.mark.item("CODE-10")
def test_gallery_shows_images_just_made(api: Api, job: Job, stack: Stack, cdn: Cdn, ledger: Ledger) -> None:
    """A user's pictures would be paid for, and the user could not find them again."""
    prompt = f"a jetty at dawn, seen by verification run {uuid.uuid4().hex}"
    # Nothing about it is different from a user's, and it is gone before the check ends.
    with _withdrawn(stack, prompt):
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


@contextmanager
def _withdrawn(stack: Stack, prompt: str) -> Iterator[None]:
    """Every job of this prompt leaves the users' gallery with the context.

    One that cannot be withdrawn makes a check that held UNVERIFIED; it takes no other verdict's place.
    """

    def withdraw() -> None:
        for key in stack.table.keys_where("prompt", [prompt]):
            stack.withdraw(key.removeprefix("job#"))

    try:
        yield
    except BaseException:
        with suppress(Unverified):
            withdraw()
        raise
    withdraw()


@pytest.mark.item("CODE-11")
def test_enhanced_prompt_is_richer_and_keeps_its_subject(api: Api) -> None:
    """Users would get their own prompt back, or a prompt for a different picture."""
    prompt = "a red lighthouse"
    with api.paying("an enhanced prompt", enhancements=1):
        answer = api.call("POST", "/enhance", json_body={"prompt": prompt})
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Unverified(f"nothing to check: {answer!r}")

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


@pytest.mark.item("CODE-14")
@pytest.mark.xdist_group("browser")
def test_page_survives_a_render_error(visit: OpenPage, listed_job: Job, stack: Stack) -> None:
    """One unexpected field would empty the whole page, and only the user would notice."""
    with visit(None) as tab:
        page, reports = tab.page, tab.posts("/log")
        _open(tab, "/no-such-page", "main a[href]")  # which has no picture of its own
        page.evaluate(_NO_MORE_PICTURES)
        asked = datetime.now(UTC)
        page.get_by_role("link", name="Gallery", exact=True).click()
        alert = page.get_by_role("alert")
        assert tab.shows(alert, budgets.PAGE_DEADLINE), (
            "nothing on the page says that a part of it has failed"
        )
        assert tab.shows(page.get_by_role("navigation"), budgets.PAGE_DEADLINE), (
            "the rest of the page has to continue"
        )
        assert tab.until(lambda: reports, budgets.PAGE_DEADLINE), "the failure was not reported"
        (answer,) = reports
        report = json.loads(answer.request.post_data or "{}")
        assert answer.ok, f"POST /log -> {answer.status}"
        assert _RENDER_ERROR in report["message"], report
        assert report["correlationId"] in alert.inner_text(), "the user is given no reference to the report"

        page.evaluate("() => window.restorePictures()")
        alert.get_by_role("button", name="Try again").click()
        assert tab.shows(page.get_by_role("link", name=listed_job.prompt).first), (
            "no way back from the failure"
        )
    logged = stack.api_log.wait_for(
        report["correlationId"],
        asked,
        lambda events: any(_RENDER_ERROR in event.message for event in events),
    )

    if not logged:
        within = general.LOG_DEADLINE.total_seconds()
        raise Unverified(f"nothing of {report['correlationId']} in the API's log within {within:.0f} s")
    assert any(_RENDER_ERROR in event.message for event in logged), logged


@pytest.mark.item("CODE-15")
@pytest.mark.xdist_group("browser")
@pytest.mark.usefixtures("listed_job")  # or there would be nothing in the gallery to look at
def test_page_is_usable_on_a_phone(visit: OpenPage, shown_job: Job) -> None:
    """A panel of fixed width pushes the Generate button off a phone's screen."""
    wrong = []
    with visit(None, phone=True, screen=_PHONE, answering=True) as tab:
        tab.answer("POST", "/generate", _accepted(shown_job))
        tab.go("/")
        _type_and_send(tab, shown_job.prompt)
        seen = tab.loaded(_images(tab), len(shown_job.image_urls), budgets.PAGE_DEADLINE)
        tab.page.locator("summary").click()  # the settings, which are closed at first
        wrong += [f"while generating: {problem}" for problem in _hard_on_a_thumb(tab)]
        for path, sign in _pages(shown_job).items():
            _open(tab, path, sign)
            wrong += [f"{path}: {problem}" for problem in _hard_on_a_thumb(tab)]

    assert wrong == []
    assert sorted(seen) == sorted(shown_job.image_urls)


@pytest.mark.item("CODE-16")
@pytest.mark.xdist_group("browser")
def test_page_is_usable_on_slow_3g(visit: OpenPage, shown_job: Job) -> None:
    """A white page is left; a wait without progress makes people press again, and each press is paid for."""
    with visit(None, phone=True, screen=_PHONE) as tab:
        _slow_down(tab)
        tab.page.add_init_script(_WATCH_THE_PROMPT)
        before = tab.waited()
        tab.go("/")
        took = tab.measured("() => window.promptSeen", 3 * budgets.SLOW_3G_INTERACTIVE)
        _within("the page took no input", took, budgets.SLOW_3G_INTERACTIVE, tab.waited() - before)

    with visit(None, phone=True, screen=_PHONE, answering=True) as tab:
        tab.answer("POST", "/generate", _accepted(shown_job, after=_LONG_ENOUGH_TO_NOTICE))
        tab.answer("GET", f"/status/{shown_job.id}", Answered(_waiting(shown_job)), LIVE)
        tab.go("/")
        prompt = tab.page.get_by_label("Prompt", exact=True)
        assert tab.shows(prompt, budgets.PAGE_DEADLINE), (tab.complaints, _said(tab.page))
        _slow_down(tab)
        prompt.fill(shown_job.prompt)
        tab.page.evaluate(_WATCH_PROGRESS, len(shown_job.image_urls))
        before = tab.waited()
        tab.page.get_by_role("button", name="Generate").click()
        assert tab.until(lambda: tab.page.evaluate("() => window.allArrived"), 2 * budgets.PAGE_DEADLINE), (
            "the images of a job that has ended never appeared"
        )
        unseen = timedelta(milliseconds=tab.page.evaluate("() => window.longestGap"))
        _within("no progress was on screen", unseen, budgets.PROGRESS_GAP, tab.waited() - before)


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
    (told,) = (each for each in contract.operations() if str(each) == "GET /status/{jobId}")
    failed = {result["model"]: result.get("error") for result in job.results if not result.get("imageUrl")}

    assert failed.keys() == set(drill["down"]), job.results
    assert job.status == "partial", job.results
    assert job.done == budgets.MODELS, f"all models are done, and the status says {job.done}"
    assert len(_delivered(job)) == budgets.MODELS - 1
    assert _stored(stack, job) == _delivered(job)
    assert [error and error.get("code") for error in failed.values()] == ["unavailable"], failed
    assert all(error.get("message") for error in failed.values() if error), failed
    assert [error for error in failed.values() if error and _shows_insides(error["message"])] == []
    assert contract.problems(told, api.call("GET", f"/status/{job.id}")) == []


@pytest.mark.item("CODE-20")
def test_a_job_delivered_again_is_left_alone(api: Api, job: Job, stack: Stack) -> None:
    """SQS delivers at least once: nine vendors would be paid again."""
    stored = stack.bucket.objects(f"images/{job.id}/")
    sent = datetime.now(UTC)
    message = stack.queue.send({"jobId": job.id, "correlationId": job.correlation_id})
    told = stack.worker_log.wait_for(
        message, sent, lambda events: any(event.fields.get("event") in _DELIVERY_ENDS for event in events)
    )
    ends = [event.fields["event"] for event in told if event.fields.get("event") in _DELIVERY_ENDS]

    assert [event.message for event in told if "model" in event.fields] == []
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


@pytest.mark.item("CODE-21")
def test_no_dependency_is_far_behind(packages: Packages) -> None:
    """The longer the wait, the larger the jump that an emergency demands."""
    assert [package for package in packages.behind() if package.majors > budgets.MAJORS_BEHIND] == []


@pytest.mark.item("CODE-22")
@pytest.mark.xdist_group("browser")
@pytest.mark.usefixtures("listed_job")  # or there would be nothing in the gallery to look at
def test_axe_finds_nothing_serious(visit: OpenPage, shown_job: Job) -> None:
    """An icon button without a name does not exist for a screen reader."""
    found = []
    with visit(None) as tab:
        for path, sign in _pages(shown_job).items():
            _open(tab, path, sign)
            found += _serious(tab, path)
    with visit(None, answering=True) as tab:
        for state, (answer, sign) in _GALLERY_STATES.items():
            tab.answer("GET", "/gallery/list", answer)
            _open(tab, "/gallery", sign)
            found += _serious(tab, f"/gallery, {state}")

    assert found == []


@pytest.mark.item("CODE-24")
def test_page_names_the_hash_of_its_code(source: Source) -> None:
    """A script that was replaced under its own name would run in every visitor's browser."""
    assert Artefacts(source.app).unguarded_code() == []


@pytest.mark.item("CODE-25")
def test_contract_allows_and_tells_what_the_api_does(api: Api, source: Source, stack: Stack) -> None:
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


@pytest.mark.item("CODE-23")
@pytest.mark.xdist_group("browser")
def test_the_whole_journey_works(visit: OpenPage, api: Api, cdn: Cdn, stack: Stack, ledger: Ledger) -> None:
    """Page and API can each be right by their own tests and still disagree; users meet only the sum."""
    models = api.models()
    retried = ledger.cheapest(models)
    with api.paying("a job of the page and the retry of one image", models=[*models, retried]):
        _travel(visit, api, cdn, stack, ledger)


def _travel(visit: OpenPage, api: Api, cdn: Cdn, stack: Stack, ledger: Ledger) -> None:
    """Prompt, images, gallery, and the retry of one image, as a user meets them."""
    prompt = f"a tide pool at noon, seen by verification run {uuid.uuid4().hex}"
    # The page marks nothing: its jobs are users' jobs, and leave the gallery when this has been seen.
    with _withdrawn(stack, prompt), visit() as tab:
        _type_and_send(tab, prompt)
        failed_tiles = tab.page.locator("main .tile--failed")
        made = tab.loaded(
            _images(tab),
            budgets.MODELS,
            budgets.JOB_DEADLINE,
            lambda: tab.complaints or failed_tiles.count(),
        )
        if len(made) < budgets.MODELS and failed_tiles.count():
            made = _without_those_that_failed(tab, api)
        elif len(made) < budgets.MODELS:
            _wait_for_its_job(tab, api)
        assert len({cdn.path(url) for url in made}) == budgets.MODELS, (tab.complaints, _said(tab.page))

        tab.page.get_by_role("link", name="Gallery", exact=True).click()
        entry = tab.page.get_by_role("link", name=prompt)
        assert tab.shows(entry, budgets.PAGE_DEADLINE), f"the gallery does not list {prompt!r}"
        entry.click()
        assert tab.shows(tab.page.get_by_role("heading", name=prompt)), "the gallery's entry does not open"
        kept = tab.loaded(_images(tab), budgets.MODELS, budgets.PAGE_DEADLINE)
        gallery = _last_of(tab)
        memory, complaints = tab.memory(), tab.complaints

    job = api.look(gallery, prompt)
    retried = ledger.cheapest([result["model"] for result in job.results])
    failed = next(result for result in job.results if result["model"] == retried)
    with visit(None, answering=True, memory=memory) as tab:
        tab.answer("GET", f"/status/{job.id}", Answered(_status(job, "partial", _failed(failed))))
        asked = tab.posts("/generate")
        _open(tab, f"/job/{job.id}", "main .tile--failed button")
        tab.page.get_by_role("button", name="Try again").click()
        whole = tab.loaded(_images(tab), budgets.MODELS, budgets.JOB_DEADLINE, lambda: tab.complaints)
        assert len(asked) == 1, f"a retry is one request, and the page made {len(asked)}"
        retry = api.wait(asked[0].json()["jobId"], prompt, timedelta())
        if not retry.image_urls:
            _require_no_rate_limit(api, _rate_limited(retry))

    assert sorted(kept) == sorted(made)
    assert [result["model"] for result in retry.results] == [failed["model"]]
    assert sorted(whole) == sorted({*made, *retry.image_urls} - {failed["imageUrl"]})
    assert complaints + tab.complaints == []


OpenPage = Callable[..., AbstractContextManager[Visit]]

_PHONE = ViewportSize(width=budgets.PHONE[0], height=budgets.PHONE[1])

_RENDER_ERROR = "no picture can be shown"

# Whatever makes elements, a framework has to ask the document for them while it renders.
_NO_MORE_PICTURES = f"""() => {{
  const before = {{ createElement: document.createElement, createElementNS: document.createElementNS }};
  for (const name of Object.keys(before)) {{
    document[name] = function (...words) {{
      if (words.includes('img')) throw new Error('{_RENDER_ERROR}');
      return before[name].apply(document, words);
    }};
  }}
  window.restorePictures = () => Object.assign(document, before);
}}"""

_WATCH_THE_PROMPT = """(() => {
  const watch = setInterval(() => {
    if (!document.querySelector('textarea:enabled')?.checkVisibility()) return;
    window.promptSeen = performance.now();
    clearInterval(watch);
  }, 20);
})()"""

_LONG_ENOUGH_TO_NOTICE = timedelta(seconds=2)

# How long in one go nothing on the screen said that work goes on, from the press to the last picture.
_WATCH_PROGRESS = """(pictures) => {
  window.longestGap = 0;
  const shown = (bar) => {
    const box = bar.getBoundingClientRect();
    return bar.checkVisibility({ visibilityProperty: true }) && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
  };
  const arrived = (picture) => picture.checkVisibility() && picture.getBoundingClientRect().height > 0;
  addEventListener('click', () => {
    let seen = performance.now();
    const watch = setInterval(() => {
      if ([...document.querySelectorAll('main .grid img')].filter(arrived).length >= pictures) {
        window.allArrived = true;
        clearInterval(watch);
        return;
      }
      const now = performance.now();
      if ([...document.querySelectorAll('progress, [role=progressbar]')].some(shown)) seen = now;
      window.longestGap = Math.max(window.longestGap, now - seen);
    }, 25);
  }, { once: true, capture: true });
}"""

_REFUSED = {"error": {"code": "internal_error", "message": "no", "correlationId": "verify"}}
_GALLERY_STATES = {
    "empty": (Answered({"galleries": []}), "main a[href]"),
    "failed": (Answered(_REFUSED, HTTPStatus.INTERNAL_SERVER_ERROR), "[role=alert]"),
    "loading": (Answered(after=None), "main [aria-busy=true]"),
}


def _accepted(job: Job, after: timedelta = timedelta()) -> Answered:
    """The answer that would have made a job which is there already, so that nothing is paid for."""
    return Answered({"jobId": job.id, "totalModels": len(job.results)}, HTTPStatus.ACCEPTED, after)


def _waiting(job: Job) -> dict[str, Any]:
    """Return the status of a job that no worker has begun."""
    return _status(
        job, "pending", *({"model": result["model"], "status": "pending"} for result in job.results)
    )


def _failed(result: Mapping[str, Any]) -> dict[str, Any]:
    """The same model, had its vendor not answered."""
    error = {"code": "unavailable", "message": "The model's vendor does not answer."}
    return {"model": result["model"], "status": "failed", "error": error}


def _status(job: Job, status: str, *others: Mapping[str, Any]) -> dict[str, Any]:
    """What the API would say of a job, had it come to other results at some models."""
    changed = {other["model"]: other for other in others}
    results = [changed.get(result["model"], result) for result in job.results]
    done = sum(result["status"] in ("completed", "failed") for result in results)
    return {"jobId": job.id, "status": status, "completed": done, "total": len(results), "results": results}


def _pages(job: Job) -> dict[str, str]:
    """Every kind of page that the site has, and what shows that it has what it needs."""
    return {
        "/": "form textarea",
        f"/job/{job.id}": "main li img",
        "/gallery": "main li img",
        f"/gallery/{job.id}": "main li img",
        "/no-such-page": "main a[href]",
    }


def _open(tab: Visit, path: str, sign: str) -> None:
    tab.go(path)
    assert tab.shows(tab.page.locator(sign), budgets.PAGE_DEADLINE), (path, tab.complaints, _said(tab.page))
    assert tab.shows(tab.page.locator("h1"), budgets.PAGE_DEADLINE), f"{path} has no heading"


def _images(tab: Visit) -> Locator:
    """The images of the one job that the page shows."""
    return tab.page.locator("main .grid img")


def _type_and_send(tab: Visit, prompt: str) -> None:
    field = tab.page.get_by_label("Prompt", exact=True)
    assert tab.shows(field, budgets.PAGE_DEADLINE), (tab.complaints, _said(tab.page))
    field.fill(prompt)
    tab.page.get_by_role("button", name="Generate").click()


def _slow_down(tab: Visit) -> None:
    tab.throttle(kbit_per_second=budgets.SLOW_3G_KBIT_PER_SECOND, round_trip=budgets.SLOW_3G_ROUND_TRIP)


def _last_of(tab: Visit) -> str:
    """The last part of the page's address: the id of what it shows."""
    return urlsplit(tab.page.url).path.rpartition("/")[2]


def _wait_for_its_job(tab: Visit, api: Api) -> None:
    """A page cannot show what is not made yet.

    Raises:
        Unverified: the page says of no failure, and the job that it shows has not ended.
    """
    if "/job/" in tab.page.url and not tab.complaints and not tab.page.get_by_role("alert").count():
        api.wait(_last_of(tab), "", timedelta())


def _without_those_that_failed(tab: Visit, api: Api) -> Sequence[str]:
    """The images that the page shows in the end, where it says that some could not be made.

    Raises:
        Unverified: it shows all but those whose vendors let no more requests through.
    """
    job = api.wait(_last_of(tab), "")
    made = tab.loaded(_images(tab), len(job.image_urls), budgets.PAGE_DEADLINE, lambda: tab.complaints)
    rate_limited = _rate_limited(job)
    if len(made) == len(job.image_urls) == budgets.MODELS - len(rate_limited):
        _require_no_rate_limit(api, rate_limited)
    return made


def _within(what: str, took: timedelta, budget: timedelta, lost: timedelta) -> None:
    """Hold a duration against its budget, unless this machine's own load may have made the difference.

    Args:
        what: completes the sentence '... for so long'.
        took: what was measured.
        budget: the most that it may be.
        lost: the most of it that the browser can have spent waiting for a processor.
    """
    if took - lost <= budget < took:
        raise Unverified(
            f"{what} for {took.total_seconds():.2f} s, more than {budget.total_seconds():.2f} s, but up to "
            f"{lost.total_seconds():.2f} s of them the browser waited for a processor; run again when the machine is less busy"
        )
    assert took <= budget, f"{what} for {took.total_seconds():.2f} s"


def _said(page: Page) -> str:
    return page.locator("body").inner_text()[:300]


def _hard_on_a_thumb(tab: Visit) -> list[str]:
    """Return what is wider than the screen, and the targets that are too small or partly off the screen."""
    wide = tab.overflow()
    return ([wide] if wide else []) + [
        repr(target)
        for target in tab.targets()
        if min(target.width, target.height) < budgets.TARGET_PIXELS
        or target.left < 0
        or target.right > budgets.PHONE[0]
    ]


def _serious(tab: Visit, where: str) -> list[str]:
    """What axe calls serious or critical, in both themes."""
    grave = []
    for dark in (False, True):
        tab.prefer(dark=dark)
        grave += [
            f"{where}{', dark' if dark else ''}: {violation!r}"
            for violation in tab.axe()
            if violation.impact in ("serious", "critical")
        ]
    return grave


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

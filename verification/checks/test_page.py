"""Section Code: the page in a browser, as its users see it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, ViewportSize

from readiness import budgets as general
from readiness.errors import Unverified
from readiness.ledger import Ledger
from readiness.probes.cdn import Cdn
from readiness.probes.wire import LIVE, Answered
from verification import budgets
from verification.probes.api import Api, Job
from verification.probes.browser import Visit
from verification.stack import Stack

pytestmark = pytest.mark.code


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
    with stack.withdrawn(prompt), visit() as tab:
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
            api.require_no_rate_limit(retry.rate_limited)

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
    rate_limited = job.rate_limited
    if len(made) == len(job.image_urls) == budgets.MODELS - len(rate_limited):
        api.require_no_rate_limit(rate_limited)
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

"""readiness/report/html.py and templates.py; how it looks is in test_in_a_browser.py"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from readiness.errors import Gap
from readiness.report import html, origin
from readiness.report.document import build
from readiness.report.run import Picture
from readiness.report.templates import code_spans
from readiness.verdict import Outcome, Result, Waived
from tests.report import examples

VOID = {"br", "img", "meta", "link", "input"}


class Page(HTMLParser):
    """The tags and the text of a fragment, which has to be well formed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text, self.links, self.ids = [], [], "", [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & {*self.open}:
            self.text += data


def said(text):
    return " ".join(Page(text).text.split())


def test_the_verdict_the_facts_and_every_item_are_shown(page):
    results = (
        Result("SEC-01", Outcome.PASS, node="a/test_a.py::test_door", seconds=1.234, line=7),
        Result("SEC-02", Outcome.FAIL, "it is open", evidence="assert 403 == 200", read={"doors": "<3>"}),
        Result("CDN-01", Outcome.UNVERIFIED, "no such service", gap=Gap.NEEDS_AWS, evidence="traceback"),
        Result(
            "CDN-02", Outcome.WAIVED, "waived until 2027-01-01", waiver=Waived("why", "Ada", "2027-01-01", 5)
        ),
        Result(
            "CDN-03",
            Outcome.PASS,
            observed=[("stack.timeout == 900", "900 == 900")],
            exchanges=["<GET /health -> 200> in 3 ms"],
            output="Captured log call: slow",
        ),
    )
    text = page(*results)
    shown = said(text)

    for words in (
        "NOT READY (1 failed, 1 unverified, 1 waived)",
        "Do not release. 1 claim does not hold: begin with SEC-02.",
        "account ********9012",
        "a/test_a.py::test_door, line 7, in 1.2 s",
        "assert 403 == 200",
        "needs AWS",
        "doors<3>",
        "waived, 5 days left",
        "stack.timeout == 900900 == 900",
        "<GET /health -> 200> in 3 ms",
        "Captured log call: slow",
        "Not signed: not ready.",
    ):
        assert words in shown
    for result in results:
        for words in (
            result.item,
            result.reason,
            *(f"{what} of {result.item}." for what in ("Claim", "Why", "Remedy")),
        ):
            assert words in shown
    assert "traceback" not in shown, "a declared gap needs no evidence"
    tags = Page(text).tags
    assert (tags.count("details"), tags.count("article")) == (5, 3)
    assert "../a/test_a.py" in Page(text).links


@pytest.mark.parametrize("name", examples.KINDS)
def test_a_page_needs_no_network_and_its_links_lead_somewhere(make, tmp_path, name):

    run = examples.kind(make, name, tmp_path / "history")
    text = html.summary(build(run), run.pictures, folder=tmp_path, suite=tmp_path)
    found = Page(text)

    assert len(found.ids) == len({*found.ids})
    for link in found.links:
        assert link.startswith(("#", "data:", "./verification/checks/"))
        assert not link.startswith("#") or link[1:] in found.ids
    assert not re.search(r"@import|url\((?!#)", text)


def test_findings_are_a_list_and_a_cause_is_shown_once(make, tmp_path):
    run = examples.kind(make, "much-at-once", tmp_path / "history")
    shown = said(html.summary(build(run), run.pictures, folder=tmp_path, suite=tmp_path))

    top = shown.partition("Every item")[0]
    assert "backend/src/pixel_prompt/storage.py:12 F401 os imported but unused remove import os" in top
    assert "and 77 more; verification.json holds all of them." in top
    assert "storage.py:13" not in shown
    assert top.count("has no resource 'WorkerFunction'; declare it") == 1
    assert (
        "UNVERIFIED 5 items could not be checked Cause: stack 'pixel-prompt-staging' has no resource" in top
    )
    assert "CONF-02 Every provider credential is accepted critical" in top


@pytest.mark.parametrize("emulated", [True, False])
def test_a_rehearsal_is_called_one(page, make, emulated):
    run = make(Result("SEC-01", Outcome.PASS), emulated=emulated)

    assert (
        "The embedded AWS answered, not AWS." in said(page(Result("SEC-01", Outcome.PASS), emulated=emulated))
    ) is emulated
    assert html.title(run.environment) == f"Verification of pixel-prompt-staging{' (emulated)' * emulated}"


@pytest.mark.parametrize(
    ("outcome", "emulated", "kind"),
    [
        (Outcome.PASS, False, ""),
        (Outcome.PASS, True, " doubt"),
        (Outcome.FAIL, False, " not"),
        (Outcome.UNVERIFIED, True, " not"),
    ],
)
def test_only_a_good_run_on_aws_is_green(page, outcome, emulated, kind):
    text = page(Result("SEC-01", outcome), emulated=emulated)

    assert f'<header class="verdict{kind}">' in text
    assert ("<article" in text) is (outcome is not Outcome.PASS)


@pytest.mark.parametrize("field", ["reason", "evidence", "node", "output"])
def test_no_result_brings_its_own_markup(page, field):
    wild = "<script>alert(1)</script></pre></main>\"'&amp;<img src=x onerror=alert(1)>"
    text = page(Result("SEC-01", Outcome.FAIL, **{field: wild}))

    assert Page(text).tags.count("script") == 1
    assert "img" not in Page(text).tags
    assert " ".join(wild.split()) in said(text)


@pytest.mark.parametrize("field", ["title", "claim", "why", "remedy"])
def test_no_item_brings_its_own_markup(page, field):
    wild = "<script>alert(1)</script>"
    text = page(Result("SEC-01", Outcome.FAIL), texts={field: wild})

    assert Page(text).tags.count("script") == 1
    assert wild in said(text)


def test_a_link_to_published_code_is_one(page, monkeypatch):

    monkeypatch.setattr(origin, "code_address", lambda _: "https://github.com/o/r/blob/0123")

    links = Page(page(Result("SEC-01", Outcome.PASS, node="a.py::t", line=7))).links
    assert "https://github.com/o/r/blob/0123/a.py#L7" in links


def test_what_changed_and_budgets_are_shown_if_there_are_any(make, tmp_path):

    run = examples.kind(make, "failing", tmp_path / "history")
    shown = said(html.summary(build(run), run.pictures, folder=tmp_path, suite=tmp_path))

    assert "Newly failing: SEC-10 (was pass)" in shown
    assert "Still failing: INF-07 (since 2026-11-20T08:00:00+00:00)" in shown
    assert "Newly unverified: CDN-05 (was pass)" in shown
    assert "Fixed: CONF-05" in shown
    assert "1 of the performance budgets not seen to be held" in shown
    assert "api: GET /status p95341.0 ms< 300 msover" in shown


def everything_fails(pictures=0, text=30_000):
    long = "é" * text
    results = [
        examples.ended(
            id_,
            Outcome.FAIL,
            "a long story " * 45,
            evidence=long,
            output=long[:5000],
            exchanges=[long[:500]] * 6,
        )
        for id_ in examples.ITEMS
    ]
    picture = examples.picture(size=(1280, 800)) if pictures else ""
    return results, {id_: [Picture("/", picture)] for id_ in list(examples.ITEMS)[:pictures]}


@pytest.mark.parametrize(
    ("pictures", "text", "cut"),
    [
        (0, 30_000, "texts after 2000 characters each."),
        (9, 300, "pictures left out."),
        pytest.param(60, 30_000, "60 pictures left out.", marks=pytest.mark.further),
        (2, 300, ""),
    ],
)
def test_when_everything_fails_it_stays_small_and_says_what_was_cut(make, tmp_path, pictures, text, cut):

    results, left = everything_fails(pictures, text)
    run = make(*results, items=examples.ITEMS, pictures=left)

    page = html.summary(build(run), run.pictures, folder=tmp_path, suite=tmp_path)

    assert len(page.encode()) <= html.LIMIT - 60_000
    shown = said(page)
    assert f"NOT READY ({len(results)} failed)" in shown
    assert "characters and more cut" in shown or text < 2000
    assert f"{len(results) - 30} of {len(results)} items that need attention are told below alone." in shown
    assert cut in shown
    assert shown.count("a long story a long story") >= len(results)
    Page(page)


def test_what_fits_in_no_way_is_an_error_and_no_half_page(make, tmp_path):

    run = make(Result("SEC-01", Outcome.FAIL), texts={"why": "w" * 2_000_000})

    with pytest.raises(ValueError, match="does not fit into 2000000 bytes"):
        html.summary(build(run), {}, folder=tmp_path, suite=tmp_path)


def test_the_frame_is_corrected_or_reported_as_another(tmp_path):
    file = tmp_path / "a.html"
    head = '<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset="utf-8"/></head><body>'
    whole = f'{head}<img src="" /><input checked="true"><style>\n:root {{ a }}</style></body>'
    file.write_text(whole)
    html.correct(file)
    text = file.read_text()
    assert '<html lang="en">' in text
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in text
    assert text.index("<style>") < text.index("</head>")

    with pytest.raises(ValueError, match="the report's style is not where it was put"):
        html.correct(file)
    file.write_text(whole.replace('checked="true"', "checked"))
    with pytest.raises(ValueError, match='does not hold checked="true" any more'):
        html.correct(file)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("set `Timeout` to 29", "set <code>Timeout</code> to 29"),
        ("`a` and `b`", "<code>a</code> and <code>b</code>"),
        ("`<b>`", "<code>&lt;b&gt;</code>"),
        ("a ` alone", "a ` alone"),
        ("</p><script>", "&lt;/p&gt;&lt;script&gt;"),
    ],
)
def test_inline_code_is_shown_as_code_and_nothing_else_as_markup(text, expected):
    assert str(code_spans(text)) == expected

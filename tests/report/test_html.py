"""verification/report/html.py and templates.py"""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from verification.errors import Gap
from verification.report import html
from verification.report.templates import code_spans
from verification.verdict import Outcome, Result

VOID = {"br", "img", "meta", "link", "input"}


class Page(HTMLParser):
    """The tags and the text of a fragment, which has to be well formed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def test_the_verdict_the_facts_and_every_item_are_shown(make):
    run = make(
        Result("SEC-01", Outcome.PASS, node="test_a.py::test_door", seconds=1.234),
        Result("SEC-02", Outcome.FAIL, "it is open", evidence="assert 403 == 200", read={"doors": "<3>"}),
        Result("CDN-01", Outcome.UNVERIFIED, "no such service", gap=Gap.NEEDS_AWS, evidence="traceback"),
        Result("CDN-02", Outcome.WAIVED, "waived until 2027-01-01"),
    )
    page = Page(html.summary(run))

    assert "NOT READY (1 failed, 1 unverified, 1 waived)" in page.text
    assert "account ********9012" in page.text
    for result in run.verdict.results:
        item = run.items[result.item]
        for text in (item.id, item.title, item.claim, item.why, item.remedy, result.reason, result.node):
            assert text in page.text
    assert "test_a.py::test_door in 1.23 s" in page.text
    assert "assert 403 == 200" in page.text
    assert "needs AWS" in page.text
    assert "doors" in page.text
    assert "<3>" in page.text
    assert "traceback" not in page.text, "a declared gap needs no evidence"
    assert page.tags.count("details") == 4
    assert page.tags.count("article") == 3


@pytest.mark.parametrize("emulated", [True, False])
def test_a_rehearsal_is_called_one(make, emulated):
    run = make(Result("SEC-01", Outcome.PASS), emulated=emulated)

    assert ("The embedded AWS answered, not AWS." in Page(html.summary(run)).text) is emulated
    assert html.title(run.environment) == f"Verification of pixel-prompt-staging{' (emulated)' * emulated}"


@pytest.mark.parametrize(("outcome", "attention"), [(Outcome.PASS, False), (Outcome.FAIL, True)])
def test_only_what_needs_attention_is_put_before_it(make, outcome, attention):
    text = html.summary(make(Result("SEC-01", outcome)))

    assert ("Needs attention" in text) is attention
    assert ('class="verdict not"' in text) is attention


@pytest.mark.parametrize("field", ["reason", "evidence", "node"])
def test_no_result_brings_its_own_markup(make, field):
    wild = "<script>alert(1)</script></pre></main>\"'&amp;<img src=x onerror=alert(1)>"
    page = Page(html.summary(make(Result("SEC-01", Outcome.FAIL, **{field: wild}))))

    assert "script" not in page.tags
    assert "img" not in page.tags
    assert wild in page.text


@pytest.mark.parametrize("field", ["title", "claim", "why", "remedy"])
def test_no_item_brings_its_own_markup(make, field):
    wild = "<script>alert(1)</script>"
    page = Page(html.summary(make(Result("SEC-01", Outcome.FAIL), texts={field: wild})))

    assert "script" not in page.tags
    assert wild in page.text


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

"""verification/report/markdown.py"""

from __future__ import annotations

import pytest

from verification.report.markdown import cell, render
from verification.verdict import Outcome, Result

LIMIT = 65_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a | b", "a \\| b"),
        ("<script>", "&lt;script>"),
        ("`code`", "'code'"),
        ("one\ntwo\r\n\n three\t", "one two three"),
        ("a\u2028b\x0cc\x85d", "a b c d"),
    ],
)
def test_a_text_cannot_break_out_of_its_cell(text, expected):
    assert cell(text) == expected


def table(text):
    return text.partition("## Every item")[2]


def test_the_verdict_comes_first_and_every_item_is_there(make):
    text = render(
        make(
            Result("SEC-01", Outcome.PASS),
            Result("SEC-02", Outcome.FAIL, "it is open"),
            Result("CDN-01", Outcome.UNVERIFIED, "denied s3:GetObject"),
            Result("CDN-02", Outcome.WAIVED, "waived until 2027-01-01"),
        )
    )

    assert text.startswith("# NOT READY (1 failed, 1 unverified, 1 waived)\n")
    assert "| Stack | pixel-prompt-staging in eu-west-1, account ********9012 |" in text
    assert "| security | 1 | 1 | 0 | 0 |" in text
    assert "| cloudfront | 0 | 0 | 1 | 1 |" in text
    assert "### SEC-02 Title of SEC-02 (high, fail)" in text
    assert "- Observed: it is open\n- Why it matters: Why of SEC-02.\n- Remedy: Remedy of SEC-02." in text
    assert "| SEC-01 | high | Title of SEC-01 | pass |  |" in table(text)
    assert "| SEC-02 | high | Title of SEC-02 | **FAIL** | it is open |" in table(text)
    assert "| CDN-01 | high | Title of CDN-01 | *unverified* | denied s3:GetObject |" in table(text)
    assert "| CDN-02 | high | Title of CDN-02 | waived | waived until 2027-01-01 |" in table(text)
    assert "Cut at" not in text


@pytest.mark.parametrize("emulated", [True, False])
def test_a_rehearsal_is_called_one(make, emulated):
    text = render(make(Result("SEC-01", Outcome.PASS), emulated=emulated))

    assert ("**Emulated.** The embedded AWS answered, not AWS." in text) is emulated


def test_nothing_to_attend_to_has_no_heading(make):
    assert "Needs attention" not in render(make(Result("SEC-01", Outcome.PASS)))


def test_a_wild_reason_stays_in_its_row(make):
    reason = "a | b\n| c | d |\n`x` <img src=x>\n## READY"
    text = render(make(Result("SEC-01", Outcome.FAIL, reason), Result("SEC-02", Outcome.PASS)))

    rows = [line for line in table(text).splitlines() if line.startswith("| SEC-")]
    assert (
        rows[0]
        == "| SEC-01 | high | Title of SEC-01 | **FAIL** | a \\| b \\| c \\| d \\| 'x' &lt;img src=x> ## READY |"
    )
    assert len(rows) == 2
    assert "\n## READY" not in text
    assert "<img" not in text


def test_a_report_that_is_too_long_is_cut_and_says_so(make):
    results = [Result(f"SEC-{number:02}", Outcome.FAIL, "a long story | " * 40) for number in range(98)]

    text = render(make(*results, emulated=True))

    assert LIMIT - 2000 < len(text) <= LIMIT
    assert text.startswith("# NOT READY (98 failed)")
    assert text.endswith("\n\nCut at 65000 characters; verification.html holds everything.\n")
    assert "**Emulated.**" in text
    last = text.partition("\n\nCut at")[0].rstrip().rpartition("\n")[2]
    assert last.endswith(("(high, fail)", "story \\|", ".", "|")), "a line is whole or not there"


def test_the_note_that_it_was_cut_has_its_place_within_the_limit(make):
    results = [Result(f"SEC-{number}", Outcome.PASS) for number in range(2500)]

    text = render(make(*results, texts={"title": "x"}))

    assert LIMIT - 100 < len(text) <= LIMIT

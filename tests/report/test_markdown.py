"""readiness/report/markdown.py, rendered as GitHub does it"""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from readiness.report.document import build as document_of
from readiness.report.markdown import LIMIT, cell, code, code_cell, render
from readiness.verdict import Outcome, Result, Waived
from tests.report import examples

COMMENT, SUMMARY = 65_536, 1024 * 1024  # characters, bytes; GitHub's


def rendered(text):
    """The HTML of it, with tables; inline HTML is passed on, as GitHub passes on `details`."""
    return MarkdownIt("commonmark").enable("table").render(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a | b", "a \\| b"),
        ("<script>", "&lt;script>"),
        ("set `Timeout`", "set `Timeout`"),
        ("one\ntwo\r\n\n three\t", "one two three"),
        ("a\u2028b\x0cc\x85d", "a b c d"),
    ],
)
def test_a_text_cannot_break_out_of_its_cell(text, expected):
    assert cell(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("a `b` | c", "`a 'b' | c`"), ("a\n\nb", "`a b`"), ("abcdef", "`abcd…`")],
)
def test_what_was_observed_is_code(text, expected):
    assert code(text, 5 if text == "abcdef" else 100) == expected
    assert code_cell(text, 5 if text == "abcdef" else 100) == expected.replace("|", "\\|")


RESULTS = (
    Result("SEC-01", Outcome.PASS),
    Result("SEC-02", Outcome.FAIL, "it is open", node="checks/test_a.py::test_door", line=7, seconds=1.26),
    Result("CDN-01", Outcome.UNVERIFIED, "denied s3:GetObject"),
    Result(
        "CDN-02",
        Outcome.WAIVED,
        "waived until 2027-01-01 (5 days left) by Ada: why",
        waiver=Waived("why", "Ada", "2027-01-01", 5),
    ),
)


def test_the_verdict_comes_first_and_every_item_is_there(build):
    text = render(build(*RESULTS))
    shown = rendered(text)

    assert text.startswith(
        "# NOT READY (1 failed, 1 unverified, 1 waived)\n\n**Do not release. 1 claim does not hold"
    )
    assert "Do not release. 1 claim does not hold: begin with SEC-02." in text
    assert "| security | 1 | 0 | 0 | 1 |" in text
    assert "<td>cloudfront</td>" in shown
    assert "<h3>FAIL SEC-02 Title of SEC-02</h3>" in shown
    assert "<strong>Observed:</strong> <code>it is open</code>" in shown
    assert "<strong>To do:</strong> Remedy of SEC-02." in shown
    assert "<strong>Why it matters:</strong> Why of SEC-02." in shown
    assert "<code>checks/test_a.py::test_door</code>, line 7, in 1.3 s" in shown
    assert "waived, 5 days left" in text
    assert "<td>SEC-01</td>" in shown
    assert "<td><strong>FAIL</strong></td>\n<td><code>it is open</code></td>" in shown
    assert "Stack</td>\n<td>pixel-prompt-staging in eu-west-1, account ********9012</td>" in shown
    assert "Cut" not in text
    assert re.findall(r"<summary>(.*)</summary>", text) == [
        "Details of what needs attention (3)",
        "Every item (4 of 4)",
        "The run and its sign-off",
    ]


@pytest.mark.parametrize("name", examples.KINDS)
def test_each_kind_renders_with_all_its_tables_and_nothing_left_of_the_markup(make, tmp_path, name):

    document = document_of(examples.kind(make, name, tmp_path))
    shown = rendered(render(document))
    outside_of_code = re.sub(r"<code>.*?</code>", "", shown, flags=re.DOTALL)

    assert shown.count("<h1>") == 1
    assert shown.count("<table>") == (5 if document["budgets"] else 4)
    assert shown.count("<tr>\n<td>") >= len(examples.ITEMS)
    assert "|" not in outside_of_code
    assert "**" not in outside_of_code.replace("********", "")
    assert "`" not in outside_of_code
    assert "{{" not in shown


def test_findings_are_a_list_and_a_cause_is_shown_once(make, tmp_path):
    text = render(document_of(examples.kind(make, "much-at-once", tmp_path)))
    details, _, items = text.partition("<summary>Details")[2].partition("<summary>Every item")

    assert (
        "- **Observed:** `89 findings`\n  - `backend/src/pixel_prompt/storage.py:1: F401 'os' imported"
        in details
    )
    assert "  - and 77 more; verification.json holds all of them\n- **To do:**" in details
    assert "### UNVERIFIED 5 items could not be checked" in details
    assert details.count("has no resource 'WorkerFunction'; declare it") == 1
    assert "`89 findings, the first: backend/src" in items


@pytest.mark.parametrize("emulated", [True, False])
def test_a_rehearsal_is_called_one(build, emulated):
    text = render(build(Result("SEC-01", Outcome.PASS), emulated=emulated))

    assert ("> **Emulated.** The embedded AWS answered, not AWS." in text) is emulated
    assert ("Not signed: emulated." in text) is emulated


def test_nothing_to_attend_to_has_no_heading(build):
    assert "Needs attention" not in render(build(Result("SEC-01", Outcome.PASS)))


def test_a_wild_reason_stays_in_its_row_and_is_only_text(build):
    reason = "a | b\n| c | d |\n`x` <img src=x> @ada [l](http://x) **b**\n## READY"
    shown = rendered(render(build(Result("SEC-01", Outcome.FAIL, reason), Result("SEC-02", Outcome.PASS))))

    as_code = "<code>a | b | c | d | 'x' &lt;img src=x&gt; @ada [l](http://x) **b** ## READY</code>"
    assert shown.count(as_code) == 3
    assert shown.count("<tr>\n<td>SEC-") == 2
    assert "<img" not in shown
    assert "<a " not in shown
    assert "<h2>READY" not in shown


@pytest.mark.parametrize("count", [98, 400, pytest.param(2500, marks=pytest.mark.further)])
@pytest.mark.parametrize("reason", ["a long story | " * 40, "größer 😀 " * 80])
def test_when_everything_fails_it_fits_and_says_what_was_cut(build, count, reason):
    results = [Result(f"SEC-{n:02}", Outcome.FAIL, reason, node=f"a.py::test_{n}") for n in range(count)]

    text = render(build(*results, emulated=True))

    assert len(text) <= LIMIT < COMMENT
    assert len(text.encode()) < SUMMARY
    assert text.startswith(f"# NOT READY ({count} failed)")
    assert f"> **Cut** to stay under {LIMIT} characters: observations after" in text
    assert "`verification.json` hold everything" in text
    assert text.endswith("says whether the report was altered.\n\n</details>\n")
    assert "**Emulated.**" in text
    assert (
        f"observation and remedy of {count - text.count('### FAIL')} of {count} items" in text
        or count == text.count("### FAIL")
    )


def test_what_passed_gives_way_to_what_needs_attention(build):
    results = [Result(f"SEC-{n}", Outcome.PASS) for n in range(3000)] + [
        Result("CDN-01", Outcome.FAIL, "open")
    ]

    text = render(build(*results))

    assert len(text) <= LIMIT
    assert "### FAIL CDN-01" in text
    assert "the rows of what passed" in text


def test_what_fits_nowhere_is_cut_at_the_end_of_a_line(build):
    text = render(build(Result("SEC-01", Outcome.FAIL), texts={"why": "word " * 30_000}))

    assert len(text) <= LIMIT
    assert text.endswith(f"\n\nCut at {LIMIT} characters; verification.html holds everything.\n")


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        ({"with": None, "notes": ["x was left out"]}, "There is no earlier run of this environment"),
        (
            {"with": {"started": "then", "commit": "", "verdict": "READY"}, "notes": []},
            "Every item ended as it did then.",
        ),
        (
            {
                "with": {"started": "then", "commit": "c", "verdict": "READY"},
                "notes": [],
                "still_failing": [{"id": "SEC-01", "before": "fail", "since": "Monday"}],
            },
            "- **Still failing:** SEC-01 (since Monday)",
        ),
    ],
)
def test_what_changed_is_said(build, comparison, said):
    kinds = {"newly_failing": [], "still_failing": [], "fixed": [], "newly_unverified": []}
    text = render(build(Result("SEC-01", Outcome.PASS), comparison={**kinds, **comparison}))

    assert said in text
    assert all(f"- `{note}`" in text for note in comparison["notes"])


@pytest.mark.parametrize(
    ("rows", "said"),
    [(examples.FIGURES["rows"], "1 of 2 not seen to be held."), ([], "holds no judged budgets.")],
)
def test_performance_budgets_are_shown_if_given(build, rows, said):
    assert said in render(build(Result("SEC-01", Outcome.PASS), budgets={**examples.FIGURES, "rows": rows}))

"""What a reviewer reads of a comment on a pull request before anything is unfolded."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from readiness.report.document import build as document_of
from readiness.report.markdown import First, prose, render
from readiness.verdict import Found, Outcome, Result
from tests.report.comments import COMMENTS

# Lines of its source before the first folded part, those between paragraphs not counted; before the parts were folded
# up, a reader met all of a comment's lines but the rows of items.
LINES = {"red": 14, "green": 5, "first": 9, "interrupted": 9}
HOSTILE = "a | b `x` @team #1 GH-2 o/r#3 <img src=x> </details> <!-- **b** [l](http://x) \u202e"


def top(text):
    """What is seen before anything is unfolded, without empty lines."""
    return [line for line in text.partition("<details>")[0].splitlines() if line]


def outside_of_code(text):
    """The HTML of it, without inline code, in which GitHub links nothing."""
    shown = MarkdownIt("commonmark").enable("table").render(text)
    return re.sub(r"<code>.*?</code>", "", shown, flags=re.DOTALL)


@pytest.fixture(params=COMMENTS)
def comment(request, make, tmp_path):
    """The name of such a comment, and its text."""
    return request.param, render(document_of(COMMENTS[request.param](make, tmp_path)))


def test_a_reviewer_reads_few_lines(comment):
    name, text = comment

    assert len(top(text)) <= LINES[name]
    assert max(map(len, top(text))) < 450


def test_the_verdict_and_what_to_do_come_first(comment):
    _, text = comment
    verdict, advice, where, *_ = top(text)

    assert re.match(r"# (NOT READY|READY|INTERRUPTED)", verdict)
    assert re.match(r"\*\*(Do not release|Every claim|The run was ended early).*\*\*$", advice)
    assert where.startswith("pixel-prompt-staging in eu-west-1, real AWS, commit ")


def test_the_rest_is_folded_up_and_each_part_is_closed(comment):
    _, text = comment
    folded = text.partition("<details>")[2]

    assert text.count("<details>") == text.count("</details>")
    assert re.sub(r"<details>.*?</details>", "", f"<details>{folded}", flags=re.DOTALL).strip() == ""


def test_what_newly_fails_comes_before_what_still_fails_and_each_cause_has_one_line(make, tmp_path):
    lines = top(render(document_of(COMMENTS["red"](make, tmp_path))))
    said = [line[:44] for line in lines[3:]]

    assert said == [
        "### Newly failing (3)",
        "- **SEC-10 Buckets are private** (critical):",
        "- **CODE-06 Ruff and mypy report nothing** (",
        "- **INF-12 Both functions are traced** (medi",
        "### Still failing (1)",
        "- **INF-07** Lambda concurrency supports 100",
        "### Not checked (16)",
        "- **CODE-09** All nine models return an imag",
        "- **4 items (CONF-02, CONF-01, CONF-05 and 1",
        "- **11 items (CDN-01, SEC-12, CDN-02 and 8 m",
        "**Waived:** 1 item (SEC-17)",
    ]
    assert (
        "`40 findings, the first: backend/src/pixel_prompt/storage.py:1: F401 'module_1' imported but unused`<br>**To do:** Run"
        in lines[5]
    )


@pytest.mark.parametrize("name", ["first", "green"])
def test_nothing_is_new_without_an_earlier_run_and_a_green_run_says_what_was_fixed(make, tmp_path, name):
    text = "\n".join(top(render(document_of(COMMENTS[name](make, tmp_path)))))

    assert ("### Failing (2)" in text) is (name == "first")
    assert ("There is no earlier run of this environment to compare with." in text) is (name == "first")
    assert ("**Fixed:** 1 item (INF-07)" in text) is (name == "green")
    assert "Newly failing" not in text


def test_many_failures_and_causes_are_counted(build):
    failed = [Result(f"SEC-{n:02}", Outcome.FAIL, "open") for n in range(1, 31)]
    lost = [
        Result(f"CDN-{n:02}", Outcome.UNVERIFIED, f"denied {n}", cause=f"denied {n}") for n in range(1, 21)
    ]

    lines = top(render(build(*failed, *lost)))

    assert len(lines) <= 3 + 2 + First().failing + 1 + First().lines + 1
    assert "- And 25 items (SEC-06, SEC-07, SEC-08 and 22 more)" in lines
    assert "- And 15 items (CDN-06, CDN-07, CDN-08 and 12 more)" in lines


def test_the_remedy_of_an_only_finding_is_said(build):
    found = Found("is open", "template.yaml:7", "close it")
    text = render(build(Result("SEC-01", Outcome.FAIL, "template.yaml:7: is open", findings=[found])))

    assert "`template.yaml:7: is open`<br>**To do:** `close it`" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("run `npm i @a/b` #", "run `npm i @a/b` #"),
        ("``a ` @b`` @team", "``a ` @b`` @&#8203;team"),
        ("see #1, o/r#2, gh-3", "see #&#8203;1, o/r#&#8203;2, gh-&#8203;3"),
        ("</details>\n<!--", "&lt;/details> &lt;!--"),
        ("an `open one @team", "an `open one @&#8203;team"),
    ],
)
def test_prose_mentions_no_user_and_is_no_html(text, expected):
    assert prose(text) == expected


def test_no_text_breaks_the_comment_or_pings_a_person(build):
    findings = [Found(HOSTILE, HOSTILE, HOSTILE), Found(HOSTILE)]
    plain = HOSTILE.replace("`x`", "").replace("**b** [l](http://x)", "")
    results = [
        Result("SEC-01", Outcome.FAIL, HOSTILE, findings=findings),
        Result("SEC-02", Outcome.FAIL, HOSTILE, findings=findings[:1]),
        *(Result(f"CDN-{n:02}", Outcome.UNVERIFIED, HOSTILE, cause=HOSTILE) for n in range(1, 4)),
        Result("CONF-01", Outcome.UNVERIFIED, HOSTILE),
    ]

    text = render(build(*results, texts=dict.fromkeys(("title", "why", "remedy"), plain)))
    shown = outside_of_code(text)

    assert "\u202e" not in text
    assert not re.search(r"[@#]\w|GH-\d", re.sub(r"&#8203;|&#\d+;", "\u200b", shown))
    assert "<img" not in shown
    assert "<a " not in shown
    assert shown.count("<details>") == shown.count("</details>") == 3
    assert shown.count("<tr>\n<td>") >= len(results)


def test_the_last_cut_closes_what_was_unfolded(build):
    text = render(build(Result("SEC-01", Outcome.FAIL), texts={"why": "word " * 30_000}))

    assert text.count("<details>") == text.count("</details>") == 1
    assert text.rstrip().endswith("verification.html holds everything.")


def test_a_table_has_a_column_for_what_does_not_apply(build):
    text = render(
        build(Result("SEC-01", Outcome.NOT_APPLICABLE, "no bucket"), Result("SEC-02", Outcome.PASS))
    )

    assert "<th" in (shown := MarkdownIt("commonmark").enable("table").render(text))
    assert ">Not applicable</th>" in shown

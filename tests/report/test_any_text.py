"""Every format, given any text in any place: it is written, it is valid UTF-8, and it can be read back."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from readiness.report import document, github, html, markdown, terminal
from readiness.report.history import History, Past
from readiness.report.origin import Author
from readiness.report.redaction import redact
from readiness.report.run import Picture
from readiness.verdict import Found, Outcome, Result, Waived

NASTY = [
    *(
        "\ud800",
        "\udfff",
        "\ud83d\ude00",
        "\x00",
        "\x1b[2J",
        "\x1b]0;t\x07",
        "\x9b31m",
        "\r",
        "\u2028",
        "\ufffe\uffff",
    ),
    *(
        "\u202ecod.exe",
        "\u2066",
        "\u200f",
        "]]>",
        "</script><script>",
        "</pre>",
        "<!--",
        "&#x202e;",
        "%0A::error::",
        "\n::x::",
    ),
    *("`", "|", "~~~", "\\", "{{ 1 }}", "{% raw %}", "# READY", "@ada", "x" * 2_000),
]
ANY_TEXT = st.lists(st.sampled_from(NASTY) | st.text(st.characters(), max_size=20), max_size=6).map("".join)
FORBIDDEN = ("\u202e", "\u2066", "\u200f", "\x00", "\x1b", "\x9b", "\ufffe", "\uffff", "\u2028")


def results(text):
    """An item of each outcome, with that text wherever one can be."""
    says = {
        "reason": text,
        "evidence": text,
        "node": f"{text}::{text}",
        "read": {text: text},
        "observed": [(text, text)],
        "exchanges": [text, text],
        "output": text,
    }
    wrong = {"findings": [Found(text, text, text), Found(text)], "findings_left_out": 3}
    return (
        Result("SEC-01", Outcome.FAIL, **says, **wrong),
        Result("SEC-02", Outcome.UNVERIFIED, **says, cause=text[:200]),
        Result("SEC-03", Outcome.UNVERIFIED, **says, cause=text[:200]),
        Result("SEC-04", Outcome.WAIVED, **says, **wrong, waiver=Waived(text, text, "2027-01-01", 5)),
        Result("SEC-05", Outcome.PASS, **{**says, "reason": ""}),
    )


@pytest.fixture
def described(make, tmp_path):
    """The document of a run in which every text is that one."""

    def described(text):
        figures = {"group": text, "what": text, "measured": text, "wanted": text, "outcome": "over"}
        before = History(tmp_path, {}, since="")
        vars(before)["runs"] = [
            Past("2026-11-20T08:00:00+00:00", text, text, {"SEC-01": "fail"}, {"SEC-01": text})
        ]
        before.notes.append(text)
        run = make(
            *results(text),
            comparison=before.compare({"SEC-01": "fail"}, "2026-11-23T08:00:00+00:00"),
            budgets={"file": text, "taken": text, "commit": text, "machine": text, "rows": [figures]},
            pictures={"SEC-01": [Picture(redact(text), "aGVsbG8=")]},
        )
        vars(run).update(commit=text, author=Author("git user", text, text))
        return document.build(run), run

    return described


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=ANY_TEXT)
def test_whatever_the_text_every_format_is_written_and_read_back(described, tmp_path, text):
    content, run = described(text)

    file = tmp_path / "verification.json"
    file.write_bytes(document.render(content).encode("utf-8"))
    assert document.read(file) == content == json.loads(json.dumps(content))
    assert document.alterations(document.read(file)) == []
    written = {
        "html": html.summary(content, run.pictures, folder=tmp_path, suite=tmp_path),
        "md": markdown.render(content),
        "terminal": "\n".join(terminal.attention(content)),
        "github": "\n".join(github.commands(content)),
    }
    for name, told in written.items():
        told.encode("utf-8")
        assert not [character for character in FORBIDDEN if character in told], name
        assert "SEC-01" in told
        assert "SEC-03" in told
    page = Tags(written["html"])
    assert page.scripts == 1
    assert page.headings == 1
    shown = MarkdownIt("commonmark").enable("table").render(written["md"])
    assert shown.count("<h1>") == 1
    assert "<script" not in shown.replace("&lt;script", "")
    kinds = [line.partition(" ")[0] for line in written["github"].split("\n")]
    assert list(dict.fromkeys(kinds)) == ["::error", "::warning", "::notice"]


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.scripts = self.headings = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self.headings += tag == "h1"

"""The report for a pull request, a job's summary and docs/: one text that fits into each of them.

A reviewer reads its first lines and decides: the verdict, what newly fails with its remedy, then a line for each cause.
Everything else is folded up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from readiness.report.document import Document
from readiness.report.templates import TEMPLATES
from readiness.verdict import Outcome

LIMIT = 65_000  # characters; GitHub refuses a comment of more than 65,536
_WORDS = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "**FAIL**",
    Outcome.WAIVED: "waived",
    Outcome.UNVERIFIED: "*unverified*",
    Outcome.NOT_APPLICABLE: "not applicable",
}


@dataclass(frozen=True)
class Room:
    """How much of a report the summary shows.

    Args:
        text: the number of characters of an item's observation.
        full: how many of the points that need attention are shown with observation and remedy.
        rows: whether the items that passed have a row each.
        attention_rows: how many of the others have one.
        findings: how many of an item's findings are listed.
    """

    text: int
    full: int
    rows: bool = True
    attention_rows: int = 10_000
    findings: int = 12


@dataclass(frozen=True)
class First:
    """How much is said before the folded parts.

    Args:
        failing: newly failing items with observation and remedy.
        lines: items that still fail, and causes, with a line each.
        ids: ids that such a line names.
        text: characters of what was observed.
    """

    failing: int = 5
    lines: int = 5
    ids: int = 3
    text: int = 160


# From everything to what fits whatever happens.
_ROOMS = [
    Room(600, 10_000),
    Room(300, 10_000),
    Room(200, 60, findings=5),
    Room(160, 40, findings=3),
    Room(120, 25, rows=False, findings=3),
    Room(100, 15, rows=False, attention_rows=200, findings=2),
    Room(80, 10, rows=False, attention_rows=50, findings=2),
]


# Inline code, which stays as it is; then what begins HTML, and what GitHub links: a person, a team, an issue.
_LIVELY = re.compile(
    r"(?P<code>(?<!`)(`+)(?!`).+?(?<!`)\2(?!`))|(?P<html><)|[@#](?=\w)|\bGH-(?=\d)", re.IGNORECASE
)


def prose(text: str) -> str:
    """A text of the checklist in one line: its inline code is kept, and nothing in it is HTML, a mention or a reference.

    GitHub takes out backslashes before it looks for mentions, so a space without width breaks the word instead.
    """
    return _LIVELY.sub(_quiet, " ".join(text.split()))


def _quiet(found: re.Match[str]) -> str:
    if found["code"]:
        return found[0]
    return "&lt;" if found["html"] else f"{found[0]}&#8203;"


def cell(text: str) -> str:
    """The same, and it cannot break out of a table's cell."""
    return prose(text).replace("|", "\\|")


def code(text: str, limit: int = 10_000) -> str:
    """What was observed, as inline code: no markup, no link and no @mention comes of it."""
    plain = " ".join(text.replace("`", "'").split())
    cut = plain if len(plain) <= limit else plain[: limit - 1] + "…"
    return f"`{cut}`" if cut else ""


def code_cell(text: str, limit: int = 10_000) -> str:
    """The same within a table's cell."""
    return code(text, limit).replace("|", "\\|")


def render(document: Document) -> str:
    """Verdict, what to do, what needs attention, then the rest; says what it had to leave out."""
    for room in _ROOMS:
        text = _rendered(document, room)
        if len(text) <= LIMIT:
            return text
    note = f"\n\nCut at {LIMIT} characters; verification.html holds everything.\n"
    end = "\n\n</details>"
    kept = text[: LIMIT - len(note) - len(end)].rsplit("\n", 1)[0]
    return kept + end * (kept.count("<details>") > kept.count("</details>")) + note


def _rendered(document: Document, room: Room) -> str:
    template = TEMPLATES.get_template("report.md.jinja")
    text = template.render(
        report=document,
        items=document["items"],
        words=_WORDS,
        first=First(),
        prose=prose,
        cell=cell,
        code=code,
        code_cell=code_cell,
        room=room,
        whole=room == _ROOMS[0],
        limit=LIMIT,
    )
    return text.rstrip() + "\n"

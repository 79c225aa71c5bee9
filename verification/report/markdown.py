"""The report for a pull request."""

from __future__ import annotations

from verification.report.run import Run
from verification.report.templates import TEMPLATES
from verification.verdict import Outcome

_LIMIT = 65_000  # characters; GitHub refuses a comment of more than 65,536
_WORDS = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "**FAIL**",
    Outcome.WAIVED: "waived",
    Outcome.UNVERIFIED: "*unverified*",
}


def cell(text: str) -> str:
    """A text that cannot break out of a table's cell."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").replace("`", "'").split())


def render(run: Run) -> str:
    """Verdict, facts, scoreboard, what needs attention, then every item; says so when it had to cut."""
    template = TEMPLATES.get_template("report.md.jinja")
    text = template.render(run=run, words=_WORDS, cell=cell, Outcome=Outcome)
    if len(text) <= _LIMIT:
        return text
    note = f"\n\nCut at {_LIMIT} characters; verification.html holds everything.\n"
    return text[: _LIMIT - len(note)].rsplit("\n", 1)[0] + note

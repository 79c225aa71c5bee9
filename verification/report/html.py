"""The report for a reviewer, as the fragments that pytest-html asks for."""

from __future__ import annotations

from verification.environment import Environment
from verification.report.run import Run
from verification.report.templates import TEMPLATES
from verification.verdict import Outcome


def title(environment: Environment) -> str:
    """The page's title."""
    return f"Verification of {environment.stack_name}{' (emulated)' if environment.emulated else ''}"


def summary(run: Run) -> str:
    """Verdict, facts, scoreboard and what needs attention, above the table of all items."""
    return TEMPLATES.get_template("summary.html.jinja").render(run=run, Outcome=Outcome)

"""The report for a reviewer, as the fragments that pytest-html asks for."""

from __future__ import annotations

from verification.checklist import Item
from verification.environment import Environment
from verification.report.run import Run
from verification.report.templates import TEMPLATES
from verification.verdict import Outcome, Result


def title(environment: Environment) -> str:
    """The page's title."""
    return f"Verification of {environment.stack_name}{' (emulated)' if environment.emulated else ''}"


def summary(run: Run) -> str:
    """Verdict, facts, scoreboard and what needs attention, above the table of all items."""
    return TEMPLATES.get_template("summary.html.jinja").render(run=run, Outcome=Outcome)


def header() -> list[str]:
    """The table's head; pytest-html sorts and filters by its own column classes."""
    return [
        '<th class="sortable result initial-sort" data-column-type="result">Outcome</th>',
        '<th class="sortable" data-column-type="testId">Item</th>',
        "<th>Severity</th>",
        "<th>Observed</th>",
        '<th class="sortable" data-column-type="duration">Seconds</th>',
    ]


def row(item: Item, result: Result) -> list[str]:
    """One item's cells."""
    template = TEMPLATES.get_template("row.html.jinja")
    return [cell.strip() for cell in template.render(item=item, result=result).split("<!-- cell -->")]

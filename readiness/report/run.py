"""What a report is made from."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from readiness.checklist import Item, Severity
from readiness.environment import Environment
from readiness.report import origin
from readiness.report.origin import Author
from readiness.verdict import Outcome, Result, Verdict


@dataclass(frozen=True)
class Picture:
    """What stood on the screen at the end of a check; `content` is a JPEG in base64."""

    name: str
    content: str = field(repr=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(base64.b64decode(self.content)).hexdigest()


@dataclass(frozen=True)
class Run:
    """One verification: what was concluded about which deployment, when, by what.

    Args:
        verdict: the conclusion.
        items: the checklist.
        environment: where.
        started: when.
        seconds: how long it took.
        app: the application's checkout.
        suite: the checkout of the checks.
        template: the application's template.
        pictures: what checks left of the screen, by item.
        comparison: with an earlier run, see history.py.
        budgets: performance figures, see figures.py.
        spending: what AI providers were made to do, see ledger.py.
        left_out: items that were left out for what they need, by that.
        trend: the runs before this one and this one, see trend.py.
        map: the stack's graph, see readiness.discovery.outline; None where no check read it.
    """

    verdict: Verdict
    items: Mapping[str, Item]
    environment: Environment
    started: datetime
    seconds: float
    app: Path
    suite: Path
    template: Path
    pictures: Mapping[str, Sequence[Picture]] = field(default_factory=dict)
    comparison: Mapping[str, Any] | None = None
    budgets: Mapping[str, Any] | None = None
    spending: Mapping[str, Any] | None = None
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)
    map: Mapping[str, Any] | None = None
    trend: Mapping[str, Any] | None = None

    @property
    def headline(self) -> str:
        """The stack and where it runs, with *emulated* said first when it is."""
        where = f"{self.environment.stack_name} in {self.environment.region}"
        words = (where, "emulated" if self.environment.emulated else "", self.environment.pace)
        return ", ".join(filter(None, words))

    @property
    def masked_account(self) -> str:
        """The account's last four digits. The whole number does not belong in a pull request."""
        return "*" * 8 + self.environment.account_id[-4:]

    @cached_property
    def commit(self) -> str:
        """Of the application's checkout."""
        return origin.commit(self.app)

    @cached_property
    def template_sha256(self) -> str:
        """Of the template as its file has it; empty when it is gone."""
        return hashlib.sha256(self.template.read_bytes()).hexdigest() if self.template.is_file() else ""

    @cached_property
    def author(self) -> Author:
        """Who started it."""
        return origin.author(self.suite)

    def attention(self) -> list[Result]:
        """Return what a reviewer must check: all results but plain passes and tolerated gaps, the gravest first."""
        severities = list(Severity)
        outcomes = [Outcome.FAIL, Outcome.UNVERIFIED, Outcome.WAIVED, Outcome.PASS]
        calm = (Outcome.PASS, Outcome.NOT_APPLICABLE)
        results = [
            r
            for r in self.verdict.results
            if (r.outcome not in calm or (r.outcome is Outcome.PASS and r.reason))
            and not self.verdict.tolerates(r)
        ]
        return sorted(
            results, key=lambda r: (outcomes.index(r.outcome), severities.index(self.items[r.item].severity))
        )

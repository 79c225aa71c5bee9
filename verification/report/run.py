"""What every format of the report is made from."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from verification import __version__
from verification.checklist import Item, Section
from verification.environment import Environment
from verification.verdict import Outcome, Result, Verdict


@dataclass(frozen=True)
class Run:
    """One verification: what was concluded about which deployment, when, by what."""

    verdict: Verdict
    items: Mapping[str, Item]
    environment: Environment
    started: datetime
    seconds: float
    app: Path

    @property
    def headline(self) -> str:
        """The stack and where it runs, with *emulated* said first when it is."""
        where = f"{self.environment.stack_name} in {self.environment.region}"
        return f"{where}, emulated" if self.environment.emulated else where

    @property
    def masked_account(self) -> str:
        """The account's last four digits; the whole number is nobody's business in a pull request."""
        return "*" * 8 + self.environment.account_id[-4:]

    @cached_property
    def commit(self) -> str:
        """The commit of the application's checkout, '+' when the tree differs from it, '' without git."""
        try:
            described = subprocess.run(
                ["git", "-C", str(self.app), "describe", "--always", "--dirty=+", "--abbrev=12", "--match="],
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError:
            return ""
        return described.stdout.strip()

    @property
    def facts(self) -> dict[str, str]:
        """The run in words, for the head of a report."""
        kind = "emulated (embedded AWS, a rehearsal)" if self.environment.emulated else "real AWS"
        return {
            "Environment": f"{self.environment.name}, {kind}",
            "Stack": f"{self.environment.stack_name} in {self.environment.region}, account {self.masked_account}",
            "Commit": self.commit or "unknown",
            "Started": f"{self.started:%Y-%m-%d %H:%M:%S} UTC, took {self.seconds:.0f} s",
            "Suite": f"pixel-prompt-verification {__version__}",
        }

    def by_section(self) -> dict[Section, list[Result]]:
        """Results in the checklist's order, grouped; sections without a result are left out."""
        grouped: dict[Section, list[Result]] = {}
        for result in self.verdict.results:
            grouped.setdefault(self.items[result.item].section, []).append(result)
        return grouped

    def attention(self) -> list[Result]:
        """What a reviewer must look at: all but plain passes and tolerated gaps, the gravest first."""
        severities = list(type(self.items[next(iter(self.items))].severity))
        outcomes = [Outcome.FAIL, Outcome.UNVERIFIED, Outcome.WAIVED, Outcome.PASS]
        results = [
            r
            for r in self.verdict.results
            if (r.outcome is not Outcome.PASS or r.reason) and not self.verdict.tolerates(r)
        ]
        return sorted(
            results, key=lambda r: (outcomes.index(r.outcome), severities.index(self.items[r.item].severity))
        )

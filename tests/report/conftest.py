"""A run to report, made of whatever a test needs."""

from __future__ import annotations

from datetime import UTC, datetime

import boto3
import pytest

from verification.checklist import How, Item, Severity
from verification.environment import Environment, Settings
from verification.report.run import Run
from verification.verdict import Result, Verdict


@pytest.fixture(scope="session")
def session():
    return boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture
def make(session, tmp_path):
    """Make a run from results; each item is made up after its result's id."""

    def make(*results: Result, name="staging", emulated=False, texts=None, severities=None, app=tmp_path):
        environment = Environment(Settings(name, f"pixel-prompt-{name}", "eu-west-1"), session)
        vars(environment).update(emulated=emulated, account_id="123456789012")
        items = {
            result.item: Item(
                result.item,
                **{
                    "title": f"Title of {result.item}",
                    "claim": f"Claim of {result.item}.",
                    "why": f"Why of {result.item}.",
                    "remedy": f"Remedy of {result.item}.",
                    **(texts or {}),
                },
                severity=(severities or {}).get(result.item, Severity.HIGH),
                how=frozenset({How.READ_ONLY}),
            )
            for result in results
        }
        return Run(
            verdict=Verdict(results, items=len(items), rehearsal=name == "local"),
            items=items,
            environment=environment,
            started=datetime(2026, 11, 23, 7, 5, 9, 123456, tzinfo=UTC),
            seconds=61.2345,
            app=app,
        )

    return make

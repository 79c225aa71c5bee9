"""A run to report, made of whatever a test needs."""

from __future__ import annotations

from datetime import UTC, datetime

import boto3
import pytest

from readiness.checklist import How, Item, Severity
from readiness.environment import Environment, Settings
from readiness.report import document, html, known
from readiness.report.run import Run
from readiness.verdict import Verdict

TEMPLATE = "Resources: {}\n"

SECTIONS = {"CODE": "code", "CONF": "config", "SEC": "security", "INF": "infra", "CDN": "cloudfront"}


@pytest.fixture(scope="session")
def session():
    return boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch):
    """What another test hid is no secret here."""
    monkeypatch.setattr(known, "_values", set())
    monkeypatch.setattr(known, "_accounts", set())
    monkeypatch.setattr(known, "_folders", set())


@pytest.fixture
def make(session, tmp_path):
    """Make a run from results; each item is made up after its result's id."""

    def make(
        *results,
        name="staging",
        emulated=False,
        texts=None,
        severities=None,
        app=tmp_path,
        items=None,
        total=0,
        **more,
    ):
        environment = Environment(Settings(name, f"pixel-prompt-{name}", "eu-west-1"), session)
        vars(environment).update(emulated=emulated, account_id="123456789012")
        made_up = {
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
                section=SECTIONS[result.item.partition("-")[0]],
            )
            for result in results
        }
        template = tmp_path / "template.yaml"
        template.write_text(TEMPLATE)
        return Run(
            verdict=Verdict(results, items=total or len(results), rehearsal=name == "local"),
            items=items or made_up,
            environment=environment,
            started=datetime(2026, 11, 23, 7, 5, 9, 123456, tzinfo=UTC),
            seconds=61.2345,
            app=app,
            suite=app,
            template=template,
            **more,
        )

    return make


@pytest.fixture
def build(make):
    """The document of such a run."""
    return lambda *results, **how: document.build(make(*results, **how))


@pytest.fixture
def page(make, tmp_path):
    """The HTML of such a run."""

    def page(*results, **how):
        run = make(*results, **how)
        return html.summary(document.build(run), run.pictures, folder=tmp_path / "reports", suite=tmp_path)

    return page

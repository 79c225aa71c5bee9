"""What checks spend is reported, and stays within the budget."""

from __future__ import annotations

import pytest

from tests.plugin.project import CHECKS, properties

SPEND = """
with ledger.hold("an image", models=["flux-2-pro"]):
        ledger.met("POST", "/generate", 202, '{"models": ["flux-2-pro"]}')
"""


def test_what_checks_spend_is_shown_in_every_format(project):
    checks = CHECKS.replace(
        "pytestmark",
        "from readiness.fixtures import verification; from verification.fixtures import ledger\npytestmark",
        1,
    )
    checks = checks.replace("test_window():", "test_window(ledger):")

    project.run(window=SPEND.strip(), checks=checks)

    spending = project.report()["spending"]
    assert (spending["requests"], spending["budget_usd"]) == (1, 1.0)
    assert spending["items"] == [{"item": "SEC-02", "requests": 1, "images": 1, "usd": 0.03}]
    line = "1 request: 1 image (a vendor that the API does not name 1), 0 enhanced prompts; 0.0300 of 1 USD at list prices"
    assert f"paid requests: {line}; emulated: nothing was paid" in project.output
    assert properties(project)["paid requests"].startswith(line)
    for name in ("verification.html", "verification.md"):
        assert "0.0300 of 1 USD" in (project.root / "reports" / "staging" / name).read_text()


def test_what_would_exceed_the_budget_is_unverified_and_reported(project):
    checks = CHECKS.replace(
        "pytestmark",
        "from readiness.fixtures import verification; from verification.fixtures import ledger\npytestmark",
        1,
    )
    checks = checks.replace("test_window():", "test_window(ledger):")

    assert project.run("--budget", "0.02", window=SPEND.strip(), checks=checks).ret == 1

    assert project.outcomes() == {"SEC-01": "pass", "SEC-02": "unverified"}
    assert project.report()["spending"]["refused"] == [{"item": "SEC-02", "what": "an image", "usd": 0.03}]
    assert "grant more with --budget USD" in project.output
    assert "1 not sent, for lack of budget" in project.output


@pytest.mark.parametrize("amount", ["-1", "inf", "nan", "much", ""])
def test_a_budget_is_an_amount(project, amount):
    assert project.run(f"--budget={amount}").ret == 4
    assert f"expected an amount in USD such as 0, 0.5 or 2, found '{amount}'" in project.output

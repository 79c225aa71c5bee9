"""readiness/application.py"""

from __future__ import annotations

from datetime import timedelta

import pytest

from readiness import budgets
from readiness.application import Application
from readiness.errors import UsageProblem

FOREIGN = """
[[foreign]]
resource = "arn:aws:dynamodb:*:*:table/customers"
reason = "belongs to the shop's stack"
"""
CUSTOMERS = "arn:aws:dynamodb:eu-west-1:123456789012:table/customers"


def described(folder, text):
    (folder / "readiness.toml").write_text(text, encoding="utf-8")
    return Application.of(folder)


def test_what_the_roles_need_of_others_is_declared(tmp_path):
    application = described(tmp_path, FOREIGN)

    assert application.declares_foreign(CUSTOMERS)
    assert not application.declares_foreign(CUSTOMERS + "-old")


def test_an_application_that_declares_nothing_needs_nothing_of_others(tmp_path):
    assert not Application.of(tmp_path).declares_foreign(CUSTOMERS)


@pytest.mark.parametrize("resource", ["*", "arn:*", "customers"])
def test_everything_cannot_be_declared(tmp_path, resource):
    text = FOREIGN.replace("arn:aws:dynamodb:*:*:table/customers", resource)

    with pytest.raises(UsageProblem, match="resource"):
        described(tmp_path, text)


def test_an_application_says_how_long_its_logs_are_kept_at_least(tmp_path):
    assert Application.of(tmp_path).least_log_retention == budgets.LEAST_LOG_RETENTION

    said = '[log-retention]\ndays = 3\nreason = "lines hold what users wrote"\n'
    assert described(tmp_path, said).least_log_retention == timedelta(days=3)
    with pytest.raises(UsageProblem, match="reason"):
        described(tmp_path, "[log-retention]\ndays = 3\n")
    with pytest.raises(UsageProblem, match="days"):
        described(tmp_path, said.replace("3", "0"))


def test_a_declaration_says_why(tmp_path):
    with pytest.raises(UsageProblem, match="reason"):
        described(tmp_path, FOREIGN.partition("reason")[0])

"""readiness/aws/budget.py"""

from __future__ import annotations

import json

import pytest

from readiness.aws.budget import Budget, Notification
from readiness.errors import Missing
from tests.probes.server import Reply

_JSON = {"Content-Type": "application/x-amz-json-1.1"}
LIMIT = {
    "BudgetName": "b",
    "BudgetType": "COST",
    "TimeUnit": "MONTHLY",
    "BudgetLimit": {"Amount": "200.0", "Unit": "USD"},
}


def answers(stub, *contents, status=200):
    stub.replies(*(Reply(status, json.dumps(content).encode(), _JSON) for content in contents))


@pytest.fixture
def budget(scripted):
    vars(scripted)["account_id"] = "123456789012"
    return Budget(scripted, "b")


@pytest.mark.parametrize(
    ("changes", "usd"),
    [
        ({}, 200.0),
        ({"TimeUnit": "ANNUALLY"}, None),
        ({"BudgetType": "USAGE"}, None),
        ({"BudgetLimit": {"Amount": "200", "Unit": "EUR"}}, None),
    ],
)
def test_only_a_months_cost_in_dollars_is_a_limit(budget, stub, changes, usd):
    answers(stub, {"Budget": {**LIMIT, **changes}})

    assert budget.monthly_usd == usd


def test_a_budget_that_is_gone_is_a_failure(budget, stub):
    answers(stub, {"__type": "NotFoundException", "message": "no such budget"}, status=400)

    with pytest.raises(Missing, match="NotFoundException"):
        _ = budget.monthly_usd


def test_notifications_tell_when_and_whom(budget, stub):
    spent = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    amount = {**spent, "Threshold": 100.0, "ThresholdType": "ABSOLUTE_VALUE"}
    below = {**spent, "ComparisonOperator": "LESS_THAN"}
    topic = {"Subscribers": [{"SubscriptionType": "SNS", "Address": "arn:topic"}]}
    answers(stub, {"Notifications": [spent, amount, below]}, topic, {"Subscribers": []})

    assert budget.notifications == [
        Notification("ACTUAL", 80.0, ["arn:topic"]),
        Notification("ACTUAL", None, []),
    ]

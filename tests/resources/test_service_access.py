"""readiness/aws/service_access.py"""

from __future__ import annotations

import pytest

from readiness.aws.service_access import Caller, lets_in
from readiness.errors import Unverified

ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"
ALARM = Caller("cloudwatch.amazonaws.com", f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:errors", ACCOUNT)


def statement(effect="Allow", principal=None, **condition):
    return {
        "Effect": effect,
        "Principal": principal or {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": TOPIC,
        **({"Condition": condition} if condition else {}),
    }


def answer(*statements):
    return lets_in(statements, ALARM, "sns:Publish", TOPIC)


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        {"ArnLike": {"AWS:SourceArn": f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:*"}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}},
        {"Null": {"aws:PrincipalOrgID": "true"}},
    ],
)
def test_a_condition_that_the_service_meets_lets_it_in(condition):
    assert answer(statement(**condition))


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"StringEquals": {"aws:SourceAccount": "999999999999"}},
        {"ArnEquals": {"aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:other"}},
        {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}},
        {"Null": {"aws:SourceArn": "true"}},
    ],
)
def test_a_condition_that_the_service_never_meets_keeps_it_out(condition):
    assert not answer(statement(**condition))


def test_a_denial_wins():
    assert not answer(statement(), statement("Deny", {"AWS": "*"}))
    assert answer(statement(), statement("Deny", {"AWS": "*"}, Bool={"aws:SecureTransport": "false"}))
    assert answer(statement(), statement("Deny", {"AWS": "999999999999"}))


def test_what_is_not_understood_is_neither():
    doubt = statement(DateGreaterThan={"aws:CurrentTime": "2026-01-01T00:00:00Z"})

    with pytest.raises(Unverified, match="aws:currenttime"):
        answer(doubt)
    with pytest.raises(Unverified, match="not understood"):
        answer(statement(), {**doubt, "Effect": "Deny"})
    assert answer(statement(), doubt)


def test_a_policy_about_something_else_says_nothing():
    assert not answer({**statement(), "Resource": f"{TOPIC}-other"})
    assert not answer({**statement(), "Action": "sns:Subscribe"})
    assert not answer()

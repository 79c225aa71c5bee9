"""readiness/aws/role.py"""

from __future__ import annotations

import json

import pytest

from readiness.aws.role import Role
from readiness.catalogue import grants
from readiness.errors import Missing, Unverified

TRUST = {"Version": "2012-10-17", "Statement": []}
OWN = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}


@pytest.fixture
def role(env, unique):
    iam = env.client("iam")
    iam.create_role(RoleName=unique, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName=unique, PolicyName="inline", PolicyDocument=json.dumps(OWN))
    made = iam.create_policy(PolicyName=f"{unique}-own", PolicyDocument=json.dumps(OWN))
    iam.attach_role_policy(RoleName=unique, PolicyArn=made["Policy"]["Arn"])
    return Role(env, unique)


def test_every_policy_is_read_with_its_statements(role):
    assert [policy.name for policy in role.policies] == ["inline", f"{role.name}-own"]
    assert [policy.is_of_aws for policy in role.policies] == [False, False]
    assert role.statements == [OWN["Statement"]] * 2


def test_what_aws_wrote_is_read_only_where_it_is_judged(role):
    vars(role)["_attached"] = [("XRay", "arn:aws:iam::aws:policy/XRay")]

    assert [policy.name for policy in role.own_policies] == ["inline"]
    with pytest.raises(Unverified, match=r"policy/XRay.*verify the role on AWS"):
        _ = role.policies


def test_what_can_be_read_is_judged_before_what_cannot(env, role):
    """A policy of AWS's own, or one of the account's that cannot be read, hid an Action `*` beside it."""
    whole = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    env.client("iam").put_role_policy(
        RoleName=role.name, PolicyName="whole", PolicyDocument=json.dumps(whole)
    )
    attached = [("Gone", "arn:aws:iam::111122223333:policy/Gone"), ("XRay", "arn:aws:iam::aws:policy/XRay")]
    vars(role)["_attached"] = attached

    found = grants.whole_services(role)

    assert "found * in whole" in next(found)
    with pytest.raises(Missing, match="policy/Gone"):
        next(found)

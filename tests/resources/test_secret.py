"""readiness/aws/secret.py"""

from __future__ import annotations

import json

import pytest

from readiness.aws.secret import Secret
from readiness.errors import Missing


@pytest.fixture
def secret(env, unique):
    made = env.client("secretsmanager").create_secret(Name=unique, SecretString="of no interest")
    return Secret(env, made["ARN"])


def test_a_secret_is_described_without_its_value(secret):
    assert secret.description["ARN"] == secret.arn
    assert "of no interest" not in repr(secret.description)
    assert not secret.deletion_scheduled


def test_a_secret_that_is_being_deleted_says_so(env, secret):
    env.client("secretsmanager").delete_secret(SecretId=secret.arn)

    assert secret.deletion_scheduled


def test_a_secret_that_does_not_exist_is_missing(env):
    with pytest.raises(Missing, match="DescribeSecret: ResourceNotFoundException"):
        _ = Secret(env, "never-made").deletion_scheduled


def test_a_secrets_policy_is_read(env, secret):
    assert secret.policy_statements == []

    statement = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"}
    env.client("secretsmanager").put_resource_policy(
        SecretId=secret.arn, ResourcePolicy=json.dumps({"Statement": [statement]})
    )

    assert Secret(env, secret.arn).policy_statements == [statement]

"""verification/resources/secret.py"""

from __future__ import annotations

import pytest

from verification.errors import Missing
from verification.resources.secret import Secret


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

"""readiness/aws/key.py"""

from __future__ import annotations

import pytest

from readiness.aws.key import Key
from readiness.errors import Missing


@pytest.fixture
def create(env):
    def create(**settings):
        return Key(env, env.client("kms").create_key(**settings)["KeyMetadata"]["KeyId"])

    return create


def test_rotation_is_read(env, create):
    key, rotating = create(), create()
    env.client("kms").enable_key_rotation(KeyId=rotating.id)

    assert (key.state, key.can_rotate, key.rotates) == ("Enabled", True, False)
    assert rotating.rotates


def test_a_key_that_signs_cannot_rotate(create):
    assert not create(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY").can_rotate


def test_state_and_policy_are_read(env, create):
    key = create()
    env.client("kms").disable_key(KeyId=key.id)

    assert key.state == "Disabled"
    assert [statement["Effect"] for statement in key.policy_statements] == ["Allow"]


def test_a_key_that_does_not_exist_is_missing(env):
    with pytest.raises(Missing):
        _ = Key(env, "7b8f5f6e-0000-4000-8000-000000000000").state


def test_an_alias_leads_to_its_key(env, create, unique):
    key = create()
    env.client("kms").create_alias(AliasName=f"alias/{unique}", TargetKeyId=key.id)
    found = Key(env, f"alias/{unique}")

    assert found.policy_statements == key.policy_statements
    assert not found.is_of_aws

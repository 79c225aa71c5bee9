"""verification/embedded/server/key_policies.py"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

ROOT = "arn:aws:iam::123456789012:root"
SERVICE = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    "Resource": "*",
}


def statement(principal: Any, effect: str = "Allow", action: str = "kms:*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*", **more}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


LOCKED = {
    "a service alone": policy(SERVICE),
    "nobody": policy(),
    "another account": policy(statement({"AWS": "arn:aws:iam::999999999999:root"})),
    "use alone": policy(statement({"AWS": ROOT}, action="kms:Decrypt")),
    "denied": policy(statement({"AWS": ROOT}), statement({"AWS": ROOT}, effect="Deny")),
}
OPEN = {
    "the account": policy(SERVICE, statement({"AWS": ROOT})),
    "the caller": policy(statement({"AWS": ["arn:aws:iam::123456789012:user/deployer"]})),
    "everybody": policy(statement("*")),
    "everybody of the account": policy(
        statement({"AWS": "*"}, Condition={"StringEquals": {"kms:CallerAccount": "123456789012"}})
    ),
    "all keys": policy(statement({"AWS": ROOT}) | {"Resource": "arn:aws:kms:us-east-1:123456789012:key/*"}),
    "denied to some": policy(
        statement({"AWS": ROOT}),
        statement("*", effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}),
    ),
    "one statement": {**policy(), "Statement": statement({"AWS": ROOT})},
}


@pytest.mark.parametrize("document", LOCKED.values(), ids=list(LOCKED))
def test_a_policy_that_nobody_could_change_is_refused(cloud: Running, document: dict[str, Any]) -> None:
    client, text = cloud.client("kms"), json.dumps(document)
    key = client.create_key()["KeyMetadata"]["KeyId"]
    before = client.get_key_policy(KeyId=key, PolicyName="default")["Policy"]

    with pytest.raises(ClientError, match="MalformedPolicyDocumentException"):
        client.create_key(Policy=text)
    with pytest.raises(ClientError, match="MalformedPolicyDocumentException"):
        client.put_key_policy(KeyId=key, PolicyName="default", Policy=text)

    assert client.get_key_policy(KeyId=key, PolicyName="default")["Policy"] == before
    assert client.create_key(Policy=text, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["KeyId"]


@pytest.mark.parametrize("document", OPEN.values(), ids=list(OPEN))
def test_a_policy_that_somebody_may_change_is_taken(cloud: Running, document: dict[str, Any]) -> None:
    client, text = cloud.client("kms"), json.dumps(document)
    key = client.create_key()["KeyMetadata"]["KeyId"]

    assert client.create_key(Policy=text)["KeyMetadata"]["KeyId"]
    client.put_key_policy(KeyId=key, PolicyName="default", Policy=text)


@pytest.mark.parametrize("text", ["{", "[]", '{"Statement": null}', '{"Statement": ["x"]}'])
def test_what_is_no_policy_is_refused(cloud: Running, text: str) -> None:
    client = cloud.client("kms")
    key = client.create_key()["KeyMetadata"]["KeyId"]

    with pytest.raises(ClientError, match="MalformedPolicyDocumentException"):
        client.put_key_policy(KeyId=key, PolicyName="default", Policy=text)
    with pytest.raises(ClientError, match="NotFoundException"):
        client.put_key_policy(KeyId="00000000-0000-0000-0000-000000000000", PolicyName="default", Policy=text)


def test_a_template_may_say_that_it_locks_the_account_out(cloud: Running) -> None:
    properties = {"KeyPolicy": LOCKED["a service alone"], "BypassPolicyLockoutSafetyCheck": True}
    stack = Stack(cloud, {"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": properties}}})

    assert stack.delete() == "DELETE_COMPLETE"


def test_a_stack_fails_and_goes_back_to_the_policy_of_before(cloud: Running) -> None:
    def template(document: dict[str, Any]) -> dict[str, Any]:
        key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document}}
        return {"Resources": {"Key": key}, "Outputs": {"Id": {"Value": {"Ref": "Key"}}}}

    with pytest.raises(AssertionError, match="not allow you to update the key policy in the future"):
        Stack(cloud, template(LOCKED["a service alone"]))
    stack = Stack(cloud, template(OPEN["the account"]))
    try:
        assert stack.update(template(LOCKED["denied"])) == "UPDATE_ROLLBACK_COMPLETE"
        kept = cloud.client("kms").get_key_policy(KeyId=stack.outputs["Id"], PolicyName="default")["Policy"]
        assert json.loads(kept) == OPEN["the account"]
    finally:
        stack.delete()

"""What holds data outlives its stack as its deletion policy says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.embedded.cloudformation.template import arn, resource
from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import Stack

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize(
    ("policy", "left"), [("Retain", {"Images", "Jobs"}), ("RetainExceptOnCreate", set())]
)
def test_what_a_first_creation_that_failed_leaves(cloud: Running, policy: str, left: set[str]) -> None:
    """Source: CloudFormation User Guide, "DeletionPolicy attribute"."""
    name = unique("stack")
    mapping = resource(
        "Lambda::EventSourceMapping", FunctionName=unique("nobody"), EventSourceArn=arn("Queue")
    )
    template = {
        "Resources": {
            **_holding_data(policy),
            "Queue": resource("SQS::Queue"),
            "Impossible": {**mapping, "DependsOn": ["Images", "Jobs"]},
        }
    }
    formation = cloud.client("cloudformation")
    formation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    with pytest.raises(WaiterError):
        formation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 200}
        )

    assert _what_stands(cloud, name) == left


def test_what_holds_data_outlives_its_stack_however_it_is_retained(cloud: Running) -> None:
    stack = Stack(cloud, {"Resources": _holding_data("RetainExceptOnCreate")})

    assert stack.delete() == "DELETE_COMPLETE"
    assert _what_stands(cloud, stack.name) == {"Images", "Jobs"}
    stack.close()


def _holding_data(policy: str) -> dict[str, Any]:
    table = resource(
        "DynamoDB::Table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return {
        "Images": {**resource("S3::Bucket"), "DeletionPolicy": policy},
        "Jobs": {**table, "DeletionPolicy": policy},
    }


def _what_stands(cloud: Running, stack: str) -> set[str]:
    buckets = [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]]
    tables = cloud.client("dynamodb").list_tables()["TableNames"]
    return {
        *("Images" for name in buckets if name.startswith(f"{stack}-")),
        *("Jobs" for name in tables if name.startswith(f"{stack}-")),
    }

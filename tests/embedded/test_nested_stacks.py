"""A nested stack may need a transform, is updated in place, and is gone when it could not be created."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import CAPABILITIES, deployed

pytestmark = pytest.mark.embedded


def parent(cloud: Running, child: dict[str, Any]) -> dict[str, Any]:
    """Return a template that holds `child` as a nested stack."""
    s3, bucket = cloud.client("s3"), unique("templates")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="child.json", Body=json.dumps(child))
    url = f"https://s3.us-east-1.amazonaws.com/{bucket}/child.json"
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
    return {"Resources": {"Child": nested}}


def test_an_application_within_an_application_is_transformed(cloud: Running) -> None:
    table = {"Type": "AWS::Serverless::SimpleTable", "Properties": {"TableName": {"Ref": "Name"}}}
    child = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {"Table": table},
    }
    name, template = unique("table"), parent(cloud, child)
    template["Resources"]["Child"]["Properties"]["Parameters"] = {"Name": name}
    formation = cloud.client("cloudformation")
    with deployed(cloud, template) as stack:
        nested = stack.id_of("Child")
        (resource,) = formation.list_stack_resources(StackName=nested)["StackResourceSummaries"]
        processed = formation.get_template(StackName=nested, TemplateStage="Processed")["TemplateBody"]

        assert (resource["ResourceType"], resource["PhysicalResourceId"]) == ("AWS::DynamoDB::Table", name)
        assert processed["Resources"]["Table"]["Type"] == "AWS::DynamoDB::Table"


def test_an_update_leaves_the_other_resources_as_they_are(cloud: Running) -> None:
    topic: dict[str, Any] = {"KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}, "DisplayName": "before"}
    child = {
        "Resources": {
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"Description": "a key"}},
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": topic},
        },
        "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}},
    }
    sns, formation = cloud.client("sns"), cloud.client("cloudformation")
    with deployed(cloud, parent(cloud, child)) as stack:
        nested = stack.id_of("Child")
        outputs = formation.describe_stacks(StackName=nested)["Stacks"][0]["Outputs"]
        before = sns.get_topic_attributes(TopicArn=outputs[0]["OutputValue"])["Attributes"]
        topic["DisplayName"] = "after"

        assert stack.update(parent(cloud, child)) == "UPDATE_COMPLETE", stack.reasons()

        after = sns.get_topic_attributes(TopicArn=outputs[0]["OutputValue"])["Attributes"]
        assert (before["DisplayName"], after["DisplayName"]) == ("before", "after")
        assert before["KmsMasterKeyId"] == after["KmsMasterKeyId"]
        assert stack.id_of("Child") == nested


def test_a_nested_stack_that_fails_leaves_nothing(cloud: Running) -> None:
    queue, name = unique("queue"), unique("stack")
    child = {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": queue}},
            "Second": {"Type": "AWS::No::Such", "DependsOn": "Queue", "Properties": {}},
        }
    }
    formation = cloud.client("cloudformation")
    formation.create_stack(
        StackName=name, TemplateBody=json.dumps(parent(cloud, child)), Capabilities=CAPABILITIES
    )
    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        formation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )

    with pytest.raises(ClientError, match="NonExistentQueue"):
        cloud.client("sqs").get_queue_url(QueueName=queue)
    left = [
        one["StackName"]
        for one in formation.list_stacks()["StackSummaries"]
        if one["StackName"].startswith(f"{name}-Child") and one["StackStatus"] != "DELETE_COMPLETE"
    ]
    assert not left

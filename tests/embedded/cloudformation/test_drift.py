"""verification/embedded/server/cloudformation/drift.py: a change by hand of what a template declares is drift"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.embedded.conftest import TRUST, Running
from tests.embedded.stacks import Stack, deployed
from verification.embedded.fidelity.handlers import NOT_CHECKED, WRITE_ONLY
from verification.embedded.fidelity.readers import TYPES

PASSWORD = "drift-does-not-show-this"
STATEMENT = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
DENY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
TEMPLATE: Mapping[str, Any] = {
    "Resources": {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": KEY_POLICY, "EnableKeyRotation": True},
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{"Ref": "Topic"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Action": "sns:Publish",
                            "Resource": {"Ref": "Topic"},
                        }
                    ],
                },
            },
        },
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": True}},
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
                "FilterPolicy": {"kind": ["a"]},
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST,
                "Policies": [
                    {
                        "PolicyName": "one",
                        "PolicyDocument": {"Version": "2012-10-17", "Statement": [STATEMENT]},
                    }
                ],
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
        },
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [DENY]},
            },
        },
        "CachePolicy": {
            "Type": "AWS::CloudFront::CachePolicy",
            "Properties": {
                "CachePolicyConfig": {
                    "Name": {"Ref": "AWS::StackName"},
                    "MinTTL": 1,
                    "DefaultTTL": 60,
                    "MaxTTL": 600,
                    "ParametersInCacheKeyAndForwardedToOrigin": {
                        "CookiesConfig": {"CookieBehavior": "none"},
                        "HeadersConfig": {"HeaderBehavior": "none"},
                        "QueryStringsConfig": {"QueryStringBehavior": "none"},
                        "EnableAcceptEncodingGzip": True,
                    },
                }
            },
        },
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": PASSWORD}},
    }
}


@pytest.fixture(scope="module")
def stack(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, dict(TEMPLATE)) as made:
        yield made


def drifts(stack: Stack) -> dict[str, Mapping[str, Any]]:
    """Each resource's drift, by its logical id, after a detection."""
    formation = stack.cloud.client("cloudformation")
    begun = formation.detect_stack_drift(StackName=stack.name)["StackDriftDetectionId"]
    while True:
        state = formation.describe_stack_drift_detection_status(StackDriftDetectionId=begun)
        if state["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        time.sleep(0.1)
    found = formation.describe_stack_resource_drifts(StackName=stack.name)["StackResourceDrifts"]
    return {one["LogicalResourceId"]: one for one in found}


def statuses(stack: Stack) -> dict[str, str]:
    return {name: one["StackResourceDriftStatus"] for name, one in drifts(stack).items()}


def key_without_rotation(stack: Stack) -> None:
    stack.cloud.client("kms").disable_key_rotation(KeyId=stack.id_of("Key"))


def topic_in_the_clear(stack: Stack) -> None:
    stack.cloud.client("sns").set_topic_attributes(
        TopicArn=stack.id_of("Topic"), AttributeName="KmsMasterKeyId", AttributeValue=""
    )


def queue_in_the_clear(stack: Stack) -> None:
    stack.cloud.client("sqs").set_queue_attributes(
        QueueUrl=stack.id_of("Queue"), Attributes={"SqsManagedSseEnabled": "false"}
    )


def subscription_filter(stack: Stack) -> None:
    stack.cloud.client("sns").set_subscription_attributes(
        SubscriptionArn=stack.id_of("Subscription"),
        AttributeName="FilterPolicy",
        AttributeValue=json.dumps({"kind": ["b"]}),
    )


def role_may_more(stack: Stack) -> None:
    document = {"Version": "2012-10-17", "Statement": [{**STATEMENT, "Action": "sqs:*"}]}
    stack.cloud.client("iam").put_role_policy(
        RoleName=stack.id_of("Role"), PolicyName="one", PolicyDocument=json.dumps(document)
    )


def bucket_policy_removed(stack: Stack) -> None:
    stack.cloud.client("s3").delete_bucket_policy(Bucket=stack.id_of("Bucket"))


def bucket_takes_acls(stack: Stack) -> None:
    stack.cloud.client("s3").put_bucket_ownership_controls(
        Bucket=stack.id_of("Bucket"),
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
    )


def cached_for_longer(stack: Stack) -> None:
    client, id_ = stack.cloud.client("cloudfront"), stack.id_of("CachePolicy")
    answer = client.get_cache_policy(Id=id_)
    config = {**answer["CachePolicy"]["CachePolicyConfig"], "MaxTTL": 6000}
    client.update_cache_policy(Id=id_, IfMatch=answer["ETag"], CachePolicyConfig=config)


CHANGES: list[tuple[Callable[[Stack], None], str, str]] = [
    (key_without_rotation, "Key", "MODIFIED"),
    (topic_in_the_clear, "Topic", "MODIFIED"),
    (queue_in_the_clear, "Queue", "MODIFIED"),
    (subscription_filter, "Subscription", "MODIFIED"),
    (role_may_more, "Role", "MODIFIED"),
    (bucket_takes_acls, "Bucket", "MODIFIED"),
    (bucket_policy_removed, "BucketPolicy", "DELETED"),
    (cached_for_longer, "CachePolicy", "MODIFIED"),
]


@pytest.mark.embedded
@pytest.mark.xdist_group("embedded")
def test_each_change_by_hand_is_drift(stack: Stack) -> None:
    """The topic's policy is not compared, since its type has no read handler."""
    expected = dict.fromkeys(TEMPLATE["Resources"].keys() - {"TopicPolicy"}, "IN_SYNC")
    before = drifts(stack)

    assert {name: one["StackResourceDriftStatus"] for name, one in before.items()} == expected
    assert PASSWORD not in str(before)
    for change, name, status in CHANGES:
        change(stack)
        expected[name] = status
        assert statuses(stack) == expected, change.__name__


def test_what_is_not_compared_is_what_the_registry_says() -> None:
    unreadable, write_only = set(), {}
    for kind, known in TYPES.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
        if "read" not in schema.get("handlers", {}):
            unreadable.add(kind)
        paths = [one.split("/")[2:] for one in schema.get("writeOnlyProperties") or []]
        if names := {name for name, *rest in paths if name in known.properties and "*" not in rest}:
            write_only[kind] = names

    assert unreadable == NOT_CHECKED
    assert write_only == WRITE_ONLY

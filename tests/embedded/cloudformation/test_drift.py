"""verification/embedded/server/cloudformation/drift.py: a change by hand of what a template declares is drift"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
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
        "Users": {
            "Type": "AWS::Cognito::UserPool",
            "Properties": {
                "UserPoolName": "members",
                "UsernameAttributes": ["email"],
                "AutoVerifiedAttributes": ["email"],
                "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
                "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]},
                "Policies": {"PasswordPolicy": {"MinimumLength": 14, "TemporaryPasswordValidityDays": 3}},
                "UserPoolTags": {"Project": "demo"},
            },
        },
        "Page": {
            "Type": "AWS::Cognito::UserPoolClient",
            "Properties": {
                "UserPoolId": {"Ref": "Users"},
                "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
                "IdTokenValidity": 60,
                "TokenValidityUnits": {"IdToken": "minutes"},
            },
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
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": "def handler(event, context):\n    return 1\n"},
                "Environment": {"Variables": {"LEVEL": "info"}},
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "AWS/Lambda",
                "MetricName": "Errors",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            },
        },
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
        "Acl": {
            "Type": "AWS::WAFv2::WebACL",
            "Properties": {
                "Scope": "REGIONAL",
                "DefaultAction": {"Allow": {}},
                "VisibilityConfig": {
                    "CloudWatchMetricsEnabled": True,
                    "MetricName": "acl",
                    "SampledRequestsEnabled": True,
                },
            },
        },
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": PASSWORD}},
    }
}


BUCKET = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}


@pytest.fixture(scope="module")
def stack(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, dict(TEMPLATE)) as made:
        yield made


def drifts(stack: Stack) -> dict[str, Mapping[str, Any]]:
    """Each resource's drift, by its logical id, after a detection."""
    formation = stack.cloud.client("cloudformation")
    begun = formation.detect_stack_drift(StackName=stack.name)["StackDriftDetectionId"]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        state = formation.describe_stack_drift_detection_status(StackDriftDetectionId=begun)
        if state["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        time.sleep(0.1)
    else:
        pytest.fail("expected the detection to end within 30 s, found it in progress")
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


def key_lets_another_account_in(stack: Stack) -> None:
    client, id_ = stack.cloud.client("kms"), stack.id_of("Key")
    policy = json.loads(client.get_key_policy(KeyId=id_, PolicyName="default")["Policy"])
    policy["Statement"][0]["Principal"]["Service"] = "logs.amazonaws.com"
    client.put_key_policy(KeyId=id_, PolicyName="default", Policy=json.dumps(policy))


def variable_added(stack: Stack) -> None:
    stack.cloud.client("lambda").update_function_configuration(
        FunctionName=stack.id_of("Function"), Environment={"Variables": {"LEVEL": "info", "DEBUG": "1"}}
    )


def alarm_for_later(stack: Stack) -> None:
    alarm = {**TEMPLATE["Resources"]["Alarm"]["Properties"], "Threshold": 100}
    stack.cloud.client("cloudwatch").put_metric_alarm(AlarmName=stack.id_of("Alarm"), **alarm)


def lines_for_a_day(stack: Stack) -> None:
    stack.cloud.client("logs").put_retention_policy(logGroupName=stack.id_of("Group"), retentionInDays=1)


def firewall_blocks(stack: Stack) -> None:
    client = stack.cloud.client("wafv2")
    name, id_, scope = stack.id_of("Acl").split("|")
    which = {"Name": name, "Id": id_, "Scope": scope}
    answer = client.get_web_acl(**which)
    client.update_web_acl(
        **which,
        LockToken=answer["LockToken"],
        DefaultAction={"Block": {}},
        VisibilityConfig=answer["WebACL"]["VisibilityConfig"],
    )


def anybody_may_sign_up(stack: Stack) -> None:
    stack.cloud.client("cognito-idp").update_user_pool(
        UserPoolId=stack.id_of("Users"), AdminCreateUserConfig={"AllowAdminCreateUserOnly": False}
    )


def another_way_to_sign_in(stack: Stack) -> None:
    client, pool, id_ = stack.cloud.client("cognito-idp"), stack.id_of("Users"), stack.id_of("Page")
    client.update_user_pool_client(
        UserPoolId=pool, ClientId=id_, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )


CHANGES: list[tuple[Callable[[Stack], None], str, str]] = [
    (key_lets_another_account_in, "Key", "MODIFIED"),
    (key_without_rotation, "Key", "MODIFIED"),
    (anybody_may_sign_up, "Users", "MODIFIED"),
    (another_way_to_sign_in, "Page", "MODIFIED"),
    (variable_added, "Function", "MODIFIED"),
    (alarm_for_later, "Alarm", "MODIFIED"),
    (lines_for_a_day, "Group", "MODIFIED"),
    (firewall_blocks, "Acl", "MODIFIED"),
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


@pytest.mark.embedded
@pytest.mark.xdist_group("embedded")
def test_a_canonical_user_is_the_same_principal_as_its_arn(cloud: Running) -> None:
    """S3 stores the ARN of an origin access identity in the place of its canonical user."""
    reads = {
        "Effect": "Allow",
        "Principal": {"CanonicalUser": {"Fn::GetAtt": ["Identity", "S3CanonicalUserId"]}},
        "Action": "s3:GetObject",
        "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
    }
    resources = {
        **BUCKET["Resources"],
        "Identity": {
            "Type": "AWS::CloudFront::CloudFrontOriginAccessIdentity",
            "Properties": {"CloudFrontOriginAccessIdentityConfig": {"Comment": "reads"}},
        },
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [reads]},
            },
        },
    }
    with deployed(cloud, {"Resources": resources}) as made:
        assert statuses(made) == {"Bucket": "IN_SYNC", "Policy": "IN_SYNC"}


@pytest.mark.embedded
@pytest.mark.xdist_group("embedded")
def test_a_template_may_name_the_operation(cloud: Running) -> None:
    """What decides is the operation that is asked for, in either protocol."""
    with deployed(cloud, {"Description": "a role that may DetectStackDrift", **BUCKET}) as made:
        assert statuses(made) == {"Bucket": "IN_SYNC"}
        answer = signed(cloud, "DetectStackDrift", {"StackName": made.name})

    assert answer.status_code == HTTPStatus.OK


@pytest.mark.embedded
@pytest.mark.xdist_group("embedded")
def test_an_update_waits_for_a_detection(cloud: Running) -> None:
    changed = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}, "Queue": {"Type": "AWS::SQS::Queue"}}}
    with deployed(cloud, BUCKET) as made, ThreadPoolExecutor(4) as pool:
        detections = [pool.submit(statuses, made) for _ in range(3)]
        update = pool.submit(made.update, changed)

        assert update.result() == "UPDATE_COMPLETE"
        # CloudFormation detects no drift during an update.
        failed = [one.exception() for one in detections if one.exception() is not None]
        assert [one for one in failed if "ValidationError" not in str(one)] == []


def signed(cloud: Running, operation: str, parameters: Mapping[str, str]) -> requests.Response:
    """A request in the JSON protocol, which boto3 does not use for CloudFormation."""
    state = cloud.state
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"CloudFormation_20100515.{operation}",
    }
    request = AWSRequest("POST", state.endpoint, headers=headers, data=json.dumps(parameters))
    credentials = Credentials(state.access_key_id, state.secret_access_key)
    SigV4Auth(credentials, "cloudformation", state.region).add_auth(request)
    return requests.post(
        state.endpoint, headers=dict(request.headers), data=request.data, verify=state.ca_bundle, timeout=20
    )


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

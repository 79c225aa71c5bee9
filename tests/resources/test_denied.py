"""What every resource does when AWS refuses the read: it says which action the verifier lacks."""

from __future__ import annotations

import pytest

from readiness.aws.alarm import alarms_of
from readiness.aws.bucket import Bucket
from readiness.aws.cloudformation import CloudFormationStack
from readiness.aws.distribution import Distribution
from readiness.aws.function import Function
from readiness.aws.http_api import HttpApi
from readiness.aws.key import Key
from readiness.aws.log_group import LogGroup
from readiness.aws.parameter import Parameter
from readiness.aws.queue import Queue
from readiness.aws.secret import Secret
from readiness.aws.stream import Stream
from readiness.aws.table import Table
from readiness.aws.topic import Topic
from readiness.errors import Denied

NAMES = {
    Bucket: "some-bucket",
    Topic: "arn:aws:sns:us-east-1:123456789012:some-topic",
    Secret: "arn:aws:secretsmanager:us-east-1:123456789012:secret:some-secret",
}
TABLE = [
    (Bucket, "public_access_block", "s3:GetBucketPublicAccessBlock"),
    (Bucket, "policy_statements", "s3:GetBucketPolicy"),
    (Bucket, "policy_is_public", "s3:GetBucketPolicyStatus"),
    (Bucket, "encryption_algorithms", "s3:GetEncryptionConfiguration"),
    (Bucket, "lifecycle_rules", "s3:GetLifecycleConfiguration"),
    (Bucket, "grants", "s3:GetBucketAcl"),
    (Bucket, "log_bucket_name", "s3:GetBucketLogging"),
    (Bucket, "live_name", "s3:ListBucket"),
    (CloudFormationStack, "status", "cloudformation:DescribeStacks"),
    (CloudFormationStack, "outputs", "cloudformation:DescribeStacks"),
    (CloudFormationStack, "termination_protection", "cloudformation:DescribeStacks"),
    (CloudFormationStack, "resources", "cloudformation:ListStackResources"),
    (CloudFormationStack, "template", "cloudformation:GetTemplate"),
    (CloudFormationStack, "original_template", "cloudformation:GetTemplate"),
    (CloudFormationStack, "events", "cloudformation:DescribeStackEvents"),
    (CloudFormationStack, "drifts", "cloudformation:DetectStackDrift"),
    (Distribution, "configuration", "cloudfront:GetDistribution"),
    (Function, "timeout", "lambda:GetFunctionConfiguration"),
    (Function, "reserved_concurrency", "lambda:GetFunctionConcurrency"),
    (Function, "package", "lambda:GetFunction"),
    (Function, "event_sources", "lambda:ListEventSourceMappings"),
    (HttpApi, "endpoint", "apigateway:GET"),
    (HttpApi, "stage", "apigateway:GET"),
    (HttpApi, "route_keys", "apigateway:GET"),
    (Key, "state", "kms:DescribeKey"),
    (Key, "rotates", "kms:GetKeyRotationStatus"),
    (Key, "policy_statements", "kms:DescribeKey"),
    (LogGroup, "retention", "logs:DescribeLogGroups"),
    (Parameter, "kind", "ssm:DescribeParameters"),
    (Queue, "encrypted", "sqs:GetQueueAttributes"),
    (Queue, "redrive_policy", "sqs:GetQueueAttributes"),
    (Secret, "deletion_scheduled", "secretsmanager:DescribeSecret"),
    (Secret, "policy_statements", "secretsmanager:GetResourcePolicy"),
    (Stream, "encryption", "kinesis:DescribeStreamSummary"),
    (Table, "billing_mode", "dynamodb:DescribeTable"),
    (Table, "time_to_live", "dynamodb:DescribeTimeToLive"),
    (Table, "point_in_time_recovery", "dynamodb:DescribeContinuousBackups"),
    (Table, "scaled", "application-autoscaling:DescribeScalableTargets"),
    (Topic, "kms_key_id", "sns:GetTopicAttributes"),
    (Topic, "subscriptions", "sns:ListSubscriptionsByTopic"),
]


@pytest.mark.parametrize(
    ("kind", "fact", "action"), TABLE, ids=[f"{kind.__name__}.{fact}" for kind, fact, _ in TABLE]
)
def test_a_denied_read_names_the_action_that_is_lacking(denying, kind, fact, action):
    name = f"{denying.endpoint_url}/123456789012/q" if kind is Queue else NAMES.get(kind, "some-name")

    with pytest.raises(Denied, match=f"denied {action}: ") as caught:
        getattr(kind(denying, name), fact)

    assert caught.value.action == action


def test_alarms_that_may_not_be_read_are_named(denying):
    with pytest.raises(Denied, match="denied cloudwatch:DescribeAlarms"):
        alarms_of(denying, ["some-alarm"])


def test_a_functions_policy_that_may_not_be_read_is_no_empty_policy(denying):
    function = Function(denying, "some-name")
    vars(function).update(configuration={"FunctionName": "some-name"})

    with pytest.raises(Denied, match="denied lambda:GetPolicy"):
        _ = function.permissions


def test_access_controls_that_may_not_be_read_are_no_missing_ones(denying):
    distribution = Distribution(denying, "E1")
    origins = {"Items": [{"OriginAccessControlId": "O1"}]}
    vars(distribution).update(description={"DistributionConfig": {"Origins": origins}})

    with pytest.raises(Denied, match="denied cloudfront:GetOriginAccessControl"):
        _ = distribution.origin_access_controls


def test_an_object_that_may_not_be_read_or_written_is_named(denying):
    bucket = Bucket(denying, "some-bucket")

    with pytest.raises(Denied, match="denied s3:GetObject"):
        bucket.object_bytes("k")
    with pytest.raises(Denied, match="denied s3:PutObject"), bucket.temporary_object("k", b""):
        pytest.fail("the object was never there")

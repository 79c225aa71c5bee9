"""The embedded AWS and moto, given the same resources: where they answer differently, AWS's documents settle it.

`SETTLED` names each disagreement with who is right. A new one fails, and so does a row that nothing needs any more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.embedded.conftest import TRUST, Running, unique
from tests.stand_in import stand_in_for_aws

Read = tuple[str, str, Mapping[str, Any]]
Client = Callable[[str], Any]
_MASKS = [
    (
        re.compile(
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+\d\d:?\d\d|Z)?|(?<!\d)1[789]\d{8}(?:\d{3})?(?!\d)"
        ),
        "<moment>",
    ),
    (re.compile(r"(?<!\d)(?:000000000000|123456789012)(?!\d)"), "<account>"),
    (re.compile(r"https?://[\w.:-]+"), "<endpoint>"),
    (re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b(?:AROA|AIDA|ANPA)[A-Z0-9]{8,}"), "<unique id>"),
    (re.compile(r"(?<=:secret:)([\w-]+)-[A-Za-z0-9]{6}\b"), r"\1-<random>"),
]


def a_bucket(client: Client, name: str) -> Iterator[Read]:
    s3 = client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={
            "Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": True}
            ]
        },
    )
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "expire",
                    "Status": "Enabled",
                    "Filter": {"Prefix": "images/"},
                    "Expiration": {"Days": 30},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                }
            ]
        },
    )
    closed = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=closed)
    nobody = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObjectAcl",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [nobody]}))
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    s3.put_object(Bucket=name, Key="images/a b.png", Body=b"picture", ContentType="image/png")
    for operation in (
        *("get_bucket_encryption", "get_bucket_lifecycle_configuration", "get_public_access_block"),
        *("get_bucket_policy", "get_bucket_tagging", "get_bucket_ownership_controls", "get_bucket_location"),
        *(
            "get_bucket_versioning",
            "get_bucket_policy_status",
            "get_bucket_acl",
            "list_objects_v2",
            "head_bucket",
        ),
        *("get_bucket_cors", "get_bucket_website"),
    ):
        yield "s3", operation, {"Bucket": name}
    yield "s3", "head_object", {"Bucket": name, "Key": "images/a b.png"}
    yield "s3", "head_object", {"Bucket": name, "Key": "absent"}
    yield "s3", "get_object", {"Bucket": name, "Key": "absent"}


def a_bare_bucket(client: Client, name: str) -> Iterator[Read]:
    client("s3").create_bucket(Bucket=name)
    for operation in (
        *("get_bucket_encryption", "get_bucket_lifecycle_configuration", "get_public_access_block"),
        *(
            "get_bucket_policy",
            "get_bucket_tagging",
            "get_bucket_ownership_controls",
            "get_bucket_versioning",
        ),
        "list_objects_v2",
    ):
        yield "s3", operation, {"Bucket": name}
    yield "s3", "get_bucket_policy", {"Bucket": f"{name}-absent"}


def a_queue(client: Client, name: str) -> Iterator[Read]:
    sqs = client("sqs")
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url = sqs.create_queue(
        QueueName=name,
        Attributes={
            "VisibilityTimeout": "900",
            "MessageRetentionPeriod": "345600",
            "SqsManagedSseEnabled": "true",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3}),
        },
        tags={"a": "b"},
    )["QueueUrl"]
    yield "sqs", "get_queue_attributes", {"QueueUrl": url, "AttributeNames": ["All"]}
    yield "sqs", "get_queue_attributes", {"QueueUrl": dead, "AttributeNames": ["All"]}
    yield "sqs", "list_queue_tags", {"QueueUrl": url}
    yield "sqs", "receive_message", {"QueueUrl": url}
    yield "sqs", "get_queue_attributes", {"QueueUrl": f"{url}-absent", "AttributeNames": ["All"]}


def a_table(client: Client, name: str) -> Iterator[Read]:
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True},
        Tags=[{"Key": "a", "Value": "b"}],
    )
    dynamodb.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expiresAt"}
    )
    dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "one"}, "used": {"N": "1"}})
    for operation in ("describe_table", "describe_time_to_live", "describe_continuous_backups", "scan"):
        yield "dynamodb", operation, {"TableName": name}
    yield "dynamodb", "get_item", {"TableName": name, "Key": {"pk": {"S": "one"}}}
    yield "dynamodb", "get_item", {"TableName": name, "Key": {"pk": {"S": "none"}}}
    yield "dynamodb", "describe_table", {"TableName": f"{name}-absent"}


def a_topic(client: Client, name: str) -> Iterator[Read]:
    sns = client("sns")
    arn = sns.create_topic(Name=name, Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="someone@example.com")
    yield "sns", "get_topic_attributes", {"TopicArn": arn}
    yield "sns", "list_subscriptions_by_topic", {"TopicArn": arn}
    yield "sns", "list_tags_for_resource", {"ResourceArn": arn}
    yield "sns", "get_topic_attributes", {"TopicArn": f"{arn}-absent"}


def a_log_group(client: Client, name: str) -> Iterator[Read]:
    logs = client("logs")
    logs.create_log_group(logGroupName=name, tags={"a": "b"})
    logs.put_retention_policy(logGroupName=name, retentionInDays=30)
    logs.create_log_stream(logGroupName=name, logStreamName="one")
    yield "logs", "describe_log_groups", {"logGroupNamePrefix": name}
    yield "logs", "filter_log_events", {"logGroupName": name}
    yield "logs", "filter_log_events", {"logGroupName": f"{name}-absent"}


def an_alarm(client: Client, name: str) -> Iterator[Read]:
    client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=["arn:aws:sns:us-east-1:123456789012:topic"],
    )
    yield "cloudwatch", "describe_alarms", {"AlarmNames": [name]}
    yield "cloudwatch", "describe_alarms", {"AlarmNames": [f"{name}-absent"]}


def a_role(client: Client, name: str) -> Iterator[Read]:
    iam = client("iam")
    iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "a", "Value": "b"}]
    )
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
    yield "iam", "get_role", {"RoleName": name}
    yield "iam", "list_role_policies", {"RoleName": name}
    yield "iam", "get_role_policy", {"RoleName": name, "PolicyName": "own"}
    yield "iam", "list_attached_role_policies", {"RoleName": name}
    yield "iam", "list_role_tags", {"RoleName": name}
    yield "iam", "get_role", {"RoleName": f"{name}-absent"}
    yield "iam", "get_role_policy", {"RoleName": name, "PolicyName": "absent"}


def a_secret(client: Client, name: str) -> Iterator[Read]:
    manager = client("secretsmanager")
    manager.create_secret(Name=name, SecretString="{}", Tags=[{"Key": "a", "Value": "b"}])
    yield "secretsmanager", "describe_secret", {"SecretId": name}
    yield "secretsmanager", "describe_secret", {"SecretId": f"{name}-absent"}


def a_budget(client: Client, name: str) -> Iterator[Read]:
    account = client("sts").get_caller_identity()["Account"]
    notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    client("budgets").create_budget(
        AccountId=account,
        Budget={
            "BudgetName": name,
            "BudgetLimit": {"Amount": "100", "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
        NotificationsWithSubscribers=[
            {
                "Notification": {**notification, "ThresholdType": "PERCENTAGE"},
                "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "someone@example.com"}],
            }
        ],
    )
    yield "budgets", "describe_budget", {"AccountId": account, "BudgetName": name}
    yield "budgets", "describe_notifications_for_budget", {"AccountId": account, "BudgetName": name}
    yield "budgets", "describe_budget", {"AccountId": account, "BudgetName": f"{name}-absent"}


CASES = {
    case.__name__: case
    for case in (
        *(a_bucket, a_bare_bucket, a_queue, a_table, a_topic, a_log_group, an_alarm, a_role, a_secret),
        a_budget,
    )
}
ENCRYPTION, ACCESS, OWNERSHIP = (
    "s3:get_bucket_encryption",
    "s3:get_public_access_block",
    "s3:get_bucket_ownership_controls",
)
_DEFAULTS = "the embedded AWS: S3 User Guide, every new bucket has it since 2023"
_MOTO_UNREAD = "moto, and nothing reads it: "
SETTLED: Mapping[tuple[str, str], str] = {
    **{
        (operation, path): _DEFAULTS
        for operation, member in (
            (ENCRYPTION, ".ServerSideEncryptionConfiguration"),
            (ACCESS, ".PublicAccessBlockConfiguration"),
            (OWNERSHIP, ".OwnershipControls"),
        )
        for path in (member, ".error", ".status")
    },
    **{
        (
            "s3:get_bucket_acl",
            path,
        ): "neither: names and canonical ids are each emulator's own, and nothing reads them"
        for path in (
            ".Owner.DisplayName",
            ".Owner.ID",
            ".Grants[].Grantee.DisplayName",
            ".Grants[].Grantee.ID",
        )
    },
    ("s3:list_objects_v2", ".Contents[].ChecksumAlgorithm"): f"{_MOTO_UNREAD}API Reference, Object",
    ("s3:head_bucket", ".BucketArn"): f"{_MOTO_UNREAD}API Reference, HeadBucket: of directory buckets alone",
    **{
        ("sqs:get_queue_attributes", f".Attributes.{name}"): "the embedded AWS: API Reference, whole seconds"
        for name in ("CreatedTimestamp", "LastModifiedTimestamp")
    },
    **{
        (
            "dynamodb:describe_table",
            f".Table.{name}",
        ): "the embedded AWS: AWS leaves out what there is none of"
        for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    },
    ("dynamodb:describe_table", ".Table.TableId"): "the embedded AWS: API Reference, TableDescription",
    (
        "dynamodb:describe_table",
        ".Table.TableSizeBytes",
    ): f"{_MOTO_UNREAD}it is brought up to date every six hours",
    (
        "dynamodb:describe_table",
        ".Table.ProvisionedThroughput.NumberOfDecreasesToday",
    ): f"{_MOTO_UNREAD}API Reference, a number always",
    (
        "dynamodb:describe_table",
        ".Table.SSEDescription.KMSMasterKeyArn",
    ): "moto: a key's ARN and not an alias's; SEC-11 reads the status and the type alone",
    **{
        (
            "dynamodb:describe_table",
            f".Table.WarmThroughput.{name}",
        ): f"{_MOTO_UNREAD}12,000 and 4,000 of an on-demand table"
        for name in ("ReadUnitsPerSecond", "WriteUnitsPerSecond")
    },
    (
        "dynamodb:describe_continuous_backups",
        ".ContinuousBackupsDescription.PointInTimeRecoveryDescription.RecoveryPeriodInDays",
    ): f"{_MOTO_UNREAD}35 days unless told otherwise",
    (
        "sns:get_topic_attributes",
        ".Attributes.DeliveryPolicy",
    ): "the embedded AWS: there is none before it is set",
    (
        "sns:get_topic_attributes",
        ".Attributes.EffectiveDeliveryPolicy",
    ): "the embedded AWS: it is by protocol, below 'http'",
    (
        "sns:get_topic_attributes",
        ".Attributes.Policy",
    ): "moto: the default lists each action; the topic of the stack has a policy of its own",
    (
        "sns:get_topic_attributes",
        ".Attributes.SubscriptionsConfirmed",
    ): "moto counts right: a mail address is pending until its owner confirms; CONF-11 reads the subscriptions",
    ("logs:describe_log_groups", ".logGroups[].logGroupClass"): "the embedded AWS: API Reference, LogGroup",
    ("logs:filter_log_events", ".searchedLogStreams"): "the embedded AWS: empty since 2020, API Reference",
    (
        "cloudwatch:describe_alarms",
        ".MetricAlarms[].Metrics",
    ): "the embedded AWS: of alarms on metric math alone",
    (
        "cloudwatch:describe_alarms",
        ".MetricAlarms[].StateReason",
    ): "both: before the first evaluation, and after it; the embedded AWS evaluates at once",
    (
        "cloudwatch:describe_alarms",
        ".MetricAlarms[].StateReasonData",
    ): "the embedded AWS: JSON, and none before there is data",
    ("iam:get_role", ".Role.Description"): f"{_MOTO_UNREAD}left out where there is none",
    (
        "iam:get_role",
        ".Role.RoleLastUsed",
    ): f"{_MOTO_UNREAD}GetRole tells it, empty for a role that was never used",
    ("secretsmanager:describe_secret", ".status"): "the embedded AWS: JSON 1.1 errors have status 400",
    (
        "budgets:describe_budget",
        ".Budget.CalculatedSpend.ForecastedSpend",
    ): f"{_MOTO_UNREAD}there once it was reckoned",
    ("budgets:describe_budget", ".Budget.CostTypes"): f"{_MOTO_UNREAD}API Reference, CostTypes has defaults",
    (
        "budgets:describe_notifications_for_budget",
        ".Notifications[].NotificationState",
    ): "the embedded AWS: API Reference, Notification",
}


@pytest.fixture(scope="module")
def moto() -> Iterator[Client]:
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    with stand_in_for_aws() as url:
        yield lambda service: session.client(service, endpoint_url=url)


def told(
    client: Client, case: Callable[[Client, str], Iterator[Read]], name: str
) -> Sequence[tuple[str, Any]]:
    """What each read of a case is answered, an error by its code and status."""
    answers = []
    for service, operation, parameters in case(client, name):
        try:
            answer = getattr(client(service), operation)(**parameters)
            answer.pop("ResponseMetadata")
            answer.pop("Body", None)
        except ClientError as problem:
            error = problem.response["Error"]
            answer = {
                "error": error["Code"],
                "status": problem.response["ResponseMetadata"]["HTTPStatusCode"],
            }
        answers.append((f"{service}:{operation}", answer))
    return answers


def differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Where two answers differ, and how."""
    if isinstance(one, dict) and isinstance(other, dict):
        one, other = ({masked(key): value for key, value in each.items()} for each in (one, other))
        for key in sorted(one.keys() | other.keys()):
            if key not in other:
                yield f"{path}.{key}", f"the embedded AWS alone says {shown(one[key])}"
            elif key not in one:
                yield f"{path}.{key}", f"moto alone says {shown(other[key])}"
            else:
                yield from differences(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for left, right in zip(sorted(one, key=shown), sorted(other, key=shown), strict=True):
            yield from differences(left, right, f"{path}[]")
    elif shown(one) != shown(other):
        yield path, f"the embedded AWS says {shown(one)}, moto {shown(other)}"


def masked(text: str) -> str:
    """A text without what each emulator makes up for itself."""
    for pattern, stand_in in _MASKS:
        text = pattern.sub(stand_in, text)
    return text


def shown(value: Any) -> str:
    if isinstance(value, str) and value[:1] == "{":
        value = json.loads(value)
    text = json.dumps(
        value, sort_keys=True, default=lambda one: "<moment>" if isinstance(one, datetime) else repr(one)
    )
    return masked(text)


@pytest.mark.parametrize("name", CASES)
def test_both_say_the_same_or_it_is_settled(cloud: Running, moto: Client, name: str) -> None:
    own = unique("second-opinion")
    here, there = told(cloud.client, CASES[name], own), told(moto, CASES[name], own)
    found = {
        (operation, path): how
        for (operation, answer), (_, other) in zip(here, there, strict=True)
        for path, how in differences(answer, other)
    }

    assert {where: how for where, how in found.items() if where not in SETTLED} == {}
    asked = {operation for operation, _ in here}
    assert {
        where for where in SETTLED if where[0] in asked and where not in found and not _elsewhere(where, name)
    } == set()


def _elsewhere(where: tuple[str, str], name: str) -> bool:
    """Whether a row is about another case of the same operation."""
    of_the_bare_bucket = SETTLED[where] == _DEFAULTS
    return of_the_bare_bucket != (name == "a_bare_bucket") and where[0].startswith("s3:")

"""What a template declares arrives in the services: on creation, on update, and when it is taken out again."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.embedded.conftest import TRUST, Running, unique
from tests.embedded.stacks import Stack, deployed

pytestmark = pytest.mark.embedded

SOURCE = "def handler(event, context):\n    return 1\n"


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def alarm(**changes: Any) -> dict[str, Any]:
    settled = {
        "Namespace": "Demo",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    return resource("CloudWatch::Alarm", **{**settled, **changes})


RULES = [
    {"Id": "expire", "Status": "Enabled", "Prefix": "images/", "ExpirationInDays": 30},
    {
        "Id": "tidy",
        "Status": "Disabled",
        "Prefix": "a/",
        "TagFilters": [{"Key": "k", "Value": "v"}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 3},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
        "Transitions": [{"StorageClass": "STANDARD_IA", "TransitionInDays": 31}],
    },
]
FULL: dict[str, Any] = {
    "Parameters": {"Count": {"Type": "Number", "Default": 7}, "On": {"Type": "String", "Default": "true"}},
    "Resources": {
        "Key": resource("KMS::Key", KeyPolicy={"Version": "2012-10-17", "Statement": []}),
        "LogBucket": resource(
            "S3::Bucket",
            AccessControl="LogDeliveryWrite",
            OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
        ),
        "Bucket": resource(
            "S3::Bucket",
            LifecycleConfiguration={"Rules": RULES},
            BucketEncryption={
                "ServerSideEncryptionConfiguration": [
                    {
                        "ServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": arn("Key"),
                        },
                        "BucketKeyEnabled": True,
                    }
                ]
            },
            OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
            LoggingConfiguration={"DestinationBucketName": ref("LogBucket"), "LogFilePrefix": "s3/"},
            VersioningConfiguration={"Status": "Enabled"},
            PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": False},
            Tags=[{"Key": "Project", "Value": "demo"}],
        ),
        "Table": resource(
            "DynamoDB::Table",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            TimeToLiveSpecification={"AttributeName": "expires", "Enabled": ref("On")},
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": ref("On")},
            SSESpecification={"SSEEnabled": True, "SSEType": "KMS"},
            DeletionProtectionEnabled=ref("On"),
            Tags=[{"Key": "Project", "Value": "demo"}],
        ),
        "Role": resource(
            "IAM::Role",
            AssumeRolePolicyDocument=TRUST,
            Policies=[
                {
                    "PolicyName": "queues",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}],
                    },
                }
            ],
        ),
        "DeadLetters": resource("SQS::Queue"),
        "Queue": resource("SQS::Queue", VisibilityTimeout=60),
        "Function": resource(
            "Lambda::Function",
            Runtime="python3.13",
            Handler="index.handler",
            Role=arn("Role"),
            Code={"ZipFile": SOURCE},
            Timeout=10,
            ReservedConcurrentExecutions=ref("Count"),
            DeadLetterConfig={"TargetArn": arn("DeadLetters")},
            LoggingConfig={"LogFormat": "JSON"},
            TracingConfig={"Mode": "Active"},
            Architectures=["arm64"],
            Tags=[{"Key": "Project", "Value": "demo"}],
        ),
        "Source": resource(
            "Lambda::EventSourceMapping",
            EventSourceArn=arn("Queue"),
            FunctionName=ref("Function"),
            BatchSize=ref("Count"),
            MaximumBatchingWindowInSeconds=5,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig={"MaximumConcurrency": ref("Count")},
            Enabled=False,
        ),
        "Topic": resource("SNS::Topic", KmsMasterKeyId=arn("Key"), DisplayName="Demo"),
        "Secret": resource("SecretsManager::Secret", SecretString="{}"),
        "Math": resource(
            "CloudWatch::Alarm",
            Metrics=[
                {"Id": "rate", "Expression": "100 * FILL(errors, 0) / calls", "Label": "rate"},
                *(
                    {
                        "Id": name.lower(),
                        "ReturnData": False,
                        "MetricStat": {
                            "Metric": {"Namespace": "Demo", "MetricName": name, "Dimensions": []},
                            "Period": 60,
                            "Stat": "Sum",
                        },
                    }
                    for name in ("Errors", "Calls")
                ),
            ],
            EvaluationPeriods=1,
            Threshold=50,
            ComparisonOperator="GreaterThanThreshold",
        ),
        "Quiet": alarm(Dimensions=[{"Name": "Who", "Value": "nobody"}]),
        "Both": resource(
            "CloudWatch::CompositeAlarm",
            AlarmRule={"Fn::Sub": "ALARM(${Math}) OR ALARM(${Quiet})"},
            AlarmActions=[ref("Topic")],
            Tags=[{"Key": "Project", "Value": "demo"}],
        ),
        "Money": resource(
            "Budgets::Budget",
            Budget={
                "BudgetName": {"Fn::Sub": "${AWS::StackName}"},
                "BudgetType": "COST",
                "TimeUnit": "MONTHLY",
                "BudgetLimit": {"Amount": 200, "Unit": "USD"},
            },
            NotificationsWithSubscribers=[
                {
                    "Notification": {
                        "NotificationType": "ACTUAL",
                        "ComparisonOperator": "GREATER_THAN",
                        "Threshold": 80,
                    },
                    "Subscribers": [{"SubscriptionType": "SNS", "Address": ref("Topic")}],
                }
            ],
        ),
        "Api": resource("ApiGatewayV2::Api", Name="demo", ProtocolType="HTTP"),
        "Wall": resource(
            "WAFv2::WebACL",
            Scope="REGIONAL",
            DefaultAction={"Allow": {}},
            VisibilityConfig={
                "SampledRequestsEnabled": True,
                "CloudWatchMetricsEnabled": True,
                "MetricName": "m",
            },
            Rules=[],
        ),
        "Walled": resource(
            "WAFv2::WebACLAssociation",
            WebACLArn=arn("Wall"),
            ResourceArn={"Fn::Sub": "arn:aws:apigateway:us-east-1::/apis/${Api}/stages/$default"},
        ),
        "Distribution": resource(
            "CloudFront::Distribution",
            DistributionConfig={
                "Enabled": True,
                "Origins": [
                    {
                        "Id": "o",
                        "DomainName": "example.com",
                        "CustomOriginConfig": {"OriginProtocolPolicy": "https-only"},
                    }
                ],
                "DefaultCacheBehavior": {
                    "TargetOriginId": "o",
                    "ViewerProtocolPolicy": "https-only",
                    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
                },
            },
        ),
        "Watched": resource(
            "CloudFront::MonitoringSubscription",
            DistributionId=ref("Distribution"),
            MonitoringSubscription={
                "RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}
            },
        ),
    },
    "Outputs": {"Secret": {"Value": ref("Secret")}},
}


def changed(**properties: dict[str, Any]) -> dict[str, Any]:
    """Return the full template with other properties; None takes one out."""
    template = copy.deepcopy(FULL)
    for name, changes in properties.items():
        declared = template["Resources"][name]["Properties"]
        for key, value in changes.items():
            declared.pop(key, None)
            if value is not None:
                declared[key] = value
    return template


@pytest.fixture(scope="module")
def full(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, FULL) as stack:
        yield stack
        assert stack.update(changed(Table={"DeletionProtectionEnabled": False})) == "UPDATE_COMPLETE", (
            stack.reasons()
        )


@pytest.fixture
def restored(full: Stack) -> Iterator[Stack]:
    """The stack, brought back to the full template after the test."""
    yield full
    assert full.update(FULL) == "UPDATE_COMPLETE", full.reasons()


# ---------------------------------------------------------------- S3


def test_bucket_lifecycle(full: Stack) -> None:
    rules = full.cloud.client("s3").get_bucket_lifecycle_configuration(Bucket=full.id_of("Bucket"))["Rules"]
    found = {rule["ID"]: rule for rule in rules}

    assert found["expire"]["Status"] == "Enabled"
    assert found["expire"]["Filter"] == {"Prefix": "images/"}
    assert found["expire"]["Expiration"] == {"Days": 30}
    assert found["tidy"]["Status"] == "Disabled"
    assert found["tidy"]["Filter"]["And"]["Prefix"] == "a/"
    assert found["tidy"]["Filter"]["And"]["Tags"] == [{"Key": "k", "Value": "v"}]
    assert found["tidy"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 3}
    assert found["tidy"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert found["tidy"]["Transitions"] == [{"Days": 31, "StorageClass": "STANDARD_IA"}]


def test_bucket_settings(full: Stack) -> None:
    objects, bucket = full.cloud.client("s3"), full.id_of("Bucket")
    encryption = objects.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    ownership = objects.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    logging = objects.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]
    tags = {tag["Key"]: tag["Value"] for tag in objects.get_bucket_tagging(Bucket=bucket)["TagSet"]}

    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert encryption["BucketKeyEnabled"] is True
    assert ownership == {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    assert logging == {"TargetBucket": full.id_of("LogBucket"), "TargetPrefix": "s3/"}
    assert tags["Project"] == "demo"
    assert objects.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_bucket_update(restored: Stack) -> None:
    rule = {"Id": "expire", "Status": "Disabled", "ExpirationInDays": 5}
    changes = {
        "LifecycleConfiguration": {"Rules": [rule]},
        "BucketEncryption": None,
        "LoggingConfiguration": None,
        "VersioningConfiguration": {"Status": "Suspended"},
        "Tags": [{"Key": "Other", "Value": "x"}],
    }
    assert restored.update(changed(Bucket=changes)) == "UPDATE_COMPLETE", restored.reasons()
    objects, bucket = restored.cloud.client("s3"), restored.id_of("Bucket")
    rules = objects.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    encryption = objects.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    tags = {tag["Key"] for tag in objects.get_bucket_tagging(Bucket=bucket)["TagSet"]}

    assert [(one["ID"], one["Status"], one["Expiration"]) for one in rules] == [
        ("expire", "Disabled", {"Days": 5})
    ]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert "LoggingEnabled" not in objects.get_bucket_logging(Bucket=bucket)
    assert objects.get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"
    assert "Other" in tags
    assert "Project" not in tags


def test_bucket_without_its_rules_has_none(restored: Stack) -> None:
    assert restored.update(changed(Bucket={"LifecycleConfiguration": None})) == "UPDATE_COMPLETE"

    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        restored.cloud.client("s3").get_bucket_lifecycle_configuration(Bucket=restored.id_of("Bucket"))


def test_bucket_with_objects_is_not_deleted(cloud: Running) -> None:
    stack = Stack(cloud, {"Resources": {"Bucket": resource("S3::Bucket")}})
    bucket = stack.id_of("Bucket")
    cloud.client("s3").put_object(Bucket=bucket, Key="kept", Body=b"x")

    assert stack.delete() == "DELETE_FAILED"
    assert any("not empty" in reason for reason in stack.reasons())
    cloud.client("s3").delete_object(Bucket=bucket, Key="kept")
    assert stack.delete() == "DELETE_COMPLETE"


# ---------------------------------------------------------------- DynamoDB


def test_table_settings(full: Stack) -> None:
    tables, name = full.cloud.client("dynamodb"), full.id_of("Table")
    table = tables.describe_table(TableName=name)["Table"]
    recovery = tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]

    assert table["SSEDescription"]["Status"] == "ENABLED"
    assert table["DeletionProtectionEnabled"] is True
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "expires",
    }


def test_table_update(restored: Stack) -> None:
    changes = {
        "TimeToLiveSpecification": None,
        "PointInTimeRecoverySpecification": None,
        "SSESpecification": None,
        "DeletionProtectionEnabled": False,
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
    }
    assert restored.update(changed(Table=changes)) == "UPDATE_COMPLETE", restored.reasons()
    tables, name = restored.cloud.client("dynamodb"), restored.id_of("Table")
    table = tables.describe_table(TableName=name)["Table"]
    recovery = tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]

    assert table["DeletionProtectionEnabled"] is False
    assert table.get("SSEDescription", {}).get("Status") != "ENABLED"
    assert table["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    ttl = tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "DISABLED"


def test_protected_table_is_not_deleted(cloud: Running) -> None:
    template = {"Resources": {"Table": FULL["Resources"]["Table"]}, "Parameters": FULL["Parameters"]}
    stack = Stack(cloud, template)

    assert stack.delete() == "DELETE_FAILED"
    cloud.client("dynamodb").update_table(TableName=stack.id_of("Table"), DeletionProtectionEnabled=False)
    assert stack.delete() == "DELETE_COMPLETE"


# ---------------------------------------------------------------- Lambda


def test_function_settings(full: Stack) -> None:
    functions, name = full.cloud.client("lambda"), full.id_of("Function")
    config = functions.get_function_configuration(FunctionName=name)

    assert functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 7
    assert config["DeadLetterConfig"]["TargetArn"].endswith(full.id_of("DeadLetters").rpartition("/")[2])
    assert config["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": f"/aws/lambda/{name}"}
    assert config["TracingConfig"] == {"Mode": "Active"}
    assert config["Architectures"] == ["arm64"]


def test_function_update(restored: Stack) -> None:
    changes = {"ReservedConcurrentExecutions": None, "DeadLetterConfig": None, "LoggingConfig": None}
    assert restored.update(changed(Function=changes)) == "UPDATE_COMPLETE", restored.reasons()
    functions, name = restored.cloud.client("lambda"), restored.id_of("Function")
    config = functions.get_function_configuration(FunctionName=name)

    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)
    assert not config.get("DeadLetterConfig", {}).get("TargetArn")
    assert config["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}


def test_event_source_settings(full: Stack) -> None:
    mapping = full.cloud.client("lambda").get_event_source_mapping(UUID=full.id_of("Source"))

    assert mapping["State"] == "Disabled"
    assert mapping["BatchSize"] == 7
    assert mapping["MaximumBatchingWindowInSeconds"] == 5
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 7}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_event_source_update(restored: Stack) -> None:
    changes = {"Enabled": True, "ScalingConfig": None, "FunctionResponseTypes": None, "BatchSize": None}
    assert restored.update(changed(Source=changes)) == "UPDATE_COMPLETE", restored.reasons()
    mapping = restored.cloud.client("lambda").get_event_source_mapping(UUID=restored.id_of("Source"))

    assert mapping["State"] == "Enabled"
    assert mapping["BatchSize"] == 10
    assert not mapping.get("ScalingConfig")
    assert not mapping.get("FunctionResponseTypes")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Source": {"BatchSize": 100, "MaximumBatchingWindowInSeconds": None}}, "Maximum batch window"),
        ({"Function": {"MemorySize": 10_241}}, "less than or equal to 10240"),
        (
            {
                "Bucket": {
                    "LifecycleConfiguration": {
                        "Rules": [
                            {
                                "Status": "Enabled",
                                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0},
                            }
                        ]
                    }
                }
            },
            "must be a positive integer",
        ),
    ],
)
def test_numbers_that_aws_refuses_are_refused(
    full: Stack, changes: dict[str, dict[str, Any]], told: str
) -> None:
    assert full.update(changed(**changes)) == "UPDATE_ROLLBACK_COMPLETE"
    assert told in " ".join(full.reasons())


def test_a_larger_batch_is_taken_with_a_window(restored: Stack) -> None:
    assert restored.update(changed(Source={"BatchSize": 100})) == "UPDATE_COMPLETE", restored.reasons()


# ---------------------------------------------------------------- SNS, Secrets Manager


def test_topic_settings(full: Stack) -> None:
    found = full.cloud.client("sns").get_topic_attributes(TopicArn=full.id_of("Topic"))["Attributes"]

    assert found["KmsMasterKeyId"].startswith("arn:aws:kms:")
    assert found["DisplayName"] == "Demo"


def test_topic_update(restored: Stack) -> None:
    assert restored.update(changed(Topic={"KmsMasterKeyId": None, "DisplayName": None})) == "UPDATE_COMPLETE"
    found = restored.cloud.client("sns").get_topic_attributes(TopicArn=restored.id_of("Topic"))["Attributes"]

    assert not found.get("KmsMasterKeyId")
    assert not found["DisplayName"]


def test_secret_is_named_by_its_arn(restored: Stack) -> None:
    secret = restored.outputs["Secret"]
    formation = restored.cloud.client("cloudformation")
    drift = formation.detect_stack_resource_drift(StackName=restored.name, LogicalResourceId="Secret")
    assert drift["StackResourceDrift"]["StackResourceDriftStatus"] == "IN_SYNC"
    assert secret.startswith("arn:aws:secretsmanager:")

    assert restored.update(changed(Secret={"SecretString": '{"a":1}'})) == "UPDATE_COMPLETE", (
        restored.reasons()
    )
    assert restored.outputs["Secret"] == secret
    found = restored.cloud.client("secretsmanager").get_secret_value(SecretId=secret)
    assert found["SecretString"] == '{"a":1}'


# ---------------------------------------------------------------- types that MiniStack refuses


def test_composite_alarm(full: Stack) -> None:
    watch = full.cloud.client("cloudwatch")
    found = watch.describe_alarms(AlarmNames=[full.id_of("Both")], AlarmTypes=["CompositeAlarm"])
    composite = found["CompositeAlarms"][0]

    assert composite["AlarmRule"] == f"ALARM({full.id_of('Math')}) OR ALARM({full.id_of('Quiet')})"
    assert composite["AlarmActions"] == [full.id_of("Topic")]
    tags = watch.list_tags_for_resource(ResourceARN=composite["AlarmArn"])["Tags"]
    assert {"Key": "Project", "Value": "demo"} in tags


def test_budget(full: Stack) -> None:
    budgets, known = (
        full.cloud.client("budgets"),
        {"AccountId": full.cloud.state.account_id, "BudgetName": full.name},
    )
    budget = budgets.describe_budget(**known)["Budget"]
    notification = budgets.describe_notifications_for_budget(**known)["Notifications"][0]

    assert budget["BudgetLimit"] == {"Amount": "200", "Unit": "USD"}
    assert (notification["Threshold"], notification["NotificationType"]) == (80.0, "ACTUAL")


def test_web_acl_association(full: Stack) -> None:
    stage = f"arn:aws:apigateway:us-east-1::/apis/{full.id_of('Api')}/stages/$default"
    found = full.cloud.client("wafv2").get_web_acl_for_resource(ResourceArn=stage)["WebACL"]

    assert found["Id"] in full.id_of("Wall")


def test_monitoring_subscription(full: Stack) -> None:
    found = full.cloud.client("cloudfront").get_monitoring_subscription(
        DistributionId=full.id_of("Distribution")
    )
    config = found["MonitoringSubscription"]["RealtimeMetricsSubscriptionConfig"]

    assert config["RealtimeMetricsSubscriptionStatus"] == "Enabled"


def test_rotation_comes_and_goes_with_its_schedule(cloud: Running) -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:rotate"
    rules = {"AutomaticallyAfterDays": "30"}
    rotation = {"SecretId": {"Ref": "Secret"}, "RotationLambdaARN": function, "RotationRules": rules}
    secret = {"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {}}}}
    schedule = {"Rotation": {"Type": "AWS::SecretsManager::RotationSchedule", "Properties": rotation}}
    secrets = cloud.client("secretsmanager")
    with deployed(cloud, {"Resources": secret | schedule}) as stack:
        name = stack.id_of("Secret")
        found = secrets.describe_secret(SecretId=name)
        assert stack.id_of("Rotation") == found["ARN"]
        assert (found["RotationEnabled"], found["RotationLambdaARN"]) == (True, function)
        assert found["RotationRules"] == {"AutomaticallyAfterDays": 30}

        assert stack.update({"Resources": secret}) == "UPDATE_COMPLETE", stack.reasons()

        found = secrets.describe_secret(SecretId=name)
        assert not found.get("RotationEnabled")
        assert "RotationLambdaARN" not in found


def test_a_global_table_has_the_settings_of_its_replica(cloud: Running) -> None:
    replica: dict[str, Any] = {
        "Region": {"Ref": "AWS::Region"},
        "DeletionProtectionEnabled": True,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    table = {
        "TableName": unique("table"),  # MiniStack replaces one that it named itself
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "Replicas": [replica],
    }
    template = {"Resources": {"Table": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": table}}}
    tables = cloud.client("dynamodb")
    with deployed(cloud, template) as stack:
        name = stack.id_of("Table")
        backups = tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        assert tables.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"]

        replica["DeletionProtectionEnabled"] = False
        assert stack.update(template) == "UPDATE_COMPLETE", stack.reasons()

        assert not tables.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"]


def test_a_stream_is_encrypted_as_declared(cloud: Running) -> None:
    stream: dict[str, Any] = {
        "ShardCount": 1,
        "StreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/own"},
    }
    template = {"Resources": {"Stream": {"Type": "AWS::Kinesis::Stream", "Properties": stream}}}
    kinesis = cloud.client("kinesis")
    with deployed(cloud, template) as stack:
        name = stack.id_of("Stream")
        found = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        assert (found["EncryptionType"], found["KeyId"]) == ("KMS", "alias/own")

        del stream["StreamEncryption"]
        assert stack.update(template) == "UPDATE_COMPLETE", stack.reasons()

        found = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        assert found["EncryptionType"] == "NONE"


def test_a_rule_of_another_bus_is_named_by_bus_and_name(cloud: Running) -> None:
    events = cloud.client("events")
    bus, rule = unique("bus"), {"EventBusName": {"Ref": "Bus"}, "EventPattern": {"source": ["shop"]}}
    template = {
        "Resources": {
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": bus}},
            "Rule": {"Type": "AWS::Events::Rule", "Properties": rule},
        }
    }
    with deployed(cloud, template) as stack:
        physical_id = stack.id_of("Rule")
        on, name = physical_id.split("|")
        assert on == bus

        rule["Description"] = "another"
        assert stack.update(template) == "UPDATE_COMPLETE", stack.reasons()

        assert stack.id_of("Rule") == physical_id
        assert events.describe_rule(Name=name, EventBusName=bus)["Description"] == "another"
    assert not events.list_rules(NamePrefix=name)["Rules"]


def test_additions_update(restored: Stack) -> None:
    limit = {
        **FULL["Resources"]["Money"]["Properties"]["Budget"],
        "BudgetLimit": {"Amount": 5, "Unit": "USD"},
    }
    status = {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Disabled"}}
    template = changed(
        Money={"Budget": limit}, Both={"AlarmActions": None}, Watched={"MonitoringSubscription": status}
    )
    assert restored.update(template) == "UPDATE_COMPLETE", restored.reasons()
    known = {"AccountId": restored.cloud.state.account_id, "BudgetName": restored.name}
    budget = restored.cloud.client("budgets").describe_budget(**known)["Budget"]
    watch = restored.cloud.client("cloudwatch")
    both = watch.describe_alarms(AlarmNames=[restored.id_of("Both")], AlarmTypes=["CompositeAlarm"])

    assert budget["BudgetLimit"]["Amount"] == "5"
    assert not both["CompositeAlarms"][0].get("AlarmActions")


def test_additions_go_with_their_stack(cloud: Running) -> None:
    wanted = {name: FULL["Resources"][name] for name in ("Money", "Topic", "Key", "Both", "Math", "Quiet")}
    with deployed(cloud, {"Resources": wanted}) as stack:
        name, both = stack.name, stack.id_of("Both")

    with pytest.raises(ClientError, match="NotFoundException"):
        cloud.client("budgets").describe_budget(AccountId=cloud.state.account_id, BudgetName=name)
    found = cloud.client("cloudwatch").describe_alarms(AlarmNames=[both], AlarmTypes=["CompositeAlarm"])
    assert found["CompositeAlarms"] == []


# ---------------------------------------------------------------- CloudFront


def test_distribution_has_cloudfronts_defaults(full: Stack) -> None:
    control, distribution = full.cloud.client("cloudfront"), full.id_of("Distribution")
    found = control.get_distribution_config(Id=distribution)
    config = found["DistributionConfig"]

    assert config["Comment"] == ""
    assert config["Logging"]["Enabled"] is False
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1"
    assert config["DefaultCacheBehavior"]["FieldLevelEncryptionId"] == ""
    control.update_distribution(Id=distribution, IfMatch=found["ETag"], DistributionConfig=config)


def test_distribution_with_a_certificate_says_that_it_is_not_cloudfronts(cloud: Running) -> None:
    own = {
        "AcmCertificateArn": cloud.cloud.certificate("some")["CdnCertificateArn"],
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    wanted = copy.deepcopy(FULL["Resources"]["Distribution"])
    wanted["Properties"]["DistributionConfig"]["ViewerCertificate"] = own
    with deployed(cloud, {"Resources": {"Distribution": wanted}}) as stack:
        control, distribution = cloud.client("cloudfront"), stack.id_of("Distribution")
        config = control.get_distribution_config(Id=distribution)["DistributionConfig"]

    assert config["ViewerCertificate"]["CloudFrontDefaultCertificate"] is False


def test_distribution_with_an_unknown_certificate_fails_the_stack(cloud: Running) -> None:
    own = {
        "AcmCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/none",
        "SslSupportMethod": "sni-only",
    }
    wanted = copy.deepcopy(FULL["Resources"]["Distribution"])
    wanted["Properties"]["DistributionConfig"]["ViewerCertificate"] = own

    with pytest.raises(
        AssertionError, match="InvalidViewerCertificate: The specified SSL certificate doesn't exist"
    ):
        Stack(cloud, {"Resources": {"Distribution": wanted}})


def test_the_serverless_transform_knows_what_parameters_are_given(cloud: Running) -> None:
    """It resolves a Ref in an API's CORS itself; of a parameter with a default that was overridden it must not take that."""
    template = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Origin: {Type: String, Default: "https://default.example"}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {AllowOrigins: [!Ref Origin]}
"""
    formation, gateway = cloud.client("cloudformation"), cloud.client("apigatewayv2")
    name = unique("stack")

    def origins() -> list[str]:
        found = formation.describe_stack_resource(StackName=name, LogicalResourceId="Api")[
            "StackResourceDetail"
        ]
        return list(gateway.get_api(ApiId=found["PhysicalResourceId"])["CorsConfiguration"]["AllowOrigins"])

    given = {"ParameterKey": "Origin", "ParameterValue": "https://given.example"}
    request = {"StackName": name, "TemplateBody": template, "Capabilities": ["CAPABILITY_AUTO_EXPAND"]}
    formation.create_stack(**request, Parameters=[given])
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    created = origins()
    changed = {
        **request,
        "TemplateBody": template.replace("Properties:", "Properties:\n      Description: changed"),
    }
    made = formation.create_change_set(
        **changed, ChangeSetName="kept", Parameters=[{"ParameterKey": "Origin", "UsePreviousValue": True}]
    )
    formation.get_waiter("change_set_create_complete").wait(
        ChangeSetName=made["Id"], WaiterConfig={"Delay": 1}
    )
    formation.execute_change_set(ChangeSetName=made["Id"])
    formation.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    kept = origins()
    formation.delete_stack(StackName=name)

    assert (created, kept) == (["https://given.example"], ["https://given.example"])


# ---------------------------------------------------------------- CloudWatch


def put(stack: Stack, name: str, value: float, **dimensions: str) -> None:
    listed = [{"Name": key, "Value": text} for key, text in dimensions.items()]
    datum = {"MetricName": name, "Value": value, "Dimensions": listed}
    stack.cloud.client("cloudwatch").put_metric_data(Namespace="Demo", MetricData=[datum])


def state(stack: Stack, name: str) -> str:
    found = stack.cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found[0]["StateValue"])


def wait_for(stack: Stack, name: str, wanted: str) -> None:
    deadline = time.monotonic() + 10
    while state(stack, name) != wanted:
        assert time.monotonic() < deadline, f"{name} is {state(stack, name)}, not {wanted}"
        time.sleep(0.2)


def test_metric_math_alarm(full: Stack) -> None:
    name = full.id_of("Math")
    found = full.cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert [query["Id"] for query in found["Metrics"]] == ["rate", "errors", "calls"]
    assert "MetricName" not in found

    put(full, "Calls", 10)
    wait_for(full, name, "OK")
    put(full, "Errors", 6)
    wait_for(full, name, "ALARM")


def test_metrics_stands_for_the_metrics_of_an_alarm_and_not_its_expressions(cloud: Running) -> None:
    name = unique("Errors")
    queries = [
        {"Id": "all", "Expression": "SUM(METRICS())"},
        {"Id": "mine", "Expression": "10 * SUM(METRICS('er'))", "ReturnData": False},
        *(
            {
                "Id": f"{who}er",
                "ReturnData": False,
                "MetricStat": {
                    "Metric": {
                        "Namespace": "Demo",
                        "MetricName": name,
                        "Dimensions": [{"Name": "Who", "Value": who}],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
            for who in ("me", "you")
        ),
    ]
    rule = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "Metrics": queries}
    resources = {
        "Five": resource("CloudWatch::Alarm", **rule, Threshold=5),
        "Six": resource("CloudWatch::Alarm", **rule, Threshold=6),
    }
    with deployed(cloud, {"Resources": resources}) as stack:
        put(stack, name, 2, Who="me")
        put(stack, name, 3, Who="you")
        wait_for(stack, stack.id_of("Five"), "ALARM")

        assert state(stack, stack.id_of("Six")) == "OK"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Period": None}, "Period"),
        ({"Period": 90}, "Period"),
        ({"Statistic": None}, "Statistic"),
        ({"ExtendedStatistic": "p90"}, "ExtendedStatistic"),
        ({"EvaluationPeriods": None}, "evaluationPeriods"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm"),
        ({"EvaluationPeriods": 1441}, "86400"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "604800"),
    ],
)
def test_an_alarm_without_a_whole_rule_is_refused(cloud: Running, changes: dict[str, Any], why: str) -> None:
    rule = {name: value for name, value in {**alarm()["Properties"], **changes}.items() if value is not None}

    with pytest.raises(ClientError, match=f"ValidationError.*{why}"):
        cloud.client("cloudwatch").put_metric_alarm(AlarmName=unique("refused"), **rule)


def test_an_alarm_on_a_percentile_has_no_other_statistic(cloud: Running) -> None:
    rule = {name: value for name, value in alarm()["Properties"].items() if name != "Statistic"}
    on_percentile = {"Type": alarm()["Type"], "Properties": {**rule, "ExtendedStatistic": "p95"}}
    client, name = cloud.client("cloudwatch"), unique("slow")
    with deployed(cloud, {"Resources": {"Alarm": on_percentile}}) as stack:
        client.put_metric_alarm(AlarmName=name, **rule, ExtendedStatistic="p95")
        made = client.describe_alarms(AlarmNames=[name, stack.id_of("Alarm")])["MetricAlarms"]
        client.delete_alarms(AlarmNames=[name])

    assert [(one.get("Statistic"), one["ExtendedStatistic"]) for one in made] == [(None, "p95")] * 2


def test_a_stack_with_an_alarm_without_a_whole_rule_fails(cloud: Running) -> None:
    whole = alarm()
    broken = copy.deepcopy(whole)
    del broken["Properties"]["Statistic"]
    with deployed(cloud, {"Resources": {"Alarm": whole}}) as stack:
        assert stack.update({"Resources": {"Alarm": broken}}) == "UPDATE_ROLLBACK_COMPLETE"
        assert "Statistic" in stack.reasons()[0]


@pytest.mark.parametrize(
    ("properties", "missing"),
    [
        ({"OwnershipControls": {"Rules": [{}]}}, "ObjectOwnership"),
        ({"LifecycleConfiguration": {"Rules": [{"Id": "old", "ExpirationInDays": 1}]}}, "Status"),
    ],
)
def test_a_stack_with_a_bucket_without_what_s3_requires_fails(
    cloud: Running, properties: dict[str, Any], missing: str
) -> None:
    with deployed(cloud, {"Resources": {"Bucket": resource("S3::Bucket")}}) as stack:
        changed = {"Resources": {"Bucket": resource("S3::Bucket", **properties)}}

        assert stack.update(changed) == "UPDATE_ROLLBACK_COMPLETE"
        assert "MalformedXML" in stack.reasons()[0]
        assert missing in stack.reasons()[0]


def test_alarm_watches_its_own_dimensions(cloud: Running) -> None:
    metric = unique("Errors")
    watched = {"Dimensions": [{"Name": "Who", "Value": "me"}], "MetricName": metric}
    resources = {
        "Topic": resource("SNS::Topic"),
        "Mine": alarm(**watched, AlarmActions=[ref("Topic")]),
        "Other": alarm(Dimensions=[{"Name": "Who", "Value": "you"}], MetricName=metric),
        "Silent": alarm(MetricName=unique("Never"), TreatMissingData="breaching"),
        "Unknown": alarm(MetricName=unique("Never"), TreatMissingData="missing"),
    }
    with deployed(cloud, {"Resources": resources}) as stack:
        queues, topics = cloud.client("sqs"), cloud.client("sns")
        url = queues.create_queue(QueueName=unique("told"))["QueueUrl"]
        target = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": target}
        plain = {
            **statement,
            "Effect": "Deny",
            "Action": "sqs:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement, plain]})
        queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        topics.subscribe(TopicArn=stack.id_of("Topic"), Protocol="sqs", Endpoint=target)
        wait_for(stack, stack.id_of("Other"), "OK")

        put(stack, metric, 5, Who="me")
        wait_for(stack, stack.id_of("Mine"), "ALARM")

        assert state(stack, stack.id_of("Other")) == "OK"
        wait_for(stack, stack.id_of("Silent"), "ALARM")
        assert state(stack, stack.id_of("Unknown")) == "INSUFFICIENT_DATA"
        message = queues.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]
        assert json.loads(json.loads(message["Body"])["Message"])["NewStateValue"] == "ALARM"


def test_queue_depth_is_a_metric(cloud: Running) -> None:
    dimensions = [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}]
    depth = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Statistic": "Maximum",
    }
    resources = {"Queue": resource("SQS::Queue"), "Deep": alarm(**depth, Dimensions=dimensions)}
    with deployed(cloud, {"Resources": resources}) as stack:
        cloud.client("sqs").send_message(QueueUrl=stack.id_of("Queue"), MessageBody="x")
        deadline = time.monotonic() + 20
        while state(stack, stack.id_of("Deep")) != "ALARM":
            assert time.monotonic() < deadline
            time.sleep(0.3)


# ---------------------------------------------------------------- HTTP API definition


BODY: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "titled", "version": "2.1", "description": "told"},
    "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"], "maxAge": 5},
    "tags": [{"name": "Made", "x-amazon-apigateway-tag-value": "by-body"}],
    "components": {
        "securitySchemes": {
            "users": {
                "type": "oauth2",
                "x-amazon-apigateway-authorizer": {
                    "type": "jwt",
                    "identitySource": "$request.header.Authorization",
                    "jwtConfiguration": {"issuer": "https://issuer.example", "audience": ["me"]},
                },
            }
        }
    },
    "paths": {
        "/open": {
            "get": {
                "x-amazon-apigateway-integration": {
                    "type": "http_proxy",
                    "httpMethod": "GET",
                    "uri": "https://x.example",
                }
            }
        },
        "/closed": {
            "x-amazon-apigateway-any-method": {
                "security": [{"users": ["read"]}],
                "x-amazon-apigateway-integration": {
                    "type": "http_proxy",
                    "httpMethod": "GET",
                    "uri": "https://y.example",
                    "payloadFormatVersion": "1.0",
                    "timeoutInMillis": 1234,
                },
            }
        },
    },
}


def test_definition_is_imported_and_replaced(cloud: Running) -> None:
    api = resource("ApiGatewayV2::Api", Body=BODY)
    stage = resource(
        "ApiGatewayV2::Stage",
        ApiId=ref("Api"),
        StageName="$default",
        AutoDeploy=True,
        DefaultRouteSettings={"ThrottlingBurstLimit": "100", "ThrottlingRateLimit": "50"},
        RouteSettings={"GET /open": {"DetailedMetricsEnabled": "true"}},
    )
    template = {"Resources": {"Api": api, "Stage": stage}}
    gateway = cloud.client("apigatewayv2")
    with deployed(cloud, template) as stack:
        known = {"ApiId": stack.id_of("Api")}
        found = gateway.get_api(**known)
        routes = {route["RouteKey"]: route for route in gateway.get_routes(**known)["Items"]}
        integrations = {one["IntegrationId"]: one for one in gateway.get_integrations(**known)["Items"]}
        settings = gateway.get_stage(**known, StageName="$default")

        assert (found["Name"], found["Version"], found["Description"]) == ("titled", "2.1", "told")
        assert found["CorsConfiguration"] == {"AllowOrigins": ["https://a.example"], "MaxAge": 5}
        assert found["Tags"]["Made"] == "by-body"
        assert set(routes) == {"GET /open", "ANY /closed"}
        closed = routes["ANY /closed"]
        assert (closed["AuthorizationType"], closed["AuthorizationScopes"]) == ("JWT", ["read"])
        authorizer = gateway.get_authorizer(**known, AuthorizerId=closed["AuthorizerId"])
        assert authorizer["JwtConfiguration"] == {"Issuer": "https://issuer.example", "Audience": ["me"]}
        target = integrations[closed["Target"].rpartition("/")[2]]
        assert (target["IntegrationUri"], target["TimeoutInMillis"]) == ("https://y.example", 1234)
        assert settings["DefaultRouteSettings"]["ThrottlingRateLimit"] == 50.0
        assert settings["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 100
        assert settings["RouteSettings"]["GET /open"]["DetailedMetricsEnabled"] is True

        other = copy.deepcopy(template)
        body = other["Resources"]["Api"]["Properties"]["Body"]
        body["paths"]["/new"] = body["paths"].pop("/closed")
        del body["x-amazon-apigateway-cors"]
        other["Resources"]["Stage"]["Properties"]["DefaultRouteSettings"] = {"ThrottlingBurstLimit": 9}
        assert stack.update(other) == "UPDATE_COMPLETE", stack.reasons()
        after = {route["RouteKey"]: route for route in gateway.get_routes(**known)["Items"]}
        settings = gateway.get_stage(**known, StageName="$default")

        assert set(after) == {"GET /open", "ANY /new"}
        assert after["GET /open"]["RouteId"] == routes["GET /open"]["RouteId"]
        assert "CorsConfiguration" not in gateway.get_api(**known)
        assert settings["DefaultRouteSettings"] == {
            "DetailedMetricsEnabled": False,
            "ThrottlingBurstLimit": 9,
        }


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


# ---------------------------------------------------------------- API Gateway, and what has no service here


def chat(stage_deployment: object) -> dict[str, Any]:
    """A WebSocket API as templates for chats write it, and what `sam init` writes for Application Insights."""
    return {
        "Resources": {
            "Chat": resource(
                "ApiGatewayV2::Api",
                Name="chat",
                ProtocolType="WEBSOCKET",
                RouteSelectionExpression="$request.body.action",
            ),
            "Deployment": resource("ApiGatewayV2::Deployment", ApiId=ref("Chat"), Description="first"),
            "Stage": resource(
                "ApiGatewayV2::Stage", ApiId=ref("Chat"), StageName="live", DeploymentId=stage_deployment
            ),
            "Group": resource(
                "ResourceGroups::Group",
                Name={"Fn::Sub": "insights-${AWS::StackName}"},
                ResourceQuery={"Type": "CLOUDFORMATION_STACK_1_0"},
            ),
            "Insights": resource(
                "ApplicationInsights::Application",
                ResourceGroupName=ref("Group"),
                AutoConfigurationEnabled=True,
            ),
        }
    }


def test_stage_serves_the_deployment_that_it_names(cloud: Running) -> None:
    with deployed(cloud, chat(ref("Deployment"))) as stack:
        gateway, api = cloud.client("apigatewayv2"), stack.id_of("Chat")
        stage = gateway.get_stage(ApiId=api, StageName="live")
        (deployment,) = gateway.get_deployments(ApiId=api)["Items"]

        assert stage["DeploymentId"] == deployment["DeploymentId"] == stack.id_of("Deployment")
        assert deployment["Description"] == "first"
        assert stack.id_of("Insights") == stack.id_of("Group") == f"insights-{stack.name}"
    with pytest.raises(ClientError, match="NotFoundException"):
        gateway.get_api(ApiId=api)


def test_stage_of_an_unknown_deployment_fails(cloud: Running) -> None:
    with pytest.raises(AssertionError, match="not found for API"), deployed(cloud, chat("abc123")):
        pass


def test_variables_of_a_function_are_text(cloud: Running) -> None:
    """Templates write `true` and `5` without quotes; Lambda answers with text, whatever a template says."""
    role = resource(
        "IAM::Role",
        AssumeRolePolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        },
    )
    function = resource(
        "Lambda::Function",
        Runtime="python3.13",
        Handler="index.handler",
        Role=arn("Role"),
        Code={"ZipFile": "def handler(event, context): pass"},
        Environment={"Variables": {"CAPTURE": True, "LIMIT": 5, "LEVEL": "INFO"}},
    )
    with deployed(cloud, {"Resources": {"Role": role, "Function": function}}) as stack:
        told = cloud.client("lambda").get_function_configuration(FunctionName=stack.id_of("Function"))

    assert told["Environment"]["Variables"] == {"CAPTURE": "true", "LIMIT": "5", "LEVEL": "INFO"}


def test_scaled_capacity_of_a_table_is_listed(cloud: Running) -> None:
    """A table of fixed capacity has none listed, and is none that cannot be read."""
    table = resource(
        "DynamoDB::Table",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 2, "WriteCapacityUnits": 2},
    )
    target = resource(
        "ApplicationAutoScaling::ScalableTarget",
        ServiceNamespace="dynamodb",
        ResourceId={"Fn::Sub": "table/${Table}"},
        ScalableDimension="dynamodb:table:ReadCapacityUnits",
        MinCapacity=2,
        MaxCapacity=10,
    )
    policy = resource(
        "ApplicationAutoScaling::ScalingPolicy",
        PolicyName="reads",
        PolicyType="TargetTrackingScaling",
        ScalingTargetId=ref("Target"),
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 70.0},
    )
    scaling = cloud.client("application-autoscaling")
    with deployed(cloud, {"Resources": {"Table": table, "Target": target, "Policy": policy}}) as stack:
        asked = {"ServiceNamespace": "dynamodb", "ResourceIds": [f"table/{stack.id_of('Table')}"]}
        (found,) = scaling.describe_scalable_targets(**asked)["ScalableTargets"]
        (by,) = scaling.describe_scaling_policies(ServiceNamespace="dynamodb")["ScalingPolicies"]

        assert (found["MinCapacity"], found["MaxCapacity"]) == (2, 10)
        assert by["ResourceId"] == found["ResourceId"] == asked["ResourceIds"][0]
    assert scaling.describe_scalable_targets(**asked)["ScalableTargets"] == []

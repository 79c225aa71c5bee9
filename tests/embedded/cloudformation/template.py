"""A template that declares most settings of each type, and the means to write and change templates."""

from __future__ import annotations

import copy
from typing import Any

from tests.embedded.conftest import TRUST

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
# KMS refuses a key policy that nobody could change again.
ADMINISTRATORS = {
    "Effect": "Allow",
    "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
    "Action": "kms:*",
    "Resource": "*",
}
FULL: dict[str, Any] = {
    "Parameters": {"Count": {"Type": "Number", "Default": 7}, "On": {"Type": "String", "Default": "true"}},
    "Resources": {
        "Key": resource("KMS::Key", KeyPolicy={"Version": "2012-10-17", "Statement": [ADMINISTRATORS]}),
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

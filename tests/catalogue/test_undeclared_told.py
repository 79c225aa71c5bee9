"""readiness/catalogue/undeclared on what AWS's services answer, for what the embedded AWS does not carry."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from readiness.catalogue.undeclared import policies, pools
from readiness.catalogue.undeclared.declarations import Declarations
from readiness.catalogue.undeclared.difference import Extra, defaults, extras
from readiness.catalogue.undeclared.readings import READINGS, whole
from readiness.catalogue.undeclared.search import undeclared
from readiness.catalogue.undeclared.subject import Account, Subject
from readiness.discovery.graph import Graph, Resource
from readiness.discovery.template import UNKNOWN
from readiness.errors import Missing, Unverified
from readiness.guard import operations
from tests.answering import ACCOUNT, Answering
from tests.discovery.declared import arn, resource

OTHER = "444455556666"
SUBSCRIPTION = arn("sns", "news:0000")
FUNCTION = arn("lambda", "function:worker")
FUNCTION_CONFIGURATION = {
    "FunctionName": "worker",
    "FunctionArn": FUNCTION,
    "Timeout": 3,
    "MemorySize": 128,
    "PackageType": "Zip",
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/worker"},
    "TracingConfig": {"Mode": "PassThrough"},
    "EphemeralStorage": {"Size": 512},
}


def found(
    kind: str, id_: str, answers: Mapping[str, Any], declared: Mapping[str, Any] | None = None
) -> list[str]:
    """What is undeclared of one resource by these answers; what is not answered is denied."""
    one = resource(kind, "One", id_)
    account: Any = Account(Answering(answers), ())  # type: ignore[arg-type]  # the parts of an Environment that are used
    document, _ = whole(Subject(account, one.type, id_, one.arn, declared or {}))
    words = {"name": id_}
    return [str(extra) for extra in extras(one.type, declared or {}, document, words)]


def configured(**settings: Any) -> dict[str, Any]:
    return {"lambda:GetFunctionConfiguration": {**FUNCTION_CONFIGURATION, **settings}}


KINDS = [
    ("Lambda::Function", "worker", configured(Timeout=900), "Timeout 900"),
    ("Lambda::Function", "worker", configured(Layers=[{"Arn": "arn:aws:lambda:eu-west-1:1:layer:x:1"}]), "Layers"),
    (
        "Lambda::Function",
        "worker",
        configured(FileSystemConfigs=[{"Arn": "arn:aws:elasticfilesystem:x", "LocalMountPath": "/mnt/x"}]),
        "FileSystemConfigs",
    ),
    ("Lambda::Function", "worker", configured(Environment={"Variables": {"EXTRA": "x"}}), "Environment.Variables.EXTRA;"),
    (
        "Lambda::Function",
        "worker",
        {"lambda:GetFunctionCodeSigningConfig": {"CodeSigningConfigArn": "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0", "FunctionName": "worker"}},
        "CodeSigningConfigArn",
    ),
    (
        "Lambda::Function",
        "worker",
        {"lambda:ListProvisionedConcurrencyConfigs": {"ProvisionedConcurrencyConfigs": [{"FunctionArn": f"{FUNCTION}:live"}]}},
        "Provisioned",
    ),
    ("Lambda::Function", "worker", {"lambda:GetFunctionConcurrency": {"ReservedConcurrentExecutions": 0}}, "ReservedConcurrentExecutions 0"),
    ("Lambda::Function", "worker", {"lambda:GetFunctionRecursionConfig": {"RecursiveLoop": "Allow"}}, "RecursiveLoop Allow"),
    (
        "S3::Bucket",
        "logs",
        {
            "s3:ListBucketInventoryConfigurations": {
                "InventoryConfigurationList": [
                    {
                        "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::theirs", "Format": "CSV"}},
                        "IsEnabled": True,
                        "Id": "daily",
                        "IncludedObjectVersions": "All",
                        "Schedule": {"Frequency": "Daily"},
                    }
                ]
            }
        },
        "InventoryConfigurations",
    ),
    (
        "S3::Bucket",
        "logs",
        {
            "s3:GetBucketReplication": {
                "ReplicationConfiguration": {
                    "Role": "arn:aws:iam::123456789012:role/replicates",
                    "Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::theirs"}}],
                }
            }
        },
        "ReplicationConfiguration",
    ),
    ("S3::Bucket", "logs", {"s3:GetBucketLogging": {"LoggingEnabled": {"TargetBucket": "theirs", "TargetPrefix": ""}}}, "LoggingConfiguration theirs"),
    ("S3::Bucket", "logs", {"s3:GetBucketAccelerateConfiguration": {"Status": "Enabled"}}, "AccelerateConfiguration"),
    ("S3::Bucket", "logs", {"s3:GetBucketRequestPayment": {"Payer": "Requester"}}, "RequestPayer Requester"),
    ("S3::Bucket", "logs", {"s3:ListBucketMetricsConfigurations": {"MetricsConfigurationList": [{"Id": "all"}]}}, "MetricsConfigurations"),
    (
        "S3::Bucket",
        "logs",
        {
            "s3:ListBucketAnalyticsConfigurations": {
                "AnalyticsConfigurationList": [{"Id": "all", "StorageClassAnalysis": {}}]
            }
        },
        "AnalyticsConfigurations",
    ),
    ("S3::Bucket", "logs", {"s3:GetObjectLockConfiguration": {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}}, "ObjectLockEnabled"),
    (
        "S3::Bucket",
        "logs",
        {"s3:GetBucketNotificationConfiguration": {"EventBridgeConfiguration": {}, "QueueConfigurations": [{"QueueArn": "q", "Events": ["s3:ObjectCreated:*"]}]}},
        "NotificationConfiguration",
    ),
    (
        "S3::Bucket",
        "logs",
        {
            "s3:GetBucketAcl": {
                "Owner": {"ID": "own"},
                "Grants": [{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"}],
            }
        },
        "Grants",
    ),
    ("SQS::Queue", "https://q/1/jobs", {"sqs:GetQueueAttributes": {"Attributes": {"SqsManagedSseEnabled": "false"}}}, "SqsManagedSseEnabled false"),
    ("SQS::Queue", "https://q/1/jobs", {"sqs:GetQueueAttributes": {"Attributes": {"RedriveAllowPolicy": '{"redrivePermission":"denyAll"}'}}}, "RedriveAllowPolicy"),
    ("DynamoDB::Table", "jobs", {"dynamodb:DescribeTable": {"Table": {"Replicas": [{"RegionName": "eu-west-3"}]}}}, "Replicas"),
    (
        "DynamoDB::Table",
        "jobs",
        {"dynamodb:DescribeKinesisStreamingDestination": {"KinesisDataStreamDestinations": [{"StreamArn": "arn:aws:kinesis:eu-west-1:1:stream/copy", "DestinationStatus": "ACTIVE"}]}},
        "KinesisStreamSpecification",
    ),
    ("DynamoDB::Table", "jobs", {"dynamodb:DescribeTimeToLive": {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "gone"}}}, "TimeToLiveSpecification gone"),
    ("IAM::Role", "worker", {"iam:ListAttachedRolePolicies": {"AttachedPolicies": [{"PolicyName": "a", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]}}, "AttachedPolicies"),
    ("IAM::Role", "worker", {"iam:ListInstanceProfilesForRole": {"InstanceProfiles": [
        {"Path": "/", "InstanceProfileName": "host", "InstanceProfileId": "A" * 16, "Arn": "arn:aws:iam::1:instance-profile/host", "CreateDate": "2026-01-01T00:00:00Z", "Roles": []}
    ]}}, "InstanceProfiles host"),
    (
        "SecretsManager::Secret",
        arn("secretsmanager", "secret:keys-abcdef"),
        {"secretsmanager:DescribeSecret": {"RotationLambdaARN": FUNCTION, "ReplicationStatus": [{"Region": "eu-west-3"}]}},
        "Rotation",
    ),
    (
        "SecretsManager::Secret",
        arn("secretsmanager", "secret:keys-abcdef"),
        {"secretsmanager:DescribeSecret": {"ReplicationStatus": [{"Region": "eu-west-3"}]}},
        "ReplicaRegions",
    ),
    ("KMS::Key", "0000", {"kms:ListAliases": {"Aliases": [{"AliasName": "alias/by-hand"}]}}, "KeyAliases alias/by-hand"),
    ("CloudWatch::Alarm", "errors", {"cloudwatch:DescribeAlarms": {"MetricAlarms": [{"AlarmName": "errors", "ActionsEnabled": False}]}}, "ActionsEnabled False"),
    ("Events::Rule", "nightly", {"events:ListTargetsByRule": {"Targets": [{"Id": "x", "Arn": FUNCTION}]}}, "Targets"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "id_", "answers", "words"), KINDS, ids=[one[3] for one in KINDS])
def test_what_nobody_declared_is_found(kind: str, id_: str, answers: dict[str, Any], words: str) -> None:
    assert any(f"found {words}" in one for one in found(kind, id_, answers)), found(kind, id_, answers)


def test_what_is_declared_or_usual_is_not() -> None:
    usual = configured()
    more = configured(Timeout=30, Environment={"Variables": {"ONE": "1"}})
    declared = {"Timeout": 30, "Environment": {"Variables": {"ONE": "2"}}}

    assert found("Lambda::Function", "worker", usual) == []
    assert found("Lambda::Function", "worker", more, declared) == []


POOL = {
    "Id": "eu-west-1_pool",
    "Name": "members",
    "Policies": {
        "PasswordPolicy": {
            "MinimumLength": 8,
            "RequireUppercase": True,
            "RequireLowercase": True,
            "RequireNumbers": True,
            "RequireSymbols": True,
            "TemporaryPasswordValidityDays": 7,
        },
        "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]},
    },
    "DeletionProtection": "INACTIVE",
    "LambdaConfig": {},
    "MfaConfiguration": "OFF",
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 7},
}
WEAK = {
    **POOL["Policies"]["PasswordPolicy"],
    **dict.fromkeys(("RequireUppercase", "RequireLowercase", "RequireNumbers", "RequireSymbols"), False),
}
INVITED = {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 3}
TRIGGER = {
    "PreTokenGeneration": FUNCTION,
    "PreTokenGenerationConfig": {"LambdaArn": FUNCTION, "LambdaVersion": "V1_0"},
}


def of_pool(declared: Mapping[str, Any], **live: Any) -> list[str]:
    declared = {**declared, **pools.declared(pools.POOL, declared)}
    return found(
        "Cognito::UserPool",
        "eu-west-1_pool",
        {"cognito-idp:DescribeUserPool": {"UserPool": {**POOL, **live}}},
        declared,
    )


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ({}, {}),
        ({"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}}}, {}),
        (
            {"Policies": {"PasswordPolicy": {"MinimumLength": 12}}},
            {"Policies": {"PasswordPolicy": {**WEAK, "MinimumLength": 12}}},
        ),
        (
            {"Policies": {"PasswordPolicy": {**WEAK, "TemporaryPasswordValidityDays": 3}}},
            {
                "Policies": {"PasswordPolicy": {**WEAK, "TemporaryPasswordValidityDays": 3}},
                "AdminCreateUserConfig": INVITED,
            },
        ),
        (
            {"AdminCreateUserConfig": {"UnusedAccountValidityDays": 3}},
            {
                "Policies": {
                    "PasswordPolicy": {
                        **POOL["Policies"]["PasswordPolicy"],
                        "TemporaryPasswordValidityDays": 3,
                    }
                },
                "AdminCreateUserConfig": INVITED,
            },
        ),
        ({"LambdaConfig": {"PreTokenGeneration": FUNCTION}}, {"LambdaConfig": TRIGGER}),
        (
            {"LambdaConfig": {"PreTokenGenerationConfig": TRIGGER["PreTokenGenerationConfig"]}},
            {"LambdaConfig": TRIGGER},
        ),
    ],
    ids=[
        "nothing",
        "sign-in",
        "length",
        "days",
        "days by the older name",
        "trigger",
        "trigger with its version",
    ],
)
def test_what_cognito_fills_in_or_says_twice_is_no_addition(
    declared: Mapping[str, Any], live: Mapping[str, Any]
) -> None:
    assert of_pool(declared, **live) == []


def test_what_is_added_to_a_user_pool_is_found() -> None:
    assert len(of_pool({}, Policies={"PasswordPolicy": WEAK})) == 4
    assert "MfaConfiguration" in " ".join(of_pool({}, MfaConfiguration="OPTIONAL"))
    assert "LambdaConfig.PreTokenGeneration" in " ".join(
        of_pool({"LambdaConfig": {"PreSignUp": FUNCTION}}, LambdaConfig=TRIGGER)
    )
    assert "Domains theirs" in " ".join(of_pool({}, Domain="theirs"))


def test_a_name_that_is_unique_within_a_user_pool_alone_is_not_looked_for_in_other_stacks() -> None:
    assert Extra("IdentityProviders", "Google").id == ""
    assert Extra("UserPoolClients", "1example23456789").id == "1example23456789"


def test_a_block_that_is_declared_in_part_has_other_defaults() -> None:
    live = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    }
    answers = {"s3:GetPublicAccessBlock": {"PublicAccessBlockConfiguration": live}}
    in_part = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "IgnorePublicAcls": True}}

    assert found("S3::Bucket", "page", answers, in_part) == []
    assert len(found("S3::Bucket", "page", answers)) == 2


ACL = "shop|0000|REGIONAL"
LABELLED = {"LabelMatchStatement": {"Scope": "LABEL", "Key": "bot"}}
MATCH = {
    "PositionalConstraint": "CONTAINS",
    "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
}
LIVE_MATCH = {**MATCH, "SearchString": b"bot", "FieldToMatch": {"SingleHeader": {"Name": "user-agent"}}}
DECLARED_MATCH = {**MATCH, "SearchString": "bot", "FieldToMatch": {"SingleHeader": {"Name": "User-Agent"}}}
ENCODED_MATCH = {
    **MATCH,
    "SearchStringBase64": "Ym90",
    "FieldToMatch": {"SingleHeader": {"Name": "User-Agent"}},
}


def rule(**statement: Any) -> dict[str, Any]:
    return {"Name": "bots", "Priority": 1, "Statement": statement}


def beyond_the_rules(live: Sequence[Mapping[str, Any]], declared: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is undeclared of a web ACL by its rules; its template is read as the stack's would be."""
    web_acl = resource("WAFv2::WebACL", "One", ACL)
    template = {"Resources": {"One": {"Type": web_acl.type, "Properties": {"Rules": declared}}}}
    declarations: Any = Declarations(stack(template), Graph([web_acl]))  # type: ignore[arg-type]
    answers = {"wafv2:GetWebACL": {"WebACL": {"Name": "shop", "Rules": live}}}
    return found("WAFv2::WebACL", ACL, answers, declarations.of(web_acl))


@pytest.mark.parametrize("match", [DECLARED_MATCH, ENCODED_MATCH], ids=["text", "base64"])
@pytest.mark.parametrize(
    "within",
    [
        lambda one: {"ByteMatchStatement": one},
        lambda one: {"NotStatement": {"Statement": {"ByteMatchStatement": one}}},
        lambda one: {"AndStatement": {"Statements": [{"ByteMatchStatement": one}, LABELLED]}},
        lambda one: {"RateBasedStatement": {"Limit": 100, "ScopeDownStatement": {"ByteMatchStatement": one}}},
    ],
    ids=["alone", "not", "and", "rate"],
)
def test_a_rule_is_declared_in_whichever_form_waf_returns_it(
    match: Mapping[str, Any], within: Callable[[Any], dict[str, Any]]
) -> None:
    assert beyond_the_rules([rule(**within(LIVE_MATCH))], [rule(**within(match))]) == []


GROUP = {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}


@pytest.mark.parametrize(
    ("declared", "live", "words"),
    [
        (
            {"ManagedRuleGroupStatement": GROUP},
            {"ManagedRuleGroupStatement": {**GROUP, "ExcludedRules": [{"Name": "NoUserAgent_HEADER"}]}},
            "Rules.Statement.ManagedRuleGroupStatement.ExcludedRules",
        ),
        (
            {"ManagedRuleGroupStatement": GROUP},
            {"ManagedRuleGroupStatement": {**GROUP, "RuleActionOverrides": [{"Name": "NoUserAgent_HEADER", "ActionToUse": {"Count": {}}}]}},
            "Rules.Statement.ManagedRuleGroupStatement.RuleActionOverrides",
        ),
        (
            {"AndStatement": {"Statements": [{"ByteMatchStatement": ENCODED_MATCH}, LABELLED]}},
            {"AndStatement": {"Statements": [{"GeoMatchStatement": {"CountryCodes": ["NL"]}}, {"ByteMatchStatement": LIVE_MATCH}, LABELLED]}},
            "Rules.Statement.AndStatement.Statements GeoMatchStatement",
        ),
    ],
    ids=["excluded", "overridden", "and"],
)  # fmt: skip
def test_a_part_that_is_added_to_a_declared_rule_is_found(
    declared: dict[str, Any], live: dict[str, Any], words: str
) -> None:
    (one,) = beyond_the_rules([rule(**live)], [rule(**declared)])

    assert f"found {words}" in one


def test_the_rule_that_shield_advanced_adds_is_its_own() -> None:
    group = {"RuleGroupReferenceStatement": {"ARN": arn("wafv2", "regional/rulegroup/shield/0000")}}
    added = {"Name": "ShieldMitigationRuleGroup_1_2_3", "Priority": 10_000_000, "Statement": group}

    assert beyond_the_rules([rule(**LABELLED), added], [rule(**LABELLED)]) == []


def test_an_origin_beside_a_declared_one_is_found() -> None:
    policy = resource("CloudFront::ResponseHeadersPolicy", "One", "0000")
    cors = {"AccessControlAllowOrigins": {"Items": ["https://page.example"]}}
    declared = {"ResponseHeadersPolicyConfig": {"Name": "one", "CorsConfig": cors}}
    template = {"Resources": {"One": {"Type": policy.type, "Properties": declared}}}
    declarations: Any = Declarations(stack(template), Graph([policy]))  # type: ignore[arg-type]
    origins = {"Quantity": 2, "Items": ["https://page.example", "https://theirs.example"]}
    live = {"Name": "one", "CorsConfig": {"AccessControlAllowOrigins": origins}}
    answers = {
        "cloudfront:GetResponseHeadersPolicy": {
            "ResponseHeadersPolicy": {"ResponseHeadersPolicyConfig": live}
        }
    }

    (one,) = found("CloudFront::ResponseHeadersPolicy", "0000", answers, declarations.of(policy))

    assert "CorsConfig.AccessControlAllowOrigins https://theirs.example" in one


def test_a_subscription_is_read_in_the_region_of_its_topic() -> None:
    regions = []

    class Regional(Answering):
        def client(self, service: str, region: str | None = None, **more: Any) -> Any:
            regions.append(region)
            return super().client(service, region, **more)

    id_ = f"arn:aws:sns:us-west-2:{ACCOUNT}:news:0000"
    account: Any = Account(Regional({"sns:GetSubscriptionAttributes": {"Attributes": {}}}), ())  # type: ignore[arg-type]
    whole(Subject(account, "AWS::SNS::Subscription", id_, id_, {}))

    assert regions == ["us-west-2"]


@pytest.mark.parametrize("properties", [{}, {"FunctionName": UNKNOWN, "TargetFunctionArn": UNKNOWN}])
def test_a_function_is_known_by_the_physical_id_of_its_alias_or_url(properties: Mapping[str, Any]) -> None:
    alias = {"FunctionName": "worker", "Name": "live"}
    weights = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}}}
    urls = {
        FUNCTION: {"FunctionName": "worker"},
        f"{FUNCTION}:live": {"FunctionName": "worker", "Qualifier": "live"},
    }

    answers: dict[str, Any] = {"lambda:GetAlias": lambda asked: weights if asked == alias else None}
    assert len(found("Lambda::Alias", f"{FUNCTION}:live", answers, properties)) == 1
    for id_, url in urls.items():
        answers = {
            "lambda:GetFunctionUrlConfig": lambda asked, url=url: (
                {"Cors": {"AllowOrigins": ["*"]}} if asked == url else None
            )
        }
        assert len(found("Lambda::Url", id_, answers, properties)) == 1


@pytest.mark.parametrize("properties", [{}, {"FunctionName": "worker", "Qualifier": UNKNOWN}])
def test_a_parameter_that_the_template_does_not_tell_is_unverified(properties: Mapping[str, Any]) -> None:
    account: Any = Account(Answering({}), ())  # type: ignore[arg-type]

    _, (problem,) = whole(Subject(account, "AWS::Lambda::EventInvokeConfig", "one", "", properties))

    assert isinstance(problem, Unverified)
    assert "in the template, found no known value; declare it with Ref or GetAtt" in str(problem)


def test_a_variable_is_named_without_its_value() -> None:
    (one,) = found("Lambda::Function", "worker", configured(Environment={"Variables": {"KEY": "hush"}}))

    assert "Environment.Variables.KEY" in one
    assert "hush" not in one


def test_a_subscriber_by_mail_is_not_named() -> None:
    topic = arn("sns", "alarms")
    told = {"Subscriptions": [{"Protocol": "email", "Endpoint": "someone@example.com"}]}
    (one,) = found("SNS::Topic", topic, {"sns:ListSubscriptionsByTopic": told})

    assert "Subscriptions email" in one
    assert "someone" not in one


def test_encryption_of_a_queue_follows_from_its_key() -> None:
    told = {
        "sqs:GetQueueAttributes": {"Attributes": {"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "false"}}
    }

    assert found("SQS::Queue", "https://q/1/jobs", told, {"KmsMasterKeyId": "k"}) == []


def test_an_integration_of_a_definition_is_compared_with_what_is_live() -> None:
    integration = {"IntegrationId": "i", "IntegrationUri": f"{FUNCTION}:3", "TimeoutInMillis": 50}
    answers = {
        "apigatewayv2:GetRoutes": {"Items": [{"RouteKey": "GET /", "Target": "integrations/i"}]},
        "apigatewayv2:GetIntegrations": {"Items": [integration]},
    }
    declared = {"Routes": [{"RouteKey": "GET /", "Integration": {"IntegrationUri": FUNCTION}}]}

    uri, timeout = found("ApiGatewayV2::Api", "a1", answers, declared)

    assert f"Routes GET /: IntegrationUri {FUNCTION}:3" in uri
    assert "Routes GET /: TimeoutInMillis 50" in timeout


def test_a_policy_says_the_same_in_many_ways() -> None:
    one = {
        "Sid": "A",
        "Effect": "Allow",
        "Principal": {"AWS": ACCOUNT},
        "Action": "s3:GetObject",
        "Resource": ["b", "a"],
        "Condition": {"Bool": {"aws:SecureTransport": True}},
    }
    other = {
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]},
        "Action": ["s3:GetObject"],
        "Resource": ["a", "b"],
        "Condition": {"bool": {"AWS:SecureTransport": ["true"]}},
    }

    assert policies.normal({"Statement": one}) == policies.normal(json.dumps({"Statement": [other]}))


def test_what_aws_adds_to_a_policy_is_left_out() -> None:
    added = [
        {"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"}},
        {
            "Effect": "Allow",
            "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": "s3:PutObject",
        },
    ]

    assert policies.normal({"Statement": added}) == []


def test_a_grant_within_the_account_is_the_work_of_services() -> None:
    grants = [
        {"GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/worker"},
        {"GranteePrincipal": "dynamodb.eu-west-1.amazonaws.com"},
    ]
    theirs = {"GranteePrincipal": f"arn:aws:iam::{OTHER}:role/theirs"}

    assert found("KMS::Key", "0000", {"kms:ListGrants": {"Grants": grants}}) == []
    (one,) = found("KMS::Key", "0000", {"kms:ListGrants": {"Grants": [*grants, theirs]}})
    assert OTHER in one


def test_a_policy_of_logs_counts_for_the_group_that_it_names() -> None:
    group = arn("logs", "log-group:/shop/api")
    statement = {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "logs:*", "Resource": f"{group}:*"}
    told = [{"policyName": "theirs", "policyDocument": json.dumps({"Statement": [statement]})}]
    answers = {"logs:DescribeResourcePolicies": {"resourcePolicies": told}}

    assert "ResourcePolicies theirs" in found("Logs::LogGroup", "/shop/api", answers)[0]
    assert found("Logs::LogGroup", "/shop/other", answers) == []
    assert found("Logs::LogGroup", "/shop/api", answers, {"ResourcePolicies": [UNKNOWN]}) == []


STACK = {
    "StackName": "shop",
    "StackId": arn("cloudformation", "stack/shop/1"),
    "CreationTime": "2026-01-01T00:00:00Z",
    "StackStatus": "CREATE_COMPLETE",
}


def stack(template: Mapping[str, Any], **answers: Any) -> Answering:
    of_stack = {
        "cloudformation:DescribeStacks": {"Stacks": [STACK]},
        "cloudformation:GetTemplate": {"TemplateBody": json.dumps(template)},
        "cloudformation:GetStackPolicy": {},
    }
    return Answering({**of_stack, **answers})


def test_a_denied_read_is_unverified_and_names_its_action() -> None:
    template = {"Resources": {"Errors": {"Type": "AWS::CloudWatch::Alarm"}}}
    graph = Graph([Resource("AWS::CloudWatch::Alarm", "Errors", "errors")])

    with pytest.raises(Unverified, match=r"Errors: denied cloudwatch:DescribeAlarms"):
        undeclared(stack(template), graph)  # type: ignore[arg-type]


def test_a_resource_that_the_stack_lacks_leaves_it_open_what_is_declared() -> None:
    env: Any = stack({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})

    with pytest.raises(Missing, match="stack 'shop' has no resource 'Topic'"):
        undeclared(env, Graph([]))


def subscribed(**answers: Any) -> tuple[Any, Graph]:
    """A stack whose topic has a subscription that its template does not declare."""
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    one = {"Protocol": "sqs", "Endpoint": arn("sqs", "theirs"), "SubscriptionArn": SUBSCRIPTION}
    told = {
        "sns:GetTopicAttributes": {"Attributes": {}},
        "sns:ListSubscriptionsByTopic": {"Subscriptions": [one]},
        "sns:GetDataProtectionPolicy": {},
        "events:ListRuleNamesByTarget": {"RuleNames": []},
    }
    return stack(template, **told, **answers), Graph([resource("SNS::Topic", "Topic", arn("sns", "news"))])


@pytest.mark.parametrize(("owner", "count"), [("readers", 0), ("shop", 1)])
def test_what_another_stack_declares_is_its_own_business(owner: str, count: int) -> None:
    owned = {
        "StackName": owner,
        "StackId": arn("cloudformation", f"stack/{owner}/1"),
        "LogicalResourceId": "Subscription",
        "PhysicalResourceId": SUBSCRIPTION,
        "ResourceType": "AWS::SNS::Subscription",
        "Timestamp": "2026-01-01T00:00:00Z",
        "ResourceStatus": "CREATE_COMPLETE",
    }
    env, graph = subscribed(**{"cloudformation:DescribeStackResources": {"StackResources": [owned]}})

    assert len(undeclared(env, graph)) == count


def test_whether_another_stack_declares_it_may_be_unknown() -> None:
    env, graph = subscribed()

    with pytest.raises(Unverified, match="Topic: denied cloudformation:DescribeStackResources"):
        undeclared(env, graph)


def test_strangers_who_are_told_of_the_stack_are_found() -> None:
    topic = f"arn:aws:sns:eu-west-1:{OTHER}:theirs"
    told = {"Stacks": [{**STACK, "NotificationARNs": [topic, arn("sns", "ours")]}]}
    env: Any = stack({"Resources": {}}, **{"cloudformation:DescribeStacks": told})

    (finding,) = undeclared(env, Graph([]))["shop"]

    assert topic in finding


def test_each_default_has_its_source_and_each_type_is_read() -> None:
    for kind, table in defaults().items():
        assert kind in READINGS
        for path, one in table.get("defaults", {}).items():
            assert one["values"], path
            assert one["source"].strip(), path


def test_each_operation_that_is_read_may_be_sent_to_production() -> None:
    """And by the same list it is in the verifier's policy."""
    known = operations()
    names = {"ApiId": "a", "FunctionName": "worker", "Qualifier": "live", "TargetFunctionArn": FUNCTION}
    env = Answering({})
    account: Any = Account(env, ())  # type: ignore[arg-type]
    for kind in READINGS:
        whole(Subject(account, kind, "one|two|REGIONAL" if "WAF" in kind else SUBSCRIPTION, FUNCTION, names))

    assert len(env.calls) > len(READINGS)
    assert env.calls.keys() <= known.prod | known.catalogue

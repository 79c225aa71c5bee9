"""The gate confirms what is live as declared, and names whatever is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import Session, get_session

from readiness import gaps
from readiness.discovery.comparison import differences
from readiness.discovery.template import UNKNOWN, Template
from readiness.errors import UsageProblem
from tests.embedded.conftest import TRUST, Running
from tests.embedded.stacks import Stack, deployed
from verification.embedded.fidelity import __main__ as command
from verification.embedded.fidelity import gate
from verification.embedded.fidelity.readers import TYPES

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Days": {"Type": "Number", "Default": 30},
        "Password": {"Type": "String", "NoEcho": True, "Default": "hidden"},
        "Origins": {"Type": "CommaDelimitedList", "Default": "https://a.example,https://b.example"},
    },
    "Conditions": {"Never": {"Fn::Equals": [{"Ref": "AWS::Region"}, "nowhere"]}},
    "Resources": {
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "LifecycleConfiguration": {
                    "Rules": [
                        {
                            "Id": "old",
                            "Status": "Enabled",
                            "Prefix": "i/",
                            "ExpirationInDays": {"Ref": "Days"},
                        }
                    ]
                },
                "Tags": [{"Key": "Project", "Value": "demo"}],
            },
        },
        "Absent": {"Type": "AWS::S3::Bucket", "Condition": "Never", "Properties": {"BucketName": "none"}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 77}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST,
                "Policies": [
                    {
                        "PolicyName": "one",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Action": "sqs:SendMessage",
                                    "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
                                }
                            ],
                        },
                    }
                ],
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": "Role.Arn"},
                "Code": {"ZipFile": "def handler(event, context):\n    return 1\n"},
                "Timeout": 9,
                "ReservedConcurrentExecutions": 4,
                "Environment": {"Variables": {"QUEUE": {"Ref": "Queue"}}},
            },
        },
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"SecretString": {"Fn::Sub": '{"password":"${Password}"}'}},
        },
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": {"Ref": "AWS::StackName"},
                "ProtocolType": "HTTP",
                "CorsConfiguration": {"AllowOrigins": {"Ref": "Origins"}},
            },
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "StageName": "$default",
                "DefaultRouteSettings": {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100},
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "AWS/Lambda",
                "MetricName": "Errors",
                "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": "Function"}}],
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
            },
        },
    },
}


# ---------------------------------------------------------------- against a live stack


@pytest.fixture(scope="module")
def stack(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, TEMPLATE) as made:
        yield made


@pytest.fixture
def session(cloud: Running, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session as a developer's shell has it after `cloud.sh env`."""
    for name, value in cloud.state.environment().items():
        monkeypatch.setenv(name, value)
    return get_session()


def problems(session: Session, stack: Stack) -> set[str]:
    aws, template = gate.load(session, stack.name)
    return {f"{one.logical_id}.{one.path}: {one.reason}" for one in gate.examine(aws, template, {}).problems}


@pytest.mark.embedded
def test_faithful_stack_passes(stack: Stack, session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([stack.name]) == 0
    assert "0 problems" in capsys.readouterr().out


@pytest.mark.embedded
def test_changed_values_are_named(stack: Stack, session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    client, function, role = stack.cloud.client, stack.id_of("Function"), stack.id_of("Role")
    bucket, api = stack.id_of("Bucket"), stack.id_of("Api")
    client("lambda").update_function_configuration(FunctionName=function, Timeout=60)
    client("lambda").delete_function_concurrency(FunctionName=function)
    client("s3").delete_bucket_lifecycle(Bucket=bucket)
    client("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "Project", "Value": "other"}]})
    client("sqs").set_queue_attributes(QueueUrl=stack.id_of("Queue"), Attributes={"VisibilityTimeout": "5"})
    wide = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
    client("iam").put_role_policy(RoleName=role, PolicyName="one", PolicyDocument=policy)
    limits = {"ThrottlingRateLimit": 0, "ThrottlingBurstLimit": 100}
    client("apigatewayv2").update_stage(ApiId=api, StageName="$default", DefaultRouteSettings=limits)
    client("apigatewayv2").update_api(ApiId=api, CorsConfiguration={"AllowOrigins": ["*"]})

    found = problems(session, stack)
    assert command.main([stack.name]) == 1
    assert found == {
        "Function.Timeout: different",
        "Function.ReservedConcurrentExecutions: dropped",
        "Bucket.LifecycleConfiguration.Rules: dropped",
        "Bucket.Tags.Project: different",
        "Queue.VisibilityTimeout: different",
        "Role.Policies[0].PolicyDocument.Statement[0].Action: different",
        "Role.Policies[0].PolicyDocument.Statement[0].Resource: different",
        "Stage.DefaultRouteSettings.ThrottlingRateLimit: different",
        "Api.CorsConfiguration.AllowOrigins: different",
    }
    assert (
        "Function (AWS::Lambda::Function) Timeout: different; declared 9, live 60" in capsys.readouterr().out
    )


@pytest.mark.embedded
def test_property_without_a_reader_is_named(
    stack: Stack, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(TYPES["AWS::CloudWatch::Alarm"].properties, "TreatMissingData")
    aws, template = gate.load(session, stack.name)
    accepted = {("AWS::CloudWatch::Alarm", "TreatMissingData"): "a reason"}

    assert "Alarm.TreatMissingData: no reader" in problems(session, stack)
    unread = [one for one in gate.examine(aws, template, accepted).problems if one.reason == "no reader"]
    assert unread == []


@pytest.mark.embedded
def test_unknown_stack_is_a_usage_error(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["no-such-stack"]) == 4
    assert "no-such-stack" in capsys.readouterr().err


# ---------------------------------------------------------------- comparison


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        (30, "30"),
        ("30", 30.0),
        (True, "true"),
        ("false", False),
        ({"Acm": "x"}, {"ACM": "x", "More": 1}),
        (["a", "b"], ["b", "a"]),
        ({"a": [1]}, '{"a": [1], "b": 2}'),
        ("one", ["one"]),
        ([{"Key": "a", "Value": "1"}], [{"Key": "x", "Value": "y"}, {"Key": "a", "Value": "1"}]),
        (f"x{UNKNOWN}y", "x-anything-y"),
        (UNKNOWN, "secret"),
        ({"Prefix": ""}, {}),
        ({"Allow": {}}, {"Allow": {}}),
        ({"Variables": {}}, {}),
    ],
)
def test_equal_in_meaning(declared: Any, live: Any) -> None:
    assert list(differences(declared, live, "Tags")) == []


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        (30, 31),
        (True, None),
        ("x", None),
        ({"a": 1}, None),
        ({"a": 1}, {"b": 1}),
        (["a"], ["a", "b"]),
        (["a", "a"], ["a", "b"]),
        ([{"Key": "a", "Value": "1"}], [{"Key": "a", "Value": "2"}]),
        (f"x{UNKNOWN}", "y"),
        (UNKNOWN, None),
        ({"Allow": {}}, {"Block": {}}),
    ],
)
def test_different_in_meaning(declared: Any, live: Any) -> None:
    assert list(differences(declared, live, "Tags" if isinstance(declared, list) else "Any"))


# ---------------------------------------------------------------- intrinsic functions


def resolved(value: Any, **body: Any) -> Any:
    template = Template(
        {"Parameters": {"Env": {"Type": "String"}, "Key": {"Type": "String", "NoEcho": True}}, **body},
        {"Env": "prod", "Key": "****"},
        {"Queue": "https://queue"},
        {"AWS::Region": "us-east-1"},
        lambda kind, physical_id, name: f"{kind}|{physical_id}|{name}",
    )
    return template.resolve(value)


BODY = {
    "Conditions": {
        "IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
        "IsOther": {"Fn::Not": [{"Condition": "IsProd"}]},
    },
    "Mappings": {"Sizes": {"prod": {"memory": 3008}}},
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Env"}, "prod"),
        ({"Ref": "Key"}, UNKNOWN),
        ({"Ref": "Queue"}, "https://queue"),
        ({"Ref": "Nothing"}, UNKNOWN),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "AWS::SQS::Queue|https://queue|Arn"),
        ({"Fn::GetAtt": "Queue.Arn"}, "AWS::SQS::Queue|https://queue|Arn"),
        ({"Fn::Sub": "${Env}-${AWS::Region}-${!Kept}"}, "prod-us-east-1-${Kept}"),
        ({"Fn::Sub": ["${Own}/${Queue.Name}", {"Own": "x"}]}, "x/AWS::SQS::Queue|https://queue|Name"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Env"}]]}, "a-prod"),
        ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
        ({"Fn::Select": [1, ["a", "b"]]}, "b"),
        ({"Fn::If": ["IsProd", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsOther", 1, 2]}, 2),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Env"}, "memory"]}, 3008),
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"Fn::ImportValue": "x"}, UNKNOWN),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ({"Fn::And": [{"Condition": "IsProd"}, {"Fn::Or": [{"Condition": "IsProd"}, False]}]}, True),
    ],
)
def test_intrinsic_functions(value: Any, expected: Any) -> None:
    assert resolved(value, **BODY) == expected


# ---------------------------------------------------------------- gaps.toml


def test_gaps_say_why() -> None:
    assert gaps.unread(gate.GAPS)
    assert all(gaps.needs_aws(gate.GAPS).values())


def test_gap_without_a_reason_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "gaps.toml"
    path.write_text('[[unread]]\ntype = "AWS::S3::Bucket"\nproperty = "BucketName"\n')

    with pytest.raises(UsageProblem, match=r"gaps.toml, line 1: unread 1: lacks reason"):
        gaps.unread(path)


def test_no_gap_has_a_reader() -> None:
    """An entry that a reader has made needless would hide a property that is dropped."""
    assert [
        known
        for known in gaps.unread(gate.GAPS)
        if known[0] in TYPES and known[1] in TYPES[known[0]].properties
    ] == []

"""Judgements that the embedded AWS cannot show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from readiness.aws.role import Policy
from readiness.catalogue import grants, usage
from readiness.catalogue.checks import test_identity as checks
from readiness.discovery.graph import Graph, Resource
from readiness.errors import Unverified
from tests.answering import Answering

OWN, OTHER = "111122223333", "444455556666"
ORDERS = f"arn:aws:dynamodb:us-east-1:{OWN}:table/orders"


@dataclass(frozen=True)
class FakeRole:
    policies: list[Policy] = field(default_factory=list)
    trusted: list[dict[str, Any]] = field(default_factory=list)
    name: str = "role"

    @property
    def own_policies(self) -> list[Policy]:
        return [*self.each_policy(own=True)]

    def each_policy(self, *, own: bool = False) -> Iterator[Policy]:
        yield from (policy for policy in self.policies if not (own and policy.is_of_aws))


def granting(*actions: str, arn: str = "", **content: Any) -> FakeRole:
    statement = {"Effect": "Allow", "Action": [*actions], "Resource": "*", **content}
    return FakeRole([Policy("own", [statement], arn)])


@pytest.mark.parametrize(
    "role",
    [
        granting("s3:ListAllMyBuckets", "sns:ListTopics"),  # IAM knows no narrower resource
        granting("cloudwatch:PutMetricData", "ec2:CreateNetworkInterface", "logs:PutLogEvents"),
        granting("translate:TranslateText", "ses:SendEmail"),  # need not have a resource
        granting("dynamodb:GetItem", Resource=f"{ORDERS}/index/*"),
        granting("s3:GetObject", Resource="arn:aws:s3:::uploads/*"),
        granting("kms:Decrypt", Condition={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}),
        granting("s3:GetObject", Effect="Deny"),
        granting("s3:GetObject", arn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"),
    ],
)
def test_what_cannot_be_narrowed_passes(role: FakeRole) -> None:
    assert list(grants.open_resources(role)) == []


@pytest.mark.parametrize(
    "role",
    [
        granting("dynamodb:GetItem"),
        granting("dynamodb:GetItem", Resource="arn:aws:dynamodb:*:*:table/*"),
        granting("s3:GetObject", Resource=["arn:aws:s3:::*/*"]),
        granting(
            "secretsmanager:GetSecretValue", Resource=f"arn:aws:secretsmanager:us-east-1:{OWN}:secret:*"
        ),
        granting("sqs:Send*"),
        granting("kms:Decrypt", Condition={"Bool": {"aws:SecureTransport": "true"}}),
        FakeRole(
            [Policy("own", [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::x"}])]
        ),
    ],
)
def test_what_is_open_is_named(role: FakeRole) -> None:
    (finding,) = grants.open_resources(role)

    assert "on named resources" in finding


@pytest.mark.parametrize(
    "role",
    [
        granting("iam:PassRole", Resource=f"arn:aws:iam::{OWN}:role/worker"),
        granting("iam:PassRole", Resource=f"arn:aws:iam::{OWN}:role/shop-*"),
        granting("iam:CreateRole", "iam:GetRole"),
        granting(
            "iam:PassRole",
            Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            arn="arn:aws:iam::aws:policy/AWSCodeDeployRoleForECS",
        ),
        granting("iam:PutRolePolicy", Condition={"StringEquals": {"iam:PermissionsBoundary": "arn"}}),
    ],
)
def test_confined_rights_pass(role: FakeRole) -> None:
    assert list(grants.escalations(role, "aws", OWN)) == []


@pytest.mark.parametrize(
    "role",
    [
        granting("iam:PassRole"),
        granting("iam:Pass*", Resource="arn:aws:iam::*:role/*"),
        granting("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
        granting("iam:AttachRolePolicy"),
        granting("lambda:UpdateFunctionCode"),
        granting("*"),
        FakeRole([Policy("own", [{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}])]),
    ],
)
def test_ways_to_more_rights_are_named(role: FakeRole) -> None:
    assert len(list(grants.escalations(role, "aws", OWN))) == 1


def test_unknown_actions_of_aws_are_no_finding() -> None:
    assert list(grants.unknown_actions(granting("s3:GetObjekt", arn="arn:aws:iam::aws:policy/New"))) == []
    assert list(grants.unknown_actions(granting("s3:Get*", "*"))) == []
    assert list(grants.unknown_actions(granting("sqs:DeleteMessageBatch"))) == []  # of SAM's SQSPollerPolicy
    assert len(list(grants.unknown_actions(granting("s3:Fetch*")))) == 1


def without_destinations() -> Answering:
    """Answers as Lambda does for a function whose results go nowhere."""
    return Answering({"lambda:ListFunctionEventInvokeConfigs": {"FunctionEventInvokeConfigs": []}})


@dataclass(frozen=True)
class FakeFunction:
    package: dict[str, bytes]
    configuration: dict[str, Any] = field(default_factory=lambda: {"Runtime": "python3.13"})
    event_sources: tuple[Any, ...] = ()
    name: str = "worker"
    handler: str = "app.handler"
    role_name: str = "role"
    env: Any = None
    layer_files: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, *lines: str, **settings: Any) -> FakeFunction:
        body = "".join(f"    {line}\n" for line in lines)
        settings.setdefault("env", without_destinations())
        return cls({"app.py": f"import boto3\ndef handler(event, context):\n{body}".encode()}, **settings)


LAYERED = {"Runtime": "python3.13", "Layers": [{"Arn": "layer"}]}


@pytest.mark.parametrize(
    ("actions", "line"),
    [
        (["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query"], "table.query()"),
        (["dynamodb:BatchWriteItem"], "table.batch_writer()"),
        (["lambda:InvokeFunction"], "client.invoke()"),
        (["ses:SendEmail", "ses:GetIdentityVerificationAttributes"], "client.send_email()"),
        (["s3:ListAllMyBuckets"], "client.list_buckets()"),
        (["s3:GetObject"], "boto3.resource('s3').Object('files', 'a').get()"),
        (["s3:GetObject"], "boto3.resource('s3').Object('files', 'a').content_length"),
        (["s3:PutObject"], "boto3.resource('s3').Bucket('files').upload_file('a', 'a')"),
        (["s3:DeleteObject"], "boto3.resource('s3').Bucket('files').objects.all().delete()"),
        (["sqs:GetQueueUrl"], "boto3.resource('sqs').get_queue_by_name(QueueName='jobs')"),
        (["s3:GetObject", "s3:ListBucket"], "client.get_object()"),
        (["kms:Decrypt", "xray:PutTraceSegments", "logs:PutLogEvents"], "pass"),
        (["sqs:ReceiveMessage"], "event['Records']"),
        (["rekognition:DetectLabels", "s3:GetObject"], "client.detect_labels()"),
        (["rds-data:ExecuteStatement", "secretsmanager:GetSecretValue"], "client.execute_statement()"),
    ],
)
def test_what_is_called_is_in_use(actions: list[str], line: str, tmp_path: Path) -> None:
    assert list(usage.unused(granting(*actions), [FakeFunction.of(line)], tmp_path)) == []


@pytest.mark.parametrize(
    ("actions", "line"),
    [
        (["dynamodb:GetItem", "dynamodb:PutItem"], "table.get_item()"),
        (["sqs:SendMessage", "sqs:PurgeQueue"], "client.send_message()"),
        (["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"], "client.get_secret_value()"),
        (["s3:PutObject"], "client.get_object()"),
        (["s3:DeleteObject"], "boto3.resource('s3').Object('files', 'a').put(Body=b'')"),
    ],
)
def test_what_is_never_called_is_named(actions: list[str], line: str, tmp_path: Path) -> None:
    (finding,) = usage.unused(granting(*actions), [FakeFunction.of(line)], tmp_path)

    assert actions[-1] in finding


@pytest.mark.parametrize(
    "function",
    [
        FakeFunction(
            {"index.js": b"exports.handler = 1"}, {"Runtime": "nodejs22.x"}, env=without_destinations()
        ),
    ],
)
def test_code_that_cannot_be_read_is_unverified(function: FakeFunction, tmp_path: Path) -> None:
    with pytest.raises(Unverified):
        list(usage.unused(granting("s3:GetObject"), [function], tmp_path))


def test_what_cloudformation_does_for_a_role_is_unverified(tmp_path: Path) -> None:
    role = granting("cloudformation:CreateStack", "s3:PutObject")

    with pytest.raises(Unverified, match="may deploy stacks"):
        list(usage.unused(role, [FakeFunction.of("pass")], tmp_path))


def test_javascript_that_names_the_action_is_read(tmp_path: Path) -> None:
    package = {"index.js": b"new GetObjectCommand()", "node_modules/@aws-sdk/s3.js": b"PutObjectCommand"}
    function = FakeFunction(package, {"Runtime": "nodejs22.x"}, env=without_destinations())

    assert list(usage.unused(granting("s3:GetObject"), [function], tmp_path)) == []
    assert list(usage.unused(granting("s3:GetObject*"), [function], tmp_path)) == []
    with pytest.raises(Unverified):
        list(usage.unused(granting("s3:PutObject"), [function], tmp_path))


@pytest.mark.parametrize(
    "line",
    [
        b"import {PutCommand} from '@aws-sdk/lib-dynamodb'",
        b"new AWS.DynamoDB.DocumentClient().put({ TableName })",
        b"var d=require('@aws-sdk/lib-dynamodb');c.send(new d.PutCommand(p))",
    ],
)
def test_javascript_that_writes_documents_is_read(line: bytes, tmp_path: Path) -> None:
    function = FakeFunction({"index.js": line}, {"Runtime": "nodejs22.x"}, env=without_destinations())

    assert list(usage.unused(granting("dynamodb:PutItem"), [function], tmp_path)) == []
    with pytest.raises(Unverified):
        list(usage.unused(granting("dynamodb:GetItem"), [function], tmp_path))


def test_calls_of_a_layer_count(tmp_path: Path) -> None:
    package = {"app.py": b"from tools import one\ndef handler(event, context):\n    one()\n"}
    layer = {"tools.py": b"def one():\n    table.get_item()\ndef other():\n    table.put_item()\n"}
    function = FakeFunction(package, LAYERED, env=without_destinations(), layer_files=layer)
    (finding,) = usage.unused(granting("dynamodb:GetItem", "dynamodb:PutItem"), [function], tmp_path)

    assert "PutItem" in finding


def test_one_use_by_one_function_is_enough(tmp_path: Path) -> None:
    functions = [FakeFunction.of("pass"), FakeFunction.of("client.get_object()", name="other")]

    assert list(usage.unused(granting("s3:GetObject"), functions, tmp_path)) == []


@dataclass(frozen=True)
class Account:
    account_id: str = OWN


ROLE = Resource("AWS::IAM::Role", "Role", "role")


def trusting(principal: Any, **more: Any) -> FakeRole:
    return FakeRole(trusted=[{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}])


def judged(role: FakeRole, *types: str) -> None:
    others = [Resource(kind, kind, kind) for kind in types]
    checks.test_roles_are_taken_on_by_their_services_alone(
        Account(), Graph([ROLE, *others]), {ROLE: role}, [FakeFunction.of("pass")]
    )


def test_trust_that_is_used_passes() -> None:
    judged(trusting({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}))
    judged(
        trusting(
            {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
        ),
        "AWS::StepFunctions::StateMachine",
    )
    judged(trusting({"AWS": f"arn:aws:iam::{OWN}:root"}))
    judged(
        trusting(
            {"Federated": "cognito-identity.amazonaws.com"},
            Condition={"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:pool"}},
        )
    )


@pytest.mark.parametrize(
    "role",
    [
        trusting("*"),
        trusting({"AWS": OTHER}),
        trusting({"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}),
        trusting({"Federated": "cognito-identity.amazonaws.com"}),
        trusting(
            {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"},
            Condition={"StringLike": {"token.actions.githubusercontent.com:sub": "*"}},
        ),
    ],
)
def test_trust_in_others_is_named(role: FakeRole) -> None:
    with pytest.raises(AssertionError, match="Role"):
        judged(role)

"""Calls that a role does not grant, without an AWS."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from readiness.aws.policy import Statement
from readiness.catalogue.lacking import lacking, lacking_for_lambda
from readiness.discovery.graph import Graph, Resource
from readiness.errors import Unverified
from readiness.probes import template
from tests.answering import Answering
from verification.application import ROOT

OWN = "111122223333"
NOTHING = Graph([])
ORDERS = f"arn:aws:dynamodb:us-east-1:{OWN}:table/orders"


@dataclass(frozen=True)
class FakeRole:
    statements: list[dict[str, Any]]
    description: dict[str, Any] = field(default_factory=dict)
    env: Any = None
    name: str = "role"
    arn: str = f"arn:aws:iam::{OWN}:role/role"


@dataclass(frozen=True)
class FakeFunction:
    package: dict[str, bytes]
    handler: str = "app.handler"
    environment: dict[str, str] = field(default_factory=dict)
    configuration: dict[str, str] = field(default_factory=lambda: {"Runtime": "python3.13"})
    tracing_mode: str = "PassThrough"
    event_sources: tuple[dict[str, str], ...] = ()
    failure_targets: tuple[str, ...] = ()
    log_stream_arn: str = f"arn:aws:logs:us-east-1:{OWN}:log-group:/own:log-stream:any"

    @classmethod
    def of(cls, line: str) -> FakeFunction:
        text = (
            "import boto3\ntable = boto3.resource('dynamodb').Table('orders')\n"
            f"def handler(event, context):\n    {line}\n"
        )
        return cls({"app.py": text.encode()})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, **more}


def judged(line: str, *statements: dict[str, Any], graph: Graph = NOTHING, **role: Any) -> list[str]:
    return list(lacking(FakeFunction.of(line), [FakeRole([*statements], **role)], graph))


@pytest.mark.parametrize(
    ("line", "statement"),
    [
        ("table.put_item()", allow("dynamodb:PutItem", ORDERS)),
        ("table.put_item()", allow("dynamodb:Put*", ORDERS)),
        ("table.put_item()", {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
        ("table.put_item()", {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::x"}),
        ("table.put_item()", allow("dynamodb:PutItem", ORDERS, Condition={"StringEquals": {"a": "b"}})),
        ("table.query(IndexName='i')", allow("dynamodb:Query", f"{ORDERS}/index/*")),
        ("table.query(IndexName='i')", allow("dynamodb:Query", "*")),
        ("boto3.client('s3').head_object()", allow("s3:GetObject", "arn:aws:s3:::b/*")),
        ("boto3.client('s3').get_object(VersionId='1')", allow("s3:GetObjectVersion", "arn:aws:s3:::b/*")),
        ("boto3.client('s3').get_object(**event)", allow("s3:GetObjectVersion", "arn:aws:s3:::b/*")),
        ("boto3.client('s3').list_objects_v2()", allow("s3:ListBucket", "arn:aws:s3:::b")),
        ("boto3.client('lambda').invoke()", allow("lambda:InvokeFunction")),
        ("boto3.client('sqs').send_message_batch()", allow("sqs:SendMessage")),
        ("boto3.client('cloudwatch').put_metric_data()", allow("cloudwatch:PutMetricData")),
        ("boto3.client('sesv2').send_email()", allow("ses:SendEmail")),
        ("boto3.client('bedrock-runtime').converse()", allow("bedrock:InvokeModel")),
        ("boto3.client('sts').get_caller_identity()", allow("s3:GetObject")),
        ("boto3.client('cognito-idp').initiate_auth()", allow("s3:GetObject")),
        ("boto3.client('kms').decrypt()", allow("s3:GetObject")),  # the key's policy is not seen
        (
            "boto3.client('dynamodb').transact_write_items(TransactItems=[{'Put': {}}])",
            allow("dynamodb:PutItem"),
        ),
    ],
)
def test_a_call_that_is_granted_is_no_finding(line: str, statement: dict[str, Any]) -> None:
    assert judged(line, statement) == []


@pytest.mark.parametrize(
    ("line", "statements", "missing"),
    [
        ("table.put_item()", [allow("dynamodb:GetItem", ORDERS)], "dynamodb:PutItem"),
        ("table.put_item()", [allow("dynamodb:PutItem", "arn:aws:s3:::orders")], "dynamodb:PutItem"),
        ("table.put_item()", [allow("*"), deny("dynamodb:*", Resource="*")], "dynamodb:PutItem"),
        (
            "table.put_item()",
            [allow("*"), deny("dynamodb:*", NotResource="arn:aws:s3:::b")][1:],
            "dynamodb:PutItem",
        ),
        (
            "table.put_item()",
            [{"Effect": "Allow", "NotAction": "dynamodb:*", "Resource": "*"}],
            "dynamodb:PutItem",
        ),
        ("table.query(IndexName='i')", [allow("dynamodb:Query", ORDERS)], "dynamodb:Query on an index"),
        (
            "boto3.client('s3').get_object()",
            [allow("s3:GetObject", "arn:aws:s3:::b")],
            "s3:GetObject on objects",
        ),
        ("boto3.client('s3').get_object(VersionId='1')", [allow("s3:GetObject")], "s3:GetObjectVersion"),
        (
            "boto3.client('s3').list_objects_v2()",
            [allow("s3:*", "arn:aws:s3:::b/*")],
            "s3:ListBucket on a bucket",
        ),
        ("boto3.client('stepfunctions').start_execution()", [], "states:StartExecution"),
    ],
)
def test_a_call_without_a_grant_is_named(line: str, statements: list[dict[str, Any]], missing: str) -> None:
    (finding,) = judged(line, *statements)

    assert f"lacks {missing}" in finding
    assert "app.py:4" in finding


def test_a_denial_with_a_condition_or_of_another_resource_denies_nothing_for_certain() -> None:
    granted = allow("dynamodb:PutItem", ORDERS)

    assert judged("table.put_item()", granted, deny("*", Resource="*", Condition={"Bool": {"a": "b"}})) == []
    assert judged("table.put_item()", granted, deny("*", Resource=f"{ORDERS}-old")) == []
    assert judged("table.put_item()", granted, deny("*", NotResource=ORDERS)) == []


def letting_in(**statement: Any) -> Answering:
    """An account whose queue has a policy."""
    whole = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", **statement}
    return Answering(
        {"sqs:GetQueueAttributes": {"Attributes": {"Policy": json.dumps({"Statement": [whole]})}}}
    )


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ({"Principal": {"AWS": f"arn:aws:iam::{OWN}:role/role"}}, 0),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": OWN}}}, 0),
        ({"Principal": {"AWS": f"arn:aws:iam::{OWN}:root"}}, 1),
        ({"Principal": "*", "Condition": {"StringEquals": {"AWS:SourceOwner": OWN}}}, 1),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, 1),
    ],
)
def test_a_resource_may_let_the_role_in_itself(statement: dict[str, Any], count: int) -> None:
    graph = Graph([Resource("AWS::SQS::Queue", "Queue", "https://queue")])
    line = "boto3.client('sqs').send_message()"

    assert len(judged(line, graph=graph, env=letting_in(**statement))) == count


def test_a_boundary_leaves_a_grant_unverified() -> None:
    with pytest.raises(Unverified, match="permissions boundary"):
        judged(
            "table.put_item()",
            allow("*"),
            description={"PermissionsBoundary": {"PermissionsBoundaryArn": "a"}},
        )


def test_another_function_with_the_same_code_may_make_the_call() -> None:
    roles = [FakeRole([]), FakeRole([allow("dynamodb:PutItem")])]

    assert list(lacking(FakeFunction.of("table.put_item()"), roles, NOTHING)) == []


QUEUE = f"arn:aws:sqs:us-east-1:{OWN}:jobs"
CONSUMER = f"arn:aws:kinesis:us-east-1:{OWN}:stream/clicks/consumer/reader:1"
STREAM = f"{ORDERS}/stream/2026"
READS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
WRITES = ["logs:CreateLogStream", "logs:PutLogEvents"]
LOGS = allow("logs:*")


@pytest.mark.parametrize(
    ("settings", "statements", "missing"),
    [
        ({}, [LOGS], []),
        ({}, [deny("logs:*", Resource="*")], []),
        ({}, [allow("logs:CreateLogStream")], ["logs:PutLogEvents"]),
        ({"tracing_mode": "Active"}, [LOGS, allow("xray:Put*")], []),
        ({"tracing_mode": "Active"}, [LOGS], ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]),
        (
            {"tracing_mode": "Active"},
            [LOGS, allow("xray:PutTraceSegments")],
            ["xray:PutTelemetryRecords"],
        ),
        ({}, [allow("logs:*", f"arn:aws:logs:us-east-1:{OWN}:log-group:/own:*")], []),
        ({}, [allow("logs:*", f"arn:aws:logs:us-east-1:{OWN}:log-group:/own")], []),
        ({}, [allow("logs:*", f"arn:aws:logs:*:{OWN}:*")], []),
        ({}, [allow("logs:*", f"arn:aws:logs:us-east-1:{OWN}:log-group:/other:*")], WRITES),
        ({}, [deny("logs:*", Resource=f"arn:aws:logs:us-east-1:{OWN}:log-group:/own:*")], WRITES),
        ({}, [deny("logs:*", Resource="arn:aws:logs:*:*:*")], []),
        ({"event_sources": ({"EventSourceArn": QUEUE},)}, [LOGS, allow("sqs:*", QUEUE)], []),
        ({"event_sources": ({"EventSourceArn": QUEUE, "State": "Disabled"},)}, [LOGS], []),
        (
            {"event_sources": ({"EventSourceArn": QUEUE},)},
            [LOGS, allow("sqs:Receive*", QUEUE)],
            sorted(READS[1:]),
        ),
        (
            {"event_sources": ({"EventSourceArn": QUEUE},)},
            [LOGS, allow("sqs:*", f"{QUEUE}-other")],
            sorted(READS),
        ),
        (
            {"event_sources": ({"EventSourceArn": STREAM},)},
            [LOGS, allow(["dynamodb:DescribeStream", "dynamodb:GetRecords"], f"{ORDERS}/stream/*")],
            ["dynamodb:GetShardIterator"],
        ),
        ({"event_sources": ({"EventSourceArn": CONSUMER}, {"SelfManagedEventSource": "kafka"})}, [LOGS], []),
        ({"failure_targets": (QUEUE,)}, [LOGS, allow("sqs:SendMessage", QUEUE)], []),
        ({"failure_targets": (QUEUE,)}, [LOGS], ["sqs:SendMessage"]),
        ({"failure_targets": (QUEUE,)}, [allow("*"), deny("sqs:*", Resource=QUEUE)], ["sqs:SendMessage"]),
    ],
)
def test_what_lambda_needs_is_granted(
    settings: dict[str, Any], statements: list[dict[str, Any]], missing: list[str]
) -> None:
    found = list(lacking_for_lambda(FakeFunction({}, **settings), FakeRole(statements), NOTHING))

    assert len(found) == len(missing)
    assert all(f"lacks {action}" in finding for action, finding in zip(missing, found, strict=True))


BACKEND = ROOT / "backend"
_ARNS = {
    "ImagesBucket": "arn:aws:s3:::images",
    "JobsQueue": f"arn:aws:sqs:us-east-1:{OWN}:jobs",
    "JobsTable": ORDERS,
    "ProviderKeys": f"arn:aws:secretsmanager:us-east-1:{OWN}:secret:keys",
}


def _text(expression: str) -> str:
    """An expression of Pixel Prompt's template, of which the reader leaves the text, as the ARN that it stands for."""
    text = expression.replace("${AWS::Partition}", "aws")
    for name, arn in _ARNS.items():
        text = arn if text == name else text.replace(f"${{{name}.Arn}}", arn).replace(f"{name}.Arn", arn)
    return text


def _pixel_prompt(role: str) -> list[dict[str, Any]]:
    declared = template.resources(BACKEND / "template.yaml")[role]["Properties"]["Policies"]
    return [
        {**one, "Resource": [_text(each) for each in Statement(one).resource_expressions]}
        for policy in declared
        for one in policy["PolicyDocument"]["Statement"]
    ]


@pytest.mark.parametrize(
    ("role", "handler", "actions"),
    [
        (
            "ApiFunctionRole",
            "pixel_prompt.api.handler",
            [
                *("bedrock:InvokeModel", "sqs:SendMessage", "dynamodb:GetItem", "dynamodb:PutItem"),
                *("dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"),
            ],
        ),
        (
            "WorkerFunctionRole",
            "pixel_prompt.worker.handler",
            [
                *("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
                *("secretsmanager:GetSecretValue", "sqs:ChangeMessageVisibility"),
            ],
        ),
    ],
)
def test_pixel_prompt_is_granted_its_calls_and_each_is_missed(
    role: str, handler: str, actions: list[str]
) -> None:
    source = BACKEND / "src"
    files = {file.relative_to(source).as_posix(): file.read_bytes() for file in source.rglob("*.py")}
    function, statements = FakeFunction(files, handler), _pixel_prompt(role)

    assert list(lacking(function, [FakeRole(statements)], NOTHING)) == []
    for action in actions:
        fewer = [
            {**one, "Action": [each for each in Statement(one).actions if each != action]}
            for one in statements
        ]
        (finding,) = lacking(function, [FakeRole(fewer)], NOTHING)
        assert action in finding

"""readiness/catalogue/invokers.py"""

from __future__ import annotations

from typing import Any

import pytest

from readiness.aws.policy import Statement
from readiness.catalogue.invokers import opened_by
from readiness.discovery.graph import Graph, Resource

OWN, OTHER = "123456789012", "111122223333"
GRAPH = Graph(
    [
        Resource("AWS::S3::Bucket", "Uploads", "uploads"),
        Resource("AWS::S3::Bucket", "elsewhere", "elsewhere", declared=False),
    ]
)


def statement(principal: Any, **condition: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Principal": principal,
        "Condition": condition,
    }


def without(whole: dict[str, Any], element: str) -> dict[str, Any]:
    return {name: value for name, value in whole.items() if name != element}


def service(name: str, **condition: Any) -> dict[str, Any]:
    return statement({"Service": f"{name}.amazonaws.com"}, **condition)


@pytest.mark.parametrize(
    "closed",
    [
        service("apigateway", ArnLike={"AWS:SourceArn": f"arn:aws:execute-api:us-east-1:{OWN}:abc/*/GET/"}),
        service(
            "s3", StringEquals={"AWS:SourceAccount": OWN}, ArnLike={"AWS:SourceArn": "arn:aws:s3:::elsewhere"}
        ),
        service("s3", ArnLike={"AWS:SourceArn": "arn:aws:s3:::uploads"}),
        service("events", StringEquals={"aws:PrincipalOrgID": "o-abc"}),
        service("alexa-appkit", StringEquals={"lambda:EventSourceToken": "amzn1.ask.skill.1"}),
        statement({"AWS": f"arn:aws:iam::{OWN}:role/caller"}),
        statement(OWN),
        statement("*", StringEquals={"lambda:FunctionUrlAuthType": "NONE"}),
        statement("*", StringEquals={"aws:PrincipalAccount": OWN}),
        {**statement("*"), "Effect": "Deny"},
        {**statement("*"), "Action": "lambda:InvokeFunctionUrl"},
        without({**statement(OTHER), "NotAction": "lambda:Invoke*"}, "Action"),
        {**statement({"AWS": OTHER}), "Action": "lambda:GetFunction"},
    ],
)
def test_a_statement_for_the_own_account_opens_nothing(closed: dict[str, Any]) -> None:
    assert opened_by(Statement(closed), OWN, GRAPH) == ""


@pytest.mark.parametrize(
    ("opened", "why"),
    [
        (statement("*"), "any caller"),
        (statement({"AWS": "*"}), "any caller"),
        (service("apigateway"), "SourceArn"),
        (service("s3", ArnLike={"AWS:SourceArn": "arn:aws:s3:::elsewhere"}), "SourceAccount"),
        (service("sns", ArnLike={"AWS:SourceArn": f"arn:aws:sns:us-east-1:{OTHER}:topic"}), OTHER),
        (service("s3", StringEquals={"AWS:SourceAccount": [OWN, OTHER]}), OTHER),
        (service("events", StringNotEquals={"AWS:SourceAccount": OTHER}), "SourceArn"),
        (statement({"AWS": f"arn:aws:iam::{OTHER}:root"}), OTHER),
        (statement(OTHER), OTHER),
        ({**statement(OTHER), "Action": ["lambda:*"]}, OTHER),
        (without({**statement(OTHER), "NotAction": "lambda:GetFunction"}, "Action"), OTHER),
        (without({**statement(OWN), "NotPrincipal": {"AWS": OWN}}, "Principal"), "any caller"),
    ],
)
def test_a_statement_for_another_principal_names_it(opened: dict[str, Any], why: str) -> None:
    assert why in opened_by(Statement(opened), OWN, GRAPH)

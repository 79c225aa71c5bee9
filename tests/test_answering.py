"""Tests answer in AWS's place through real clients, so that what AWS does not have fails here first."""

from __future__ import annotations

import ast
from pathlib import Path

import botocore.exceptions
import pytest

from readiness.errors import Denied
from tests.answering import Answering
from tests.test_clients import SERVICES, operations

TESTS = Path(__file__).parent
_FUNCTIONS = ("applications", "second_app", "source")  # code of functions, which is not run here


def test_what_it_is_given_is_answered_and_counted() -> None:
    aws = Answering({"apigatewayv2:GetApi": lambda asked: {"Name": asked["ApiId"]}})

    assert aws.client("apigatewayv2").get_api(ApiId="abc")["Name"] == "abc"
    assert aws.calls == {"apigatewayv2:GetApi": 1}


def test_what_it_is_not_given_is_denied() -> None:
    with pytest.raises(Denied, match="apigatewayv2:GetApi"):
        Answering({}).client("apigatewayv2").get_api(ApiId="abc")


def test_what_aws_does_not_have_is_refused() -> None:
    client = Answering({"apigatewayv2:GetApi": {"Color": "red"}}).client("apigatewayv2")

    with pytest.raises(AttributeError):
        client.describe_api(ApiId="abc")
    with pytest.raises(botocore.exceptions.OperationNotPageableError):
        client.get_paginator("get_api_mappings")
    with pytest.raises(botocore.exceptions.ParamValidationError):
        client.get_api(ApiName="abc")
    with pytest.raises(AssertionError, match="does not answer so"):
        client.get_api(ApiId="abc")


def test_no_test_has_another_fake_of_a_client() -> None:
    """Such a fake would answer what AWS refuses."""
    named = {"get_paginator", "get_waiter", "paginate"}
    for service in SERVICES:
        named |= {name for name in operations(service) if "_" in name}
    found = {
        f"{file.relative_to(TESTS)}: {node.name}"
        for file in TESTS.rglob("*.py")
        if not {*file.relative_to(TESTS).parts} & {*_FUNCTIONS}
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name in named
    }

    assert found == set()

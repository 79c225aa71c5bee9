"""What the application's function is measured against: functions of the benchmark's own, gone after it."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import botocore.exceptions

from readiness.aws.function import Function
from readiness.environment import Environment
from readiness.errors import Missing, Unverified
from readiness.interruptions import held_back

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

PREFIX = "pixel-prompt-benchmark-"
"""A killed run may leave a function of this name behind; the next run takes it away."""

# One boto3 client, as issue and specification have it: what any function of this stack pays for.
_SOURCE = b"""\
import boto3

client = boto3.client("dynamodb")


def handler(event, context):
    return {"statusCode": 200, "body": "{}"}
"""


@contextmanager
def bare_function(env: Environment, like: Function) -> Iterator[Function]:
    """A function with the settings and the role of another, that makes one client and answers.

    Raises:
        Denied: the credentials may not make, or give a role to, a function.
        Unverified: it was not ready in time.
    """
    with _function(env, like, {"bare.py": _SOURCE}, Handler="bare.handler") as function:
        yield function


@contextmanager
def variant(
    env: Environment, like: Function, files: Mapping[str, bytes] | None = None, **settings: Any
) -> Iterator[Function]:
    """A copy of a function with other files in its package or other settings, to see what a change would bring.

    Raises:
        Denied: the credentials may not make, or give a role to, a function.
        Unverified: it was not ready in time, or the package cannot be had.
    """
    same = {"Handler": like.configuration["Handler"], "Environment": {"Variables": dict(like.environment)}}
    with _function(env, like, {**like.package, **(files or {})}, **{**same, **settings}) as function:
        yield function


def forget_functions(env: Environment) -> None:
    """Delete every function that an interrupted benchmark left."""
    client = env.client("lambda")
    for page in client.get_paginator("list_functions").paginate():
        for left in page["Functions"]:
            if left["FunctionName"].startswith(PREFIX):
                client.delete_function(FunctionName=left["FunctionName"])


@contextmanager
def _function(
    env: Environment, like: Function, files: Mapping[str, bytes], **settings: Any
) -> Iterator[Function]:
    client = env.client("lambda")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    model, name = like.configuration, f"{PREFIX}{uuid.uuid4().hex[:12]}"
    wanted = {
        "Code": {"ZipFile": package.getvalue()},
        "Tags": {"Project": "pixel-prompt", "Purpose": "benchmark"},
        "TracingConfig": {"Mode": like.tracing_mode},
        **{key: model[key] for key in ("Role", "Runtime", "Architectures", "MemorySize", "Timeout")},
        **settings,
    }
    try:
        with held_back():
            client.create_function(FunctionName=name, **wanted)
        client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        yield Function(env, name)
    except botocore.exceptions.WaiterError as problem:
        raise Unverified(f"{name} was not ready in time: {problem}") from problem
    finally:
        with held_back():
            _delete(client, name)


def _delete(client: LambdaClient, name: str) -> None:
    try:
        client.delete_function(FunctionName=name)
    except Missing:
        return  # it was never made

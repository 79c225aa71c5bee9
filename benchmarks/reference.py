"""What the application's function is measured against: the least function that could do its work."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import botocore.exceptions

from verification.environment import Environment
from verification.errors import Unverified
from verification.resources.function import Function

PREFIX = "pixel-prompt-benchmark-"
"""A killed run may leave a function of this name behind; the next run takes it away."""

# One boto3 client, as issue and specification have it: what any function of this stack pays for.
_SOURCE = """\
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
    client = env.client("lambda")
    for page in client.get_paginator("list_functions").paginate():
        for left in page["Functions"]:
            if left["FunctionName"].startswith(PREFIX):
                client.delete_function(FunctionName=left["FunctionName"])
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bare.py", _SOURCE)
    name, settings = f"{PREFIX}{uuid.uuid4().hex[:12]}", like.configuration
    client.create_function(
        FunctionName=name,
        Handler="bare.handler",
        Code={"ZipFile": package.getvalue()},
        Tags={"Project": "pixel-prompt", "Purpose": "benchmark"},
        Role=settings["Role"],
        Runtime=settings["Runtime"],
        Architectures=settings["Architectures"],
        MemorySize=settings["MemorySize"],
        Timeout=settings["Timeout"],
        TracingConfig={"Mode": like.tracing_mode},
    )
    try:
        client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        yield Function(env, name)
    except botocore.exceptions.WaiterError as problem:
        raise Unverified(f"{name} was not ready in time: {problem}") from problem
    finally:
        client.delete_function(FunctionName=name)

"""Overlay: what MiniStack's CloudFormation drops from a template, or refuses although AWS takes it."""

from __future__ import annotations

from verification.embedded.server.cloudformation import (
    additions,
    alarms,
    api_gateway,
    cloud_front,
    drift,
    dynamodb,
    functions,
    kinesis,
    logs,
    messaging,
    nested_stacks,
    rest_api,
    rules,
    s3,
    serverless,
)
from verification.embedded.server.context import Context


def install(context: Context) -> None:
    """Lay the overlays over MiniStack's resource handlers."""
    api_gateway.install(context)
    rest_api.install()
    cloud_front.install()
    s3.install()
    dynamodb.install()
    functions.install()
    kinesis.install()
    logs.install()
    rules.install()
    messaging.install()
    nested_stacks.install()
    alarms.install(context)
    additions.install()
    drift.install(context)
    serverless.install()

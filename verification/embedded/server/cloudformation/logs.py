"""Overlay of AWS::Logs::LogGroup: a log group that exists is not created again.

MiniStack empties it. CloudFormation refuses, so that a stack whose function has logged before its log group was declared rolls
back. Source: CloudWatch Logs API Reference, CreateLogGroup, ResourceAlreadyExistsException.
"""

from __future__ import annotations

from ministack.services import cloudwatch_logs

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Made, Properties

require(cloudwatch_logs, "_log_groups")

GROUP = "AWS::Logs::LogGroup"


def install() -> None:
    """Lay the overlay over MiniStack."""
    its = hooks.handler(GROUP)
    make = its["create"]

    def create(logical_id: str, properties: Properties, stack_name: str) -> Made:
        name = properties.get("LogGroupName")
        if name in cloudwatch_logs._log_groups:
            raise ValueError(f"Resource of type '{GROUP}' with identifier '{name}' already exists.")
        made: Made = make(logical_id, properties, stack_name)
        return made

    its["create"] = create

"""Whether something of AWS's is there, whichever stack it belongs to."""

from __future__ import annotations

from typing import Final

import botocore.exceptions

from readiness.environment import Environment
from readiness.errors import Missing

# How services say that there is none, beside those that every client takes for Missing.
_ABSENT: Final = {"404", "StateMachineDoesNotExist"}  # HEAD has no body that could name the error
_FIELDS: Final = 6  # of an ARN


def exists(env: Environment, service: str, operation: str, **which: object) -> bool:
    """Whether a description of it can be had.

    Args:
        env: where to ask.
        service: boto3's name of it.
        operation: boto3's name of the one that describes it.
        which: names it, in the operation's own parameters.
    """
    try:
        getattr(env.client(service), operation)(**which)
    except Missing:
        return False
    except botocore.exceptions.ClientError as problem:
        if problem.response["Error"]["Code"] in _ABSENT:
            return False
        raise
    return True


def arn_exists(env: Environment, arn: str) -> bool | None:
    """Whether what an ARN names is there; None for another account or region, or a kind that is not known here."""
    fields = arn.split(":", _FIELDS - 1)
    if len(fields) < _FIELDS or fields[3:5] != [env.region, env.account_id]:
        return None
    name = fields[-1]
    described = {
        "lambda": ("lambda", "get_function_configuration", {"FunctionName": arn}),
        "sqs": ("sqs", "get_queue_url", {"QueueName": name}),
        "sns": ("sns", "get_topic_attributes", {"TopicArn": arn}),
        "states": ("stepfunctions", "describe_state_machine", {"stateMachineArn": arn}),
    }
    if fields[2] not in described or (fields[2] == "lambda" and not name.startswith("function:")):
        return None
    service, operation, which = described[fields[2]]
    return exists(env, service, operation, **which)

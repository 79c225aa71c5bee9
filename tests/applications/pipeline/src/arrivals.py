"""Starts one import for each file that arrives."""

import hashlib
import json
import os
from typing import Any

import batches
import boto3

MACHINE = os.environ["STATE_MACHINE"]
states = boto3.client("stepfunctions")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return batches.each(event, start)


def start(body: str) -> None:
    """Start the import of the file that an event tells of.

    SQS delivers a message at least once. The execution's name is made from the version of the file, so that a
    version is imported once.
    """
    arrived = json.loads(body)["detail"]["object"]
    key, version = arrived["key"], arrived["version-id"]
    name = hashlib.sha256(f"{key} {version}".encode()).hexdigest()
    try:
        states.start_execution(
            stateMachineArn=MACHINE, name=name, input=json.dumps({"key": key, "version": version})
        )
    except states.exceptions.ExecutionAlreadyExists:
        batches.log.info("%s was started before", name)

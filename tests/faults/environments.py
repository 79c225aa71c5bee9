"""Faults by which environments get in each other's way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.faults.bench import Bench
from tests.faults.fault import fault


@fault("CONF-15", "a queue has the same name in every environment", alone=True)
def fixed_name(bench: Bench) -> Iterator[None]:
    def name(template: dict[str, Any]) -> None:
        like = json.loads(json.dumps(template["Resources"]["JobsDeadLetterQueue"]))
        template["Resources"]["NamedQueue"] = {
            **like,
            "Properties": {**like["Properties"], "QueueName": "jobs"},
        }

    with bench.template(name):
        yield


@fault("CONF-15", "another environment names this one's bucket as its own")
def shared_bucket(bench: Bench) -> Iterator[None]:
    client, other = bench.client("cloudformation"), "pixel-prompt-dev"
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"S3BucketName": {"Value": bench.physical("ImagesBucket")}},
    }
    client.create_stack(StackName=other, TemplateBody=json.dumps(template))
    client.get_waiter("stack_create_complete").wait(StackName=other, WaiterConfig={"Delay": 1})
    try:
        yield
    finally:
        client.delete_stack(StackName=other)
        client.get_waiter("stack_delete_complete").wait(StackName=other, WaiterConfig={"Delay": 1})

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.catalogue.verified import expected, template, unnamed, verified
from tests.embedded.conftest import Running, cloud
from tests.embedded.stacks import Stack

__all__ = ["cloud"]
pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("catalogue-stack")]
AREA = "stack"


class Tagged(Stack):
    """A stack with a tag."""

    def _request(self, template: dict[str, Any] | str) -> dict[str, Any]:
        return {**super()._request(template), "Tags": [{"Key": "Project", "Value": "shop"}]}


@contextmanager
def deployed(cloud: Running, body: str) -> Iterator[Tagged]:
    stack = Tagged(cloud, body)
    yield stack
    stack.delete()
    stack.close()


@contextmanager
def quotas(cloud: Running, **limits: float) -> Iterator[None]:
    """The account may have no more than that."""
    address = f"{cloud.state.control}/account"
    trust = {"verify": cloud.state.ca_bundle, "timeout": 10}
    requests.post(address, json={"quotas": limits}, **trust).raise_for_status()
    yield
    requests.post(address, json={"quotas": {}}, **trust).raise_for_status()


def test_nothing_is_found_where_nothing_is_wrong(cloud: Running, tmp_path: Path) -> None:
    body = template(AREA, "good")
    with deployed(cloud, body) as stack:
        found = verified(cloud, stack.name, AREA, tmp_path, body)

    odd = {id_: one for id_, one in found.items() if one.outcome != "pass"}
    assert odd.pop("STACK-03").outcome == "not-applicable"
    assert odd == {}


def test_each_defect_is_named_by_its_item(cloud: Running, tmp_path: Path) -> None:
    body, names = template(AREA, "bad"), dict(expected(AREA))
    with deployed(cloud, body) as stack, quotas(cloud, **{"dynamodb/L-F98FE922": 1}):
        by_hand(stack)
        in_folder = body.replace("VisibilityTimeout: 60", "VisibilityTimeout: 90")
        found = verified(cloud, stack.name, AREA, tmp_path, in_folder)
        relied_on = verified(cloud, stack.name, AREA, tmp_path, body, production=True)

    holding = {"STACK-03": names.pop("STACK-03")}
    assert found["STACK-03"].outcome == "not-applicable"
    assert unnamed(relied_on, holding) == {}
    assert unnamed(found, names) == {}


def test_stack_that_was_rolled_back_is_not_complete(cloud: Running, tmp_path: Path) -> None:
    body = template(AREA, "good")
    with deployed(cloud, body) as stack:
        refused = "\n  Mapping:\n    Type: AWS::Lambda::EventSourceMapping\n    Properties: {FunctionName: gone}\n\nOutputs:"
        broken = body.replace("\nOutputs:", refused)
        assert stack.update(broken) == "UPDATE_ROLLBACK_COMPLETE"
        found = verified(cloud, stack.name, AREA, tmp_path, body)

    assert found["STACK-01"].outcome == "fail"


def by_hand(stack: Stack) -> None:
    """Change a queue's time-out, take the stack's tag from it, and let another account invoke the function."""
    sqs, url = stack.cloud.client("sqs"), stack.id_of("Queue")
    stack.cloud.client("lambda").add_permission(
        FunctionName=stack.id_of("Function"),
        StatementId="by-hand",
        Action="lambda:InvokeFunction",
        Principal="444455556666",
    )
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "77"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["Project"])

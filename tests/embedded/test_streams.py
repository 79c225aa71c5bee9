"""A function reads a DynamoDB stream as its role may, and a record that always fails does not stop it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.conftest import Running, unique
from tests.embedded.test_events import make_queue, received

pytestmark = pytest.mark.embedded

PATIENCE_SECONDS = 15.0
RAISES = "def handler(event, context):\n    if 'bad' in str(event): raise ValueError('bad')\n"
REPORTS = """
def handler(event, context):
    bad = [one for one in event["Records"] if "bad" in str(one)]
    return {"batchItemFailures": [{"itemIdentifier": one["dynamodb"]["SequenceNumber"]} for one in bad]}
"""


def may(*actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


@pytest.fixture
def table(cloud: Running) -> tuple[str, str]:
    """Name and stream of a new table."""
    name = unique("table")
    answer = cloud.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    return name, answer["TableDescription"]["LatestStreamArn"]


@pytest.mark.parametrize("source", [RAISES, REPORTS], ids=["raises", "reports"])
def test_a_record_that_always_fails_becomes_a_dead_letter(
    cloud: Running,
    table: tuple[str, str],
    make_role: Callable[..., str],
    make_function: Callable[..., str],
    source: str,
) -> None:
    dead = make_queue(cloud)
    function = make_function(source, Role=make_role(may("dynamodb:*", "sqs:SendMessage")))
    mapping = cloud.client("lambda").create_event_source_mapping(
        FunctionName=function,
        EventSourceArn=table[1],
        StartingPosition="TRIM_HORIZON",
        BatchSize=1,
        MaximumRetryAttempts=0,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": dead[1]}},
    )
    for key in ("bad", "good"):
        cloud.client("dynamodb").put_item(TableName=table[0], Item={"id": {"S": key}})

    found = received(cloud, dead[0])
    assert found is not None
    assert "RetryAttemptsExhausted" in found["Body"]
    end = time.monotonic() + PATIENCE_SECONDS
    while not _result(cloud, mapping["UUID"]).startswith("OK"):
        assert time.monotonic() < end, "the record behind it is not read"
        time.sleep(0.1)
    cloud.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])


def _result(cloud: Running, uuid: str) -> str:
    return str(cloud.client("lambda").get_event_source_mapping(UUID=uuid).get("LastProcessingResult", ""))


def test_a_role_that_may_not_read_the_stream_gets_no_mapping(
    cloud: Running, table: tuple[str, str], make_function: Callable[..., str]
) -> None:
    with pytest.raises(ClientError, match="Please ensure the role can perform"):
        cloud.client("lambda").create_event_source_mapping(
            FunctionName=make_function(RAISES), EventSourceArn=table[1], StartingPosition="LATEST"
        )

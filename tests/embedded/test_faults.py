"""verification/embedded/server/faults.py"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest
import requests

from .conftest import Running, unique

CONTROL = "/_embedded/faults"


@pytest.fixture(scope="module")
def bucket(cloud: Running) -> str:
    name = unique("refusing")
    cloud.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def control(cloud: Running) -> Iterator[Any]:
    """Asks the control, and takes every fault away in the end."""

    def ask(method: str, body: object = None) -> requests.Response:
        url = cloud.state.endpoint + CONTROL
        return requests.request(method, url, data=json.dumps(body), verify=cloud.state.ca_bundle, timeout=5)

    yield ask
    ask("DELETE")


def put(cloud: Running, bucket: str, key: str) -> None:
    """One attempt to store an object; nobody waits long for an answer."""
    cloud.client("s3", read_timeout=1).put_object(Bucket=bucket, Key=key, Body=b"x")


def test_each_objects_first_attempts_meet_the_faults_in_turn(cloud, bucket, control):
    control("POST", {"s3:PutObject": ["slow_down", "reset", "timeout"]})

    with pytest.raises(botocore.exceptions.ClientError, match="SlowDown"):
        put(cloud, bucket, "images/a")
    with pytest.raises(botocore.exceptions.ClientError, match="SlowDown"):
        put(cloud, bucket, "images/b")
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        put(cloud, bucket, "images/a")
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        put(cloud, bucket, "images/a")
    put(cloud, bucket, "images/a")

    assert control("GET").json()["met"] == {"slow_down": 2, "reset": 1, "timeout": 1}
    listed = cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert [entry["Key"] for entry in listed] == ["images/a"]


def test_what_stores_no_object_meets_no_fault(cloud, bucket, control):
    control("POST", {"s3:PutObject": ["slow_down"]})

    cloud.client("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    cloud.client("sqs").create_queue(QueueName=unique("calm"))

    assert control("GET").json()["met"] == {}


def test_faults_are_forgotten(cloud, bucket, control):
    control("POST", {"s3:PutObject": ["slow_down"]})
    control("DELETE")

    put(cloud, bucket, "images/c")


@pytest.mark.parametrize("body", [{}, {"s3:PutObject": ["flood"]}, {"s3:PutObject": 1}, [], None])
def test_what_cannot_be_injected_is_refused(control, body):
    assert control("POST", body).status_code == 400


def test_other_methods_are_refused(control):
    assert control("PATCH").status_code == 405

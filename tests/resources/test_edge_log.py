"""readiness/aws/edge_log.py"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import pytest

from readiness.aws.bucket import Bucket
from readiness.aws.edge_log import EdgeLog

DAY = timedelta(hours=24)
HEADING = "#Version: 1.0\n#Fields: date time c-ip\n"


@pytest.fixture
def deliver(env, unique):
    """Has CloudFront deliver a file about an hour so long ago."""
    bucket = env.client("s3")
    bucket.create_bucket(Bucket=unique)

    def put(hours_ago, text, part="a"):
        hour = f"{datetime.now(UTC) - timedelta(hours=hours_ago):%Y-%m-%d-%H}"
        body = gzip.compress((HEADING + text).encode())
        bucket.put_object(Bucket=unique, Key=f"cdn/E1.{hour}.{part}.gz", Body=body)
        return EdgeLog(Bucket(env, unique), "cdn/", "E1")

    return put


def test_the_newest_lines_are_read(deliver):
    deliver(3, "old\n")
    log = deliver(1, "new\n")

    assert log.wait_for_delivery(DAY, timedelta()) == ["new"]


def test_a_file_of_a_heading_alone_hides_no_lines(deliver):
    deliver(3, "a request\n")
    log = deliver(1, "")

    assert log.wait_for_delivery(DAY, timedelta()) == ["a request"]


def test_what_is_older_does_not_count(deliver):
    log = deliver(30, "a request\n")

    assert log.wait_for_delivery(DAY, timedelta()) == []

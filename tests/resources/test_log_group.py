"""readiness/aws/log_group.py"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from readiness.aws.log_group import LogEvent, LogGroup
from readiness.errors import Missing


@pytest.fixture
def logs(env):
    return env.client("logs")


def test_retention_is_read(env, logs, unique):
    logs.create_log_group(logGroupName=unique)
    logs.put_retention_policy(logGroupName=unique, retentionInDays=30)

    assert LogGroup(env, unique).retention == timedelta(days=30)


def test_a_log_group_without_retention_keeps_its_events_for_ever(env, logs, unique):
    logs.create_log_group(logGroupName=unique)

    assert LogGroup(env, unique).retention is None


def test_another_log_group_that_begins_alike_is_not_taken_for_it(env, logs, unique):
    logs.create_log_group(logGroupName=f"{unique}-other")

    with pytest.raises(Missing, match=f"log group '{unique}' does not exist; declare it"):
        _ = LogGroup(env, unique).retention


def test_policies_about_a_log_group_are_read(env, logs, unique):
    name = f"/{unique}/one"
    logs.create_log_group(logGroupName=name)
    arn = LogGroup(env, name).description["arn"]
    assert LogGroup(env, name).policy_statements == []

    about = {"Effect": "Allow", "Principal": "*", "Action": "logs:*", "Resource": arn}
    of_others = {**about, "Resource": arn.replace("/one", "/other")}
    of_all = {**about, "NotResource": of_others["Resource"]}
    del of_all["Resource"]
    policy = {"Version": "2012-10-17", "Statement": [about, of_others, of_all]}
    logs.put_resource_policy(policyName=unique, policyDocument=json.dumps(policy))
    try:
        found = LogGroup(env, name).policy_statements
        # moto takes no notice of the scope that is asked for.
        assert [one for number, one in enumerate(found) if one not in found[:number]] == [about, of_all]
    finally:
        logs.delete_resource_policy(policyName=unique)


def test_a_log_group_that_does_not_exist_is_missing(env):
    with pytest.raises(Missing, match="log group 'never-made' does not exist"):
        _ = LogGroup(env, "never-made").description


def test_a_log_group_is_found_on_a_later_page(env, logs, unique):
    for number in range(60):
        logs.create_log_group(logGroupName=f"{unique}-{number:02}")
    logs.create_log_group(logGroupName=f"{unique}-~last")

    assert LogGroup(env, f"{unique}-~last").retention is None


@pytest.fixture
def written(env, logs, unique):
    def write(*messages):
        now = int(datetime.now(UTC).timestamp() * 1000)
        events = [{"timestamp": now + number, "message": text} for number, text in enumerate(messages)]
        logs.put_log_events(logGroupName=unique, logStreamName="one", logEvents=events)
        return LogGroup(env, unique)

    logs.create_log_group(logGroupName=unique)
    logs.create_log_stream(logGroupName=unique, logStreamName="one")
    return write


def test_events_are_read_in_their_order_and_structured_ones_have_fields(written):
    group = written(json.dumps({"event": "started"}), "END", "[1]")

    events = list(group.events(datetime.now(UTC) - timedelta(minutes=1)))

    assert [event.message for event in events] == ['{"event": "started"}', "END", "[1]"]
    assert [event.fields for event in events] == [{"event": "started"}, {}, {}]


def test_a_term_chooses_events(written):
    group = written("about verify-1", "about verify-2")

    (event,) = group.wait_for("verify-2", datetime.now(UTC))

    assert event.message == "about verify-2"


def test_waiting_ends_at_the_deadline_with_what_is_there(written):
    group = written("about verify-1")

    found = group.wait_for(
        "verify-1", datetime.now(UTC), lambda events: len(events) > 1, deadline=timedelta(seconds=0.3)
    )

    assert [event.message for event in found] == ["about verify-1"]
    assert list(group.wait_for("verify-9", datetime.now(UTC), deadline=timedelta(0))) == []


def line(text):
    return LogEvent(datetime.now(UTC), text)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ('{"requestId":"id-1=","sourceIp":"203.0.113.7","status":"200"}', ["203.0.113.7"]),
        ('{"status":200,"sourceIp":"2001:db8::7","requestId":"id-1="}', ["2001:db8::7"]),
        ('{"requestId":"id-1=","from":"::ffff:203.0.113.7"}', ["203.0.113.7"]),
        ('{"requestId":"id-1=","identity":{"sourceIp":"203.0.113.7:4711"}}', ["203.0.113.7"]),
        ('{"requestId":"id-1=","for":"203.0.113.7, 198.51.100.1"}', ["203.0.113.7", "198.51.100.1"]),
        ('203.0.113.7 - - [28/Nov/2026:13:55:36 +0000] "GET /health HTTP/1.1" 200 59 id-1=', ["203.0.113.7"]),
        ('id-1=,"[2001:db8::7]:443",28/Nov/2026:13:55:36 +0000,200', ["2001:db8::7"]),
        ("request=id-1= ip=203.0.113.7 status=200", ["203.0.113.7"]),
        ('<request id="id-1="><ip>203.0.113.7</ip></request>', ["203.0.113.7"]),
        ('{"requestId":"id-1=","userAgent":"Browser/120.0.0.0"}', []),
        ('{"requestId":"id-1=","sourceIp":"-","status":"200","latency":7}', []),
        ('{"requestId":"id-1=","sourceIp":"0.0.0.0"}', []),
        ('- - - [28/Nov/2026:13:55:36 +0000] "GET /health HTTP/1.1" 200 59 id-1=', []),
        ("", []),
    ],
)
def test_a_line_of_any_format_tells_who_asked(text, addresses):
    assert line(text).addresses == addresses


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ('{"requestId":"id-1="}', True),
        ('{"error":"after id-1=","requestId":"id-2="}', False),
        ('{"requestId":"x-id-1="}', False),
        ("203.0.113.7 - 200 id-1=", True),
        ('<request id="id-1="/>', True),
        ("request=id-1= status=200", True),
        ("203.0.113.7 - 200 x-id-1=", False),
    ],
)
def test_a_line_of_another_request_is_distinguished(text, own):
    assert line(text).mentions("id-1=") is own

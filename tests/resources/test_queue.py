"""readiness/aws/queue.py"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from readiness.aws.queue import Message, Queue
from readiness.errors import Missing


@pytest.fixture
def create(env, unique):
    def create(**attributes):
        url = env.client("sqs").create_queue(QueueName=unique, Attributes=attributes)["QueueUrl"]
        return Queue(env, url)

    return create


def test_what_is_configured_is_read(create, unique):
    queue = create(VisibilityTimeout="5400")

    assert queue.arn == f"arn:aws:sqs:us-east-1:123456789012:{unique}"
    assert queue.visibility_timeout == timedelta(minutes=90)


def test_a_queue_without_redrive_keeps_failed_messages(create):
    assert create().redrive_policy == {}


def test_a_redrive_policy_is_read(env, create):
    dead = env.client("sqs").create_queue(QueueName="dead-letters")["QueueUrl"]
    policy = {"deadLetterTargetArn": Queue(env, dead).arn, "maxReceiveCount": 3}

    assert create(RedrivePolicy=json.dumps(policy)).redrive_policy == policy


@pytest.mark.parametrize(
    ("attributes", "encrypted"),
    [
        ({"SqsManagedSseEnabled": "true"}, True),
        ({"KmsMasterKeyId": "alias/aws/sqs"}, True),
        ({"SqsManagedSseEnabled": "false", "KmsMasterKeyId": "alias/own"}, True),
        ({"SqsManagedSseEnabled": "false"}, False),
        ({"KmsMasterKeyId": ""}, False),
        ({}, False),
    ],
)
def test_a_queue_is_encrypted_by_either_kind_of_key(env, attributes, encrypted):
    queue = Queue(env, "https://sqs/123456789012/q")
    vars(queue).update(attributes=attributes)

    assert queue.encrypted is encrypted


def test_a_queue_that_does_not_exist_is_missing(env):
    with pytest.raises(Missing, match=r"sqs:GetQueueAttributes: .*(NonExistentQueue|QueueDoesNotExist)"):
        _ = Queue(env, f"{env.endpoint_url}/123456789012/never-made").arn


def test_a_message_is_sent_as_json_and_named(create, env):
    queue = create()

    message = queue.send({"jobId": "j1"})

    (received,) = env.client("sqs").receive_message(QueueUrl=queue.url)["Messages"]
    assert (received["MessageId"], json.loads(received["Body"])) == (message, {"jobId": "j1"})


def bodies(env, queue):
    """What somebody else who reads the queue finds."""
    answer = env.client("sqs").receive_message(
        QueueUrl=queue.url, MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return sorted(message["Body"] for message in answer.get("Messages", []))


def test_one_message_is_taken_and_the_others_are_left(create, env):
    queue = create()
    mine = [queue.send({"n": n}) for n in range(4)][2]

    taken = queue.take(lambda message: message.id == mine, timedelta(seconds=5))

    assert (taken.id, taken.content) == (mine, {"n": 2})
    assert bodies(env, queue) == ['{"n": 0}', '{"n": 1}', '{"n": 3}']


def test_a_message_that_does_not_come_is_none_and_the_others_are_left(create, env):
    queue = create()
    queue.send({"n": 1})

    assert queue.take(lambda message: False, timedelta(0)) is None
    assert bodies(env, queue) == ['{"n": 1}']


def test_what_earlier_drills_have_left_is_thrown_away(create, env):
    queue = create()
    for content in ({"left": 1}, {"n": 1}, {"left": 2}):
        queue.send(content)

    assert queue.take(lambda message: False, timedelta(0), lambda message: "left" in message.content) is None
    assert bodies(env, queue) == ['{"n": 1}']


def test_an_error_while_looking_leaves_every_message(create, env):
    queue = create()
    queue.send({"n": 1})

    with pytest.raises(ZeroDivisionError):
        queue.take(lambda message: bool(1 // 0), timedelta(seconds=5))

    assert bodies(env, queue) == ['{"n": 1}']


@pytest.mark.parametrize(("body", "content"), [('{"a": 1}', {"a": 1}), ("[1]", {}), ("{", {}), ("", {})])
def test_a_body_that_is_no_object_has_no_content(body, content):
    assert Message("m1", body).content == content


def test_a_queue_is_empty_when_nothing_waits_or_is_worked_on(env, create):
    queue = create()
    assert queue.stays_empty()

    queue.send({"job": 1})
    assert not queue.stays_empty()
    env.client("sqs").receive_message(QueueUrl=queue.url, VisibilityTimeout=60)
    assert not queue.stays_empty()


@pytest.mark.parametrize(
    ("principal", "let_in"),
    [
        ({"Service": "sns.amazonaws.com"}, True),
        ({"Service": ["sqs.amazonaws.com", "sns.amazonaws.com"]}, True),
        ({"Service": "s3.amazonaws.com"}, False),
        ({"AWS": "123456789012"}, False),
        ("*", True),
        ({"AWS": "*"}, True),
    ],
)
def test_a_policy_lets_a_service_in_by_name(env, principal, let_in):
    queue = Queue(env, "https://sqs/123456789012/q")
    policy = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage"}]}
    vars(queue).update(attributes={"Policy": json.dumps(policy)})

    assert queue.lets_in("sns.amazonaws.com") is let_in


def test_a_denial_allows_no_caller(env):
    queue = Queue(env, "https://sqs/123456789012/q")
    policy = {"Statement": [{"Effect": "Deny", "Principal": {"Service": "sns.amazonaws.com"}}]}
    vars(queue).update(attributes={"Policy": json.dumps(policy)})

    assert not queue.lets_in("sns.amazonaws.com")

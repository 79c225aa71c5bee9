"""verification/resources/topic.py"""

from __future__ import annotations

import pytest

from tests.probes.server import Reply
from verification.errors import Missing
from verification.resources.topic import Subscription, Topic


@pytest.fixture
def create(env, unique):
    def create(**attributes):
        return Topic(env, env.client("sns").create_topic(Name=unique, Attributes=attributes)["TopicArn"])

    return create


def test_a_bare_topic_has_neither_key_nor_subscription(create):
    topic = create()

    assert (topic.kms_key_id, topic.subscriptions) == ("", [])


def test_the_key_is_read(create):
    assert create(KmsMasterKeyId="alias/aws/sns").kms_key_id == "alias/aws/sns"


def test_a_subscription_is_read(create, env):
    topic = create()
    env.client("sns").subscribe(TopicArn=topic.arn, Protocol="email", Endpoint="ada@example.com")

    assert topic.subscriptions == [Subscription("email", confirmed=True)]


@pytest.mark.parametrize(
    ("arn", "confirmed"),
    [("arn:aws:sns:us-east-1:123456789012:t:1", True), ("PendingConfirmation", False)],
)
def test_a_subscription_that_nobody_confirmed_tells_nobody(scripted, stub, arn, confirmed):
    member = f"<member><SubscriptionArn>{arn}</SubscriptionArn><Protocol>email</Protocol></member>"
    body = (
        "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>"
        f"{member}</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"
    )
    stub.replies(Reply(200, body.encode(), {"Content-Type": "text/xml"}))

    assert Topic(scripted, "arn:aws:sns:us-east-1:1:t").subscriptions == [Subscription("email", confirmed)]


def test_a_subscription_that_was_deleted_is_none(scripted, stub):
    member = "<member><SubscriptionArn>Deleted</SubscriptionArn><Protocol>email</Protocol></member>"
    body = (
        "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>"
        f"{member}</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"
    )
    stub.replies(Reply(200, body.encode(), {"Content-Type": "text/xml"}))

    assert Topic(scripted, "arn:aws:sns:us-east-1:1:t").subscriptions == []


@pytest.mark.parametrize("fact", ["kms_key_id", "subscriptions"])
def test_a_topic_that_does_not_exist_is_missing(env, fact):
    with pytest.raises(Missing, match="NotFound"):
        getattr(Topic(env, "arn:aws:sns:us-east-1:123456789012:never-made"), fact)

"""readiness/aws/topic.py"""

from __future__ import annotations

import pytest

from readiness.aws.topic import Subscription, Topic
from readiness.errors import Missing
from tests.probes.server import Reply


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

    assert topic.subscriptions == [Subscription("email", confirmed=True, endpoint="ada@example.com")]


def listing(arn):
    return Reply(
        200,
        (
            "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>"
            f"<member><SubscriptionArn>{arn}</SubscriptionArn><Protocol>email</Protocol></member>"
            "</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"
        ).encode(),
        {"Content-Type": "text/xml"},
    )


def attributes(pending):
    return Reply(
        200,
        (
            "<GetSubscriptionAttributesResponse><GetSubscriptionAttributesResult><Attributes>"
            f"<entry><key>PendingConfirmation</key><value>{pending}</value></entry>"
            "</Attributes></GetSubscriptionAttributesResult></GetSubscriptionAttributesResponse>"
        ).encode(),
        {"Content-Type": "text/xml"},
    )


@pytest.mark.parametrize(
    ("replies", "confirmed"),
    [
        ([listing("PendingConfirmation")], False),
        ([listing("arn:aws:sns:us-east-1:123456789012:t:1"), attributes("true")], False),
        ([listing("arn:aws:sns:us-east-1:123456789012:t:1"), attributes("false")], True),
    ],
    ids=["a word in place of its ARN", "says so itself", "confirmed"],
)
def test_an_unconfirmed_subscription_notifies_no_recipient(scripted, stub, replies, confirmed):
    stub.replies(*replies)

    assert Topic(scripted, "arn:aws:sns:us-east-1:1:t").subscriptions == [Subscription("email", confirmed)]


def test_a_subscription_that_was_deleted_is_none(scripted, stub):
    stub.replies(listing("Deleted"))

    assert Topic(scripted, "arn:aws:sns:us-east-1:1:t").subscriptions == []


@pytest.mark.parametrize("fact", ["kms_key_id", "subscriptions"])
def test_a_topic_that_does_not_exist_is_missing(env, fact):
    with pytest.raises(Missing, match="NotFound"):
        getattr(Topic(env, "arn:aws:sns:us-east-1:123456789012:never-made"), fact)


@pytest.mark.parametrize(
    ("policy", "needed"),
    [
        ({}, False),
        ({"kind": ["bill"]}, True),
        ({"kind": [{"prefix": "b"}, "bill"]}, True),
        ({"kind": [{"exists": True}]}, True),
        ({"kind": [{"exists": False}]}, False),
        ({"kind": ["bill", {"exists": False}]}, False),
        ({"kind": [{"anything-but": ["bill"]}]}, False),
        ({"kind": [{"exists": False}], "shop": ["north"]}, True),
        ({"$or": [{"kind": ["bill"]}, {"shop": [{"exists": False}]}]}, False),
    ],
)
def test_a_filter_on_attributes_drops_messages_without_them(policy, needed):
    told = Subscription("email", confirmed=True, attribute_filter=policy)

    assert told.needs_attributes is needed


@pytest.mark.parametrize(("scope", "read"), [("MessageAttributes", {"kind": ["bill"]}), ("MessageBody", {})])
def test_the_filter_on_attributes_is_read(create, env, scope, read):
    topic = create()
    policy = {"FilterPolicy": '{"kind": ["bill"]}', "FilterPolicyScope": scope}
    env.client("sns").subscribe(
        TopicArn=topic.arn, Protocol="email", Endpoint="ada@example.com", Attributes=policy
    )

    assert [one.attribute_filter for one in topic.subscriptions] == [read]

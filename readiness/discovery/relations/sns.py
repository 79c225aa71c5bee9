"""Whom topics tell, and which keys encrypt them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (Relation.INVOKES, Relation.NOTIFIES, Relation.DEAD_LETTERS_TO, Relation.ENCRYPTS_WITH)
PENDING: Final = "PendingConfirmation"


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Subscriptions and key of each topic of the stack."""
    for topic in graph.of("AWS::SNS::Topic"):
        yield from attempt(str(topic), partial(_subscriptions, env, graph, topic))
        yield from attempt(str(topic), partial(_key, env, graph, topic))


def _subscriptions(env: Environment, graph: Graph, topic: Resource) -> Iterator[Found]:
    pages = (
        env.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic.physical_id)
    )
    for page in pages:
        for found in page["Subscriptions"]:
            subscriber = _subscriber(graph, found)
            relation = Relation.INVOKES if found["Protocol"] == "lambda" else Relation.NOTIFIES
            pending = ", pending" if PENDING in found["SubscriptionArn"] else ""
            yield Edge(topic, relation, subscriber, found["Protocol"] + pending)
            if subscriber.declared and not pending:
                yield from attempt(str(topic), partial(_redrive, env, graph, topic, found["SubscriptionArn"]))


def _subscriber(graph: Graph, found: Mapping[str, Any]) -> Resource:
    """A resource; without the address, which is a person's, where it is a mail's or a telephone's."""
    if found["Endpoint"].startswith("arn:"):
        return graph.at(found["Endpoint"])
    return Resource("AWS::SNS::Subscription", found["Protocol"], found["SubscriptionArn"], declared=False)


def _redrive(env: Environment, graph: Graph, topic: Resource, subscription: str) -> Iterator[Edge]:
    answer = env.client("sns").get_subscription_attributes(SubscriptionArn=subscription)
    policy = json.loads(answer["Attributes"].get("RedrivePolicy") or "{}")
    if target := policy.get("deadLetterTargetArn"):
        yield Edge(topic, Relation.DEAD_LETTERS_TO, graph.at(target), "subscription")


def _key(env: Environment, graph: Graph, topic: Resource) -> Iterator[Edge]:
    found = env.client("sns").get_topic_attributes(TopicArn=topic.physical_id)["Attributes"]
    if key := found.get("KmsMasterKeyId"):
        yield Edge(topic, Relation.ENCRYPTS_WITH, graph.at(key, "AWS::KMS::Key"))

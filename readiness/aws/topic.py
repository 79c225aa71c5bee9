"""AWS::SNS::Topic."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from readiness.aws.policy import statements_of
from readiness.environment import Environment

# Conditions of a filter policy that a missing attribute never satisfies.
# Source: SNS Developer Guide, "Subscription filter policies"; of the others this is not said there.
_PRESENT = {"prefix", "suffix", "numeric", "cidr", "equals-ignore-case", "wildcard"}


@dataclass(frozen=True)
class Subscription:
    """A subscription of an address or an ARN to a topic. `confirmed` is false until the subscriber has confirmed it.

    `attribute_filter` is its filter of a message's attributes, empty for no filter.
    """

    protocol: str
    confirmed: bool
    endpoint: str = field(default="", compare=False)
    attribute_filter: Mapping[str, Any] = field(default_factory=dict, compare=False)
    filters: bool = False

    @property
    def needs_attributes(self) -> bool:
        """Whether it drops every message without attributes, as those of CloudWatch's alarms are."""
        return any(all(map(_needs_value, wanted)) for wanted in self.attribute_filter.values())


@dataclass(frozen=True)
class Topic:
    """A live topic."""

    env: Environment = field(repr=False)
    arn: str

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        return dict(self.env.client("sns").get_topic_attributes(TopicArn=self.arn)["Attributes"])

    @property
    def kms_key_id(self) -> str:
        """The key that encrypts messages at rest, '' for none."""
        return self.attributes.get("KmsMasterKeyId", "")

    @property
    def policy_statements(self) -> Sequence[Mapping[str, Any]]:
        """Of the resource's own policy."""
        return statements_of(self.attributes.get("Policy"))

    @cached_property
    def subscriptions(self) -> Sequence[Subscription]:
        pages = (
            self.env.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self.arn)
        )
        return [
            self._subscription(entry)
            for page in pages
            for entry in page["Subscriptions"]
            if entry["SubscriptionArn"] != "Deleted"  # listed for some days more
        ]

    def _subscription(self, entry: Mapping[str, Any]) -> Subscription:
        arn, protocol, endpoint = entry["SubscriptionArn"], entry["Protocol"], entry.get("Endpoint", "")
        # A pending subscription is listed with a word in place of its ARN, or says so itself.
        if not arn.startswith("arn:"):
            return Subscription(protocol, confirmed=False, endpoint=endpoint)
        attributes = self.env.client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        by_body = attributes.get("FilterPolicyScope") == "MessageBody"
        policy = json.loads(attributes.get("FilterPolicy") or "{}")
        confirmed = attributes.get("PendingConfirmation") != "true"
        return Subscription(protocol, confirmed, endpoint, {} if by_body else policy, filters=bool(policy))


def _needs_value(condition: Any) -> bool:
    """Whether a condition of a filter policy asks for an attribute that is there; False in doubt."""
    if isinstance(condition, Mapping):
        return set(condition) <= _PRESENT or condition.get("exists") is True
    return True

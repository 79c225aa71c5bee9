"""AWS::SNS::Topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from readiness.aws.policy import statements_of
from readiness.environment import Environment


@dataclass(frozen=True)
class Subscription:
    """Somebody who is told, at an address or an ARN; `confirmed` is false until they have agreed."""

    protocol: str
    confirmed: bool
    endpoint: str = field(default="", compare=False)


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
            Subscription(
                entry["Protocol"], self._confirmed(entry["SubscriptionArn"]), entry.get("Endpoint", "")
            )
            for page in pages
            for entry in page["Subscriptions"]
            if entry["SubscriptionArn"] != "Deleted"  # listed for some days more
        ]

    def _confirmed(self, arn: str) -> bool:
        """A pending subscription is listed with a word in place of its ARN, or says so itself."""
        if not arn.startswith("arn:"):
            return False
        answer = self.env.client("sns").get_subscription_attributes(SubscriptionArn=arn)
        return bool(answer["Attributes"].get("PendingConfirmation") != "true")

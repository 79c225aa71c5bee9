"""SNS: topics, their policies and subscriptions."""

from __future__ import annotations

from typing import Any

from readiness.discovery.comparison import document
from verification.embedded.fidelity.live import Live, Type, all_equal, members, tag_list


def _topic(live: Live) -> Any:
    return live.ask("sns", "get_topic_attributes", TopicArn=live.id).get("Attributes") or {}


def _topic_policies(live: Live) -> list[Any]:
    answers = [
        live.ask("sns", "get_topic_attributes", TopicArn=one) for one in live.declared.get("Topics") or []
    ]
    return [document((one.get("Attributes") or {}).get("Policy")) for one in answers]


def _subscriptions(live: Live) -> list[dict[str, Any]]:
    found = live.ask("sns", "list_subscriptions_by_topic", TopicArn=live.id).get("Subscriptions", [])
    return [{"Protocol": one["Protocol"], "Endpoint": one["Endpoint"]} for one in found]


def _subscription(live: Live) -> Any:
    topic = live.declared.get("TopicArn")
    listed = live.ask("sns", "list_subscriptions_by_topic", TopicArn=topic).get("Subscriptions", [])
    wanted = (live.declared.get("Protocol"), live.declared.get("Endpoint"))
    found: dict[str, Any] = next((one for one in listed if (one["Protocol"], one["Endpoint"]) == wanted), {})
    attributes: dict[str, Any] = {}
    if str(found.get("SubscriptionArn", "")).startswith("arn:"):
        answer = live.ask("sns", "get_subscription_attributes", SubscriptionArn=found["SubscriptionArn"])
        attributes = answer.get("Attributes") or {}
    return {**attributes, **found}


TYPES: dict[str, Type] = {
    "AWS::SNS::Topic": Type(
        {
            **members(_topic, "DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication"),
            **members(_topic, "SignatureVersion", "TracingConfig", "ArchivePolicy", "DataProtectionPolicy"),
            "TopicName": lambda live: live.id.rpartition(":")[2],
            "Subscription": _subscriptions,
            "Tags": lambda live: tag_list(
                live.ask("sns", "list_tags_for_resource", ResourceArn=live.id).get("Tags")
            ),
        },
        {
            "TopicArn": lambda live: live.id,
            "TopicName": lambda live: live.id.rpartition(":")[2],
        },
    ),
    "AWS::SNS::TopicPolicy": Type(
        {
            "Topics": lambda live: live.declared["Topics"] if all(_topic_policies(live)) else None,
            "PolicyDocument": lambda live: all_equal(_topic_policies(live)),
        }
    ),
    "AWS::SNS::Subscription": Type(
        members(
            _subscription,
            "TopicArn",
            "Protocol",
            "Endpoint",
            "FilterPolicy",
            "FilterPolicyScope",
            "RawMessageDelivery",
            "RedrivePolicy",
            "DeliveryPolicy",
        )
    ),
}

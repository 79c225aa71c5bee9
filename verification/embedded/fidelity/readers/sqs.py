"""SQS: queues and their policies."""

from __future__ import annotations

from typing import Any

from readiness.discovery.comparison import document
from verification.embedded.fidelity.live import Live, Type, all_equal, member, members, tag_list


def _queue(live: Live) -> Any:
    return (
        live.ask("sqs", "get_queue_attributes", QueueUrl=live.id, AttributeNames=["All"]).get("Attributes")
        or {}
    )


def _queue_policies(live: Live) -> list[Any]:
    queues = live.declared.get("Queues") or []
    answers = [
        live.ask("sqs", "get_queue_attributes", QueueUrl=one, AttributeNames=["All"]) for one in queues
    ]
    return [document((one.get("Attributes") or {}).get("Policy")) for one in answers]


TYPES: dict[str, Type] = {
    "AWS::SQS::Queue": Type(
        {
            **members(
                _queue, "VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "MaximumMessageSize"
            ),
            **members(
                _queue, "RedrivePolicy", "RedriveAllowPolicy", "SqsManagedSseEnabled", "KmsMasterKeyId"
            ),
            **members(_queue, "KmsDataKeyReusePeriodSeconds", "FifoQueue", "ContentBasedDeduplication"),
            **members(_queue, "ReceiveMessageWaitTimeSeconds", "DeduplicationScope", "FifoThroughputLimit"),
            "QueueName": lambda live: str(_queue(live).get("QueueArn", "")).rpartition(":")[2],
            "Tags": lambda live: tag_list(live.ask("sqs", "list_queue_tags", QueueUrl=live.id).get("Tags")),
        },
        {
            "Arn": member(_queue, "QueueArn"),
            "QueueName": lambda live: str(_queue(live).get("QueueArn", "")).rpartition(":")[2],
            "QueueUrl": lambda live: live.id,
        },
    ),
    "AWS::SQS::QueuePolicy": Type(
        {
            "Queues": lambda live: live.declared["Queues"] if all(_queue_policies(live)) else None,
            "PolicyDocument": lambda live: all_equal(_queue_policies(live)),
        }
    ),
}

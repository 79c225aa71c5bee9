"""AWS::SQS::Queue."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, cast

from readiness.aws.policy import read, statements_of
from readiness.environment import Environment
from readiness.progress import waiting

_MOST_AT_ONCE = 10  # by SQS's own limit
_LONG_POLL_SECONDS = 2
DISABLED = ("Disabled", "Disabling")
"""States of an event source mapping that reads nothing."""
_LOOKS = 3  # at a count that is approximate


@dataclass(frozen=True)
class Message:
    """One message that waits in a queue."""

    id: str
    body: str = field(repr=False)

    @property
    def content(self) -> Mapping[str, Any]:
        """The body as a JSON object, empty when it is none."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


@dataclass(frozen=True)
class Queue:
    """A live queue, named by its URL."""

    env: Environment = field(repr=False)
    url: str

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        answer = self.env.client("sqs").get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        return cast("Mapping[str, str]", answer["Attributes"])

    def send(self, content: Mapping[str, Any]) -> str:
        """Put one JSON message into the queue; its message id."""
        answer = self.env.client("sqs").send_message(QueueUrl=self.url, MessageBody=json.dumps(content))
        return str(answer["MessageId"])

    @waiting("a message in a queue")
    def take(
        self,
        wanted: Callable[[Message], bool],
        deadline: timedelta,
        left_over: Callable[[Message], bool] = lambda _: False,
    ) -> Message | None:
        """Wait for one message and delete it from the queue. Return None when it does not arrive.

        Other readers of the queue do not get its other messages while this waits, at most until the deadline.

        Args:
            wanted: selects the message.
            deadline: how long to wait for it.
            left_over: selects messages that earlier drills have left. They are deleted when they are received.
        """
        client = self.env.client("sqs")
        hidden: list[str] = []
        until = time.monotonic() + deadline.total_seconds()
        try:
            while True:
                answer = client.receive_message(
                    QueueUrl=self.url,
                    MaxNumberOfMessages=_MOST_AT_ONCE,
                    WaitTimeSeconds=_LONG_POLL_SECONDS,
                    VisibilityTimeout=int(deadline.total_seconds()) + _LONG_POLL_SECONDS,
                )
                received = {
                    entry["ReceiptHandle"]: Message(entry["MessageId"], entry["Body"])
                    for entry in answer.get("Messages", [])
                }
                hidden += received
                for handle, message in received.items():
                    if not (found := wanted(message)) and not left_over(message):
                        continue
                    hidden.remove(handle)
                    client.delete_message(QueueUrl=self.url, ReceiptHandle=handle)
                    if found:
                        return message
                if time.monotonic() > until:
                    return None
        finally:
            for handle in hidden:
                client.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=0)

    def stays_empty(self) -> bool:
        """Whether no message waits or is worked on, however often that is asked: SQS counts approximately."""
        for _ in range(_LOOKS):
            answer = self.env.client("sqs").get_queue_attributes(
                QueueUrl=self.url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )
            if any(int(count) for count in answer["Attributes"].values()):
                return False
            time.sleep(1)
        return True

    def lets_in(self, service: str) -> bool:
        """Return whether the queue's policy allows any action to an AWS service or to any caller."""
        return any(
            statement.allows and {("Service", service), ("AWS", "*")} & {*statement.principals}
            for statement in read(self.policy_statements)
        )

    @property
    def arn(self) -> str:
        return self.attributes["QueueArn"]

    @property
    def kms_key_id(self) -> str:
        """The key that encrypts messages at rest, '' for none or for SQS's own."""
        return self.attributes.get("KmsMasterKeyId", "")

    @property
    def encrypted(self) -> bool:
        return self.attributes.get("SqsManagedSseEnabled") == "true" or bool(self.kms_key_id)

    @property
    def delay(self) -> timedelta:
        """How long a new message waits before it can be received."""
        return timedelta(seconds=int(self.attributes.get("DelaySeconds", 0)))

    @property
    def visibility_timeout(self) -> timedelta:
        return timedelta(seconds=int(self.attributes["VisibilityTimeout"]))

    @property
    def retention(self) -> timedelta:
        """How long the queue keeps a message that no consumer deletes."""
        return timedelta(seconds=int(self.attributes["MessageRetentionPeriod"]))

    @property
    def policy_statements(self) -> Sequence[Mapping[str, Any]]:
        """Of the resource's own policy."""
        return statements_of(self.attributes.get("Policy"))

    @property
    def redrive_policy(self) -> Mapping[str, Any]:
        """`deadLetterTargetArn` and `maxReceiveCount`; empty where failed messages stay in the queue until they expire."""
        return dict(json.loads(self.attributes.get("RedrivePolicy", "{}")))

    @property
    def is_fifo(self) -> bool:
        """Whether messages keep their order; then a dead letter's age counts from when it was put aside."""
        return self.attributes.get("FifoQueue") == "true"

    @cached_property
    def readers(self) -> Sequence[str]:
        """The functions that an event source mapping feeds from the queue, by name; one that is disabled feeds nothing."""
        pages = self.env.client("lambda").get_paginator("list_event_source_mappings")
        return [
            mapping["FunctionArn"].split(":")[6]
            for page in pages.paginate(EventSourceArn=self.arn)
            for mapping in page["EventSourceMappings"]
            if mapping.get("State") not in DISABLED
        ]

"""AWS::SQS::Queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from verification.environment import Environment


@dataclass(frozen=True)
class Queue:
    """A live queue, named by its URL."""

    env: Environment = field(repr=False)
    url: str

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        answer = self.env.client("sqs").get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        return dict(answer["Attributes"])

    def send(self, content: Mapping[str, Any]) -> str:
        """Put one JSON message into the queue; its message id."""
        answer = self.env.client("sqs").send_message(QueueUrl=self.url, MessageBody=json.dumps(content))
        return str(answer["MessageId"])

    @property
    def arn(self) -> str:
        return self.attributes["QueueArn"]

    @property
    def encrypted(self) -> bool:
        return self.attributes.get("SqsManagedSseEnabled") == "true" or bool(
            self.attributes.get("KmsMasterKeyId")
        )

    @property
    def visibility_timeout(self) -> timedelta:
        return timedelta(seconds=int(self.attributes["VisibilityTimeout"]))

    @property
    def redrive_policy(self) -> Mapping[str, Any]:
        """`deadLetterTargetArn` and `maxReceiveCount`, empty when failed messages are kept for ever."""
        return dict(json.loads(self.attributes.get("RedrivePolicy", "{}")))

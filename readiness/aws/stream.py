"""AWS::Kinesis::Stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from readiness.environment import Environment


@dataclass(frozen=True)
class Stream:
    """A live stream of records."""

    env: Environment = field(repr=False)
    name: str

    @cached_property
    def description(self) -> Mapping[str, Any]:
        answer = self.env.client("kinesis").describe_stream_summary(StreamName=self.name)
        return dict(answer["StreamDescriptionSummary"])

    @property
    def retention(self) -> timedelta:
        """How long it keeps a record."""
        return timedelta(hours=int(self.description["RetentionPeriodHours"]))

    @property
    def encryption(self) -> str:
        """`KMS` or `NONE`."""
        return str(self.description.get("EncryptionType", "NONE"))

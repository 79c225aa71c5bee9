"""AWS::Logs::LogGroup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from verification.environment import Environment
from verification.errors import Missing


@dataclass(frozen=True)
class LogGroup:
    """A live log group."""

    env: Environment = field(repr=False)
    name: str

    @cached_property
    def description(self) -> Mapping[str, Any]:
        pages = (
            self.env.client("logs")
            .get_paginator("describe_log_groups")
            .paginate(logGroupNamePrefix=self.name)
        )
        for page in pages:
            for group in page["logGroups"]:
                if group["logGroupName"] == self.name:
                    return dict(group)
        raise Missing(f"log group '{self.name}' does not exist; declare it in backend/template.yaml")

    @property
    def retention(self) -> timedelta | None:
        """How long events are kept, None for ever."""
        days = self.description.get("retentionInDays")
        return timedelta(days=days) if days else None

"""AWS::DynamoDB::Table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from verification.environment import Environment


@dataclass(frozen=True)
class Table:
    """A live table."""

    env: Environment = field(repr=False)
    name: str

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self.env.client("dynamodb").describe_table(TableName=self.name)["Table"])

    @property
    def billing_mode(self) -> str:
        return str(self.description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"))

    @property
    def encryption_status(self) -> str:
        """ENABLED for a KMS key; '' means DynamoDB's own key, which the account cannot see or revoke."""
        return str(self.description.get("SSEDescription", {}).get("Status", ""))

    @cached_property
    def time_to_live(self) -> Mapping[str, str]:
        """`TimeToLiveStatus` and, when on, `AttributeName`."""
        return dict(
            self.env.client("dynamodb").describe_time_to_live(TableName=self.name)["TimeToLiveDescription"]
        )

    @cached_property
    def point_in_time_recovery(self) -> str:
        answer = self.env.client("dynamodb").describe_continuous_backups(TableName=self.name)
        description = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        return str(description["PointInTimeRecoveryStatus"])

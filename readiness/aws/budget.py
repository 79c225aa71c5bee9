"""AWS::Budgets::Budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from readiness.environment import Environment

# Source: AWS Budgets API Reference, CostTypes.
_COSTS = tuple(
    f"Include{kind}"
    for kind in ("Tax", "Subscription", "Upfront", "Recurring", "OtherSubscription", "Support")
)


@dataclass(frozen=True)
class Notification:
    """A threshold of a budget, and the subscribers that AWS notifies."""

    of: str  # ACTUAL or FORECASTED
    percent: float | None  # of the limit; None for an absolute amount
    subscribers: Sequence[str]


@dataclass(frozen=True)
class Budget:
    """A live budget."""

    env: Environment = field(repr=False)
    name: str

    @cached_property
    def _which(self) -> Mapping[str, Any]:
        return {"AccountId": self.env.account_id, "BudgetName": self.name}

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self.env.client("budgets").describe_budget(**self._which)["Budget"])

    @property
    def monthly_usd(self) -> float | None:
        """The limit, None for a budget of something else than each month's cost in USD."""
        limit = self.description.get("BudgetLimit", {})
        kind = (self.description["BudgetType"], self.description["TimeUnit"], limit.get("Unit"))
        return float(limit["Amount"]) if kind == ("COST", "MONTHLY", "USD") else None

    @property
    def left_out(self) -> Sequence[str]:
        """What keeps it from counting all of the account's costs: its filters, and kinds of cost that it excludes.

        Credits, refunds and discounts lower the cost, so that without them the budget speaks sooner.
        """
        filters = {
            **self.description.get("CostFilters", {}),
            **(
                {"FilterExpression": self.description["FilterExpression"]}
                if self.description.get("FilterExpression")
                else {}
            ),
        }
        kinds = self.description.get("CostTypes", {})
        return [*filters, *(kind for kind in _COSTS if kinds.get(kind) is False)]

    @cached_property
    def notifications(self) -> Sequence[Notification]:
        """Those that speak above a threshold."""
        client = self.env.client("budgets")
        pages = client.get_paginator("describe_notifications_for_budget").paginate(**self._which)
        found = [one for page in pages for one in page.get("Notifications", [])]
        return [
            Notification(
                one["NotificationType"],
                float(one["Threshold"]) if one.get("ThresholdType", "PERCENTAGE") == "PERCENTAGE" else None,
                [
                    subscriber["Address"]
                    for subscriber in client.describe_subscribers_for_notification(
                        **self._which, Notification=_key(one)
                    )["Subscribers"]
                ],
            )
            for one in found
            if one["ComparisonOperator"] == "GREATER_THAN"
        ]


def _key(notification: Mapping[str, Any]) -> Any:
    """What names a notification, without its state."""
    return {name: value for name, value in notification.items() if name != "NotificationState"}

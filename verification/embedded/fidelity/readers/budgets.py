"""Budgets: budgets, their notifications and subscribers."""

from __future__ import annotations

from typing import Any

from verification.embedded.fidelity.live import Live, Type, tag_list


def _budget(live: Live) -> Any:
    account = live.aws.account_id
    return live.ask("budgets", "describe_budget", AccountId=account, BudgetName=live.id).get("Budget")


def _budget_tags(live: Live) -> Any:
    arn = f"arn:aws:budgets::{live.aws.account_id}:budget/{live.id}"
    return tag_list(live.ask("budgets", "list_tags_for_resource", ResourceARN=arn).get("ResourceTags"))


def _budget_notifications(live: Live) -> list[dict[str, Any]]:
    known = {"AccountId": live.aws.account_id, "BudgetName": live.id}
    found = live.ask("budgets", "describe_notifications_for_budget", **known).get("Notifications", [])
    made = []
    for notification in found:
        wanted = {key: value for key, value in notification.items() if key != "NotificationState"}
        answer = live.ask("budgets", "describe_subscribers_for_notification", **known, Notification=wanted)
        made.append({"Notification": notification, "Subscribers": answer.get("Subscribers", [])})
    return made


TYPES: dict[str, Type] = {
    "AWS::Budgets::Budget": Type(
        {
            "Budget": _budget,
            "NotificationsWithSubscribers": _budget_notifications,
            "ResourceTags": _budget_tags,
        }
    ),
}

"""Overlay: resource types that AWS knows and MiniStack's CloudFormation refuses, though it has their services."""

from __future__ import annotations

import json
from collections.abc import Callable

from ministack.services import budgets, cloudfront, cloudwatch, secretsmanager, waf

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Made, Properties

require(budgets, "_create_budget", "_delete_budget", "_budgets")
require(cloudwatch, "_composite_alarms", "_delete_alarms", "_put_composite_alarm", "_resource_tags")
require(cloudfront, "_distributions")
require(secretsmanager, "_resolve", "_rotate_secret")
require(waf, "_associate_web_acl", "_disassociate_web_acl")

BUDGET = "AWS::Budgets::Budget"
COMPOSITE_ALARM = "AWS::CloudWatch::CompositeAlarm"
MONITORING_SUBSCRIPTION = "AWS::CloudFront::MonitoringSubscription"
ROTATION_SCHEDULE = "AWS::SecretsManager::RotationSchedule"
WEB_ACL_ASSOCIATION = "AWS::WAFv2::WebACLAssociation"
LISTED_ALONE = {
    "AWS::ApplicationInsights::Application": "ResourceGroupName",
    "AWS::ResourceGroups::Group": "Name",
}
"""Types of services that are not here, with the property that is the physical id. A stack lists them; they do nothing, and no API
reads them. `sam init` writes both where a person asks for Application Insights."""


def install() -> None:
    """Lay the overlay over MiniStack."""
    hooks.register(BUDGET, create=create_budget, update=update_budget, delete=delete_budget)
    hooks.register(COMPOSITE_ALARM, create=create_alarm, update=update_alarm, delete=delete_alarm)
    hooks.register(
        MONITORING_SUBSCRIPTION,
        create=create_monitoring,
        update=lambda _id, _old, new, stack_name: create_monitoring("", new, stack_name),
        delete=delete_monitoring,
    )
    hooks.register(
        ROTATION_SCHEDULE,
        create=create_rotation,
        update=lambda _id, _old, new, stack_name: create_rotation("", new, stack_name),
        delete=delete_rotation,
    )
    hooks.register(WEB_ACL_ASSOCIATION, create=associate, update=reassociate, delete=disassociate)
    for kind, named_by in LISTED_ALONE.items():
        hooks.register(kind, create=listing(named_by), update=listing_again(named_by), delete=forget)


def create_budget(logical_id: str, properties: Properties, stack_name: str) -> Made:
    """Create the budget with its notifications and subscribers."""
    budget = dict(properties["Budget"])
    budget.setdefault("BudgetName", hooks.physical_name(stack_name, logical_id, longest=100))
    if budget.get("BudgetLimit"):
        budget["BudgetLimit"] = {**budget["BudgetLimit"], "Amount": str(budget["BudgetLimit"]["Amount"])}
    request = {
        "Budget": budget,
        "NotificationsWithSubscribers": [
            {
                "Notification": {
                    **entry["Notification"],
                    "Threshold": float(entry["Notification"]["Threshold"]),
                },
                "Subscribers": entry.get("Subscribers") or [],
            }
            for entry in properties.get("NotificationsWithSubscribers") or []
        ],
        "ResourceTags": properties.get("ResourceTags") or [],
    }
    hooks.accepted(budgets._create_budget(request), BUDGET)
    return budget["BudgetName"], {}


def update_budget(physical_id: str, _old: Properties, new: Properties, stack_name: str) -> Made:
    """Rewrite the budget under its name, or make the one of the new name."""
    named = {**new, "Budget": {"BudgetName": physical_id, **new["Budget"]}}
    if named["Budget"]["BudgetName"] == physical_id and physical_id in budgets._budgets:
        hooks.accepted(budgets._delete_budget({"BudgetName": physical_id}), BUDGET)
    return create_budget("", named, stack_name)


def delete_budget(physical_id: str, _properties: Properties) -> None:
    """Delete the budget; one that is gone already is no error."""
    if physical_id in budgets._budgets:
        hooks.accepted(budgets._delete_budget({"BudgetName": physical_id}), BUDGET)


def create_alarm(logical_id: str, properties: Properties, stack_name: str) -> Made:
    """Create the composite alarm."""
    name = properties.get("AlarmName") or hooks.physical_name(stack_name, logical_id, longest=255)
    return _put_alarm(name, properties)


def update_alarm(physical_id: str, _old: Properties, new: Properties, _stack_name: str) -> Made:
    """Rewrite the composite alarm in place, or make the one of the new name."""
    return _put_alarm(new.get("AlarmName") or physical_id, new)


def _put_alarm(name: str, properties: Properties) -> Made:
    request = {**properties, "AlarmName": name}
    request.pop("Tags", None)
    if "ActionsEnabled" in request:
        request["ActionsEnabled"] = hooks.as_bool(request["ActionsEnabled"])
    hooks.accepted(cloudwatch._put_composite_alarm({}, request, False, is_json=True), COMPOSITE_ALARM)
    alarm = cloudwatch._composite_alarms[name]
    for member in ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"):
        if member in properties:
            alarm[member] = properties[member]
    arn = alarm["AlarmArn"]
    cloudwatch._resource_tags[arn] = hooks.tag_map(properties.get("Tags"))
    return name, {"Arn": arn}


def delete_alarm(physical_id: str, _properties: Properties) -> None:
    """Delete the composite alarm; one that is gone already is no error."""
    request = {"AlarmNames": [physical_id]}
    hooks.accepted(cloudwatch._delete_alarms({}, request, False, is_json=True), COMPOSITE_ALARM)


def create_monitoring(_logical_id: str, properties: Properties, _stack_name: str) -> Made:
    """Switch a distribution's additional metrics on or off."""
    distribution_id = properties["DistributionId"]
    distribution = cloudfront._distributions.get(distribution_id)
    if distribution is None:
        raise ValueError(f"{MONITORING_SUBSCRIPTION}: distribution {distribution_id} does not exist")
    wanted = properties["MonitoringSubscription"]["RealtimeMetricsSubscriptionConfig"]
    distribution["MonitoringSubscription"] = {
        "RealtimeMetricsSubscriptionStatus": wanted["RealtimeMetricsSubscriptionStatus"]
    }
    return distribution_id, {}


def delete_monitoring(physical_id: str, properties: Properties) -> None:
    """Switch a distribution's additional metrics off."""
    distribution = cloudfront._distributions.get(properties.get("DistributionId", physical_id))
    if distribution is not None:
        distribution.pop("MonitoringSubscription", None)


def create_rotation(_logical_id: str, properties: Properties, _stack_name: str) -> Made:
    """Let a function rotate a secret. MiniStack does not call the function: it makes a new version of the same value."""
    rules = dict(properties.get("RotationRules") or {})
    if "AutomaticallyAfterDays" in rules:
        rules["AutomaticallyAfterDays"] = int(rules["AutomaticallyAfterDays"])
    request = {
        "SecretId": properties["SecretId"],
        "RotationLambdaARN": properties.get("RotationLambdaARN"),
        "RotationRules": rules,
    }
    answer = secretsmanager._rotate_secret(request)
    hooks.accepted(answer, ROTATION_SCHEDULE)
    return json.loads(answer[2])["ARN"], {}


def delete_rotation(physical_id: str, _properties: Properties) -> None:
    """End the rotation, unless the secret is gone already."""
    _, secret = secretsmanager._resolve(physical_id)
    if secret:
        secret["RotationEnabled"] = False
        secret["RotationRules"] = secret["RotationLambdaARN"] = None


def associate(_logical_id: str, properties: Properties, _stack_name: str) -> Made:
    """Put a web ACL in front of a resource."""
    request = {"WebACLArn": properties["WebACLArn"], "ResourceArn": properties["ResourceArn"]}
    hooks.accepted(waf._associate_web_acl(request), WEB_ACL_ASSOCIATION)
    return f"{properties['WebACLArn']}|{properties['ResourceArn']}", {}


def reassociate(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    """Replace the association: both its properties ask for that."""
    disassociate(physical_id, old)
    return associate("", new, stack_name)


def disassociate(_physical_id: str, properties: Properties) -> None:
    """Take the web ACL away, unless another has replaced it meanwhile."""
    held = json.loads(waf._get_web_acl_for_resource({"ResourceArn": properties["ResourceArn"]})[2])
    if held.get("WebACL", {}).get("ARN") == properties["WebACLArn"]:
        waf._disassociate_web_acl({"ResourceArn": properties["ResourceArn"]})


def listing(named_by: str) -> Callable[[str, Properties, str], Made]:
    """A creation that leaves nothing but the resource's name in the stack."""

    def create(logical_id: str, properties: Properties, stack_name: str) -> Made:
        return properties.get(named_by) or hooks.physical_name(stack_name, logical_id), {}

    return create


def listing_again(named_by: str) -> Callable[[str, Properties, Properties, str], Made]:
    """The same for an update, which may rename the resource."""
    return lambda physical_id, _old, new, _stack_name: (new.get(named_by) or physical_id, {})


def forget(_physical_id: str, _properties: Properties) -> None:
    """Delete what nothing but the stack knows."""

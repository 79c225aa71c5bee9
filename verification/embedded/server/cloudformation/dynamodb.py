"""Overlay of AWS::DynamoDB::Table and GlobalTable: time to live, recovery and encryption, deletion protection, and its policy."""

from __future__ import annotations

import json
from typing import Any

from ministack.core.responses import get_region
from ministack.services import dynamodb

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Attributes, Properties

require(
    dynamodb,
    "_pitr_settings",
    "_put_resource_policy",
    "_resource_policies",
    "_sse_description_from_spec",
    "_tables",
    "_ttl_settings",
    "_update_continuous_backups",
    "_update_contributor_insights",
    "_update_table",
    "_update_ttl",
)

TABLE = "AWS::DynamoDB::Table"
GLOBAL_TABLE = "AWS::DynamoDB::GlobalTable"


def install() -> None:
    """Lay the overlay over MiniStack."""
    hooks.after(TABLE, settle)
    hooks.after(GLOBAL_TABLE, settle_replica)
    for type_ in (TABLE, GLOBAL_TABLE):
        hooks.before_delete(type_, refuse_protected)


def refuse_projections(new: Properties) -> None:
    """Refuse an index that includes attributes and names none, as DynamoDB does.

    Raises:
        ValueError: there is such an index.
    """
    for index in [*new.get("GlobalSecondaryIndexes", []), *new.get("LocalSecondaryIndexes", [])]:
        projection = index.get("Projection") or {}
        if projection.get("ProjectionType") == "INCLUDE" and not projection.get("NonKeyAttributes"):
            raise ValueError(
                "One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified"
            )


def settle(physical_id: str, new: Properties, old: Properties, _attributes: Attributes) -> None:
    """Apply what MiniStack leaves out."""
    refuse_projections(new)
    table = dynamodb._tables[physical_id]
    table["SSEDescription"] = dynamodb._sse_description_from_spec(encryption(new.get("SSESpecification")))
    table["DeletionProtectionEnabled"] = hooks.as_bool(new.get("DeletionProtectionEnabled", False))
    if new.get("TimeToLiveSpecification"):
        declared = new["TimeToLiveSpecification"]
        enabled = hooks.as_bool(declared.get("Enabled", False))
        wanted = {"Enabled": enabled, "AttributeName": declared.get("AttributeName", "")}
        _call(dynamodb._update_ttl, physical_id, TimeToLiveSpecification=wanted)
    elif old.get("TimeToLiveSpecification"):
        dynamodb._ttl_settings.pop(physical_id, None)
    if new.get("PointInTimeRecoverySpecification") or old.get("PointInTimeRecoverySpecification"):
        declared = new.get("PointInTimeRecoverySpecification") or {}
        enabled = hooks.as_bool(declared.get("PointInTimeRecoveryEnabled", False))
        wanted = {"PointInTimeRecoveryEnabled": enabled}
        _call(dynamodb._update_continuous_backups, physical_id, PointInTimeRecoverySpecification=wanted)
    if new.get("TableClass", "STANDARD") != old.get("TableClass", "STANDARD"):
        _call(dynamodb._update_table, physical_id, TableClass=new.get("TableClass", "STANDARD"))
    if new.get("OnDemandThroughput") and new["OnDemandThroughput"] != old.get("OnDemandThroughput"):
        limits = {key: int(value) for key, value in new["OnDemandThroughput"].items()}
        _call(dynamodb._update_table, physical_id, OnDemandThroughput=limits)
    if declared := (new.get("ResourcePolicy") or {}).get("PolicyDocument"):
        request = {"ResourceArn": table["TableArn"], "Policy": json.dumps(declared)}
        hooks.accepted(dynamodb._put_resource_policy(request), TABLE)
    elif old.get("ResourcePolicy"):
        dynamodb._resource_policies.pop(table["TableArn"], None)
    insights = hooks.as_bool((new.get("ContributorInsightsSpecification") or {}).get("Enabled", False))
    if insights or old.get("ContributorInsightsSpecification"):
        action = "ENABLE" if insights else "DISABLE"
        _call(dynamodb._update_contributor_insights, physical_id, ContributorInsightsAction=action)


def settle_replica(physical_id: str, new: Properties, old: Properties, attributes: Attributes) -> None:
    """Apply what a global table says of its replica in this region, as MiniStack leaves out all replicas."""
    settle(physical_id, _replica(new), _replica(old), attributes)


def _replica(properties: Properties) -> Properties:
    here = [one for one in properties.get("Replicas") or [] if one.get("Region") == get_region()]
    said = {key: value for one in here for key, value in one.items()}
    keys = {**(properties.get("SSESpecification") or {}), **(said.get("SSESpecification") or {})}
    return {**properties, **said, "SSESpecification": keys}


def encryption(declared: Properties | None) -> dict[str, Any] | None:
    """Return SSESpecification in DynamoDB's spelling: CloudFormation says SSEEnabled, the API Enabled."""
    if not declared:
        return None
    made = {key: value for key, value in declared.items() if key != "SSEEnabled"}
    return {**made, "Enabled": hooks.as_bool(declared.get("SSEEnabled", False))}


def refuse_protected(physical_id: str, _properties: Properties) -> None:
    """Fail the deletion of a protected table, and forget what MiniStack would hand to the next of its name."""
    table = dynamodb._tables.get(physical_id)
    if table is not None and table.get("DeletionProtectionEnabled"):
        raise ValueError(
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first. (Service: DynamoDb, Status Code: 400)"
        )
    dynamodb._ttl_settings.pop(physical_id, None)
    dynamodb._pitr_settings.pop(physical_id, None)
    if table is not None:
        dynamodb._resource_policies.pop(table["TableArn"], None)


def _call(operation: Any, table: str, **parameters: Any) -> None:
    hooks.accepted(operation({"TableName": table, **parameters}), TABLE)

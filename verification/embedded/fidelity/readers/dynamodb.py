"""DynamoDB: tables."""

from __future__ import annotations

from typing import Any

from verification.embedded.fidelity.live import Live, Type, member, members, tag_list


def _table(live: Live) -> Any:
    return live.ask("dynamodb", "describe_table", TableName=live.id).get("Table") or {}


def _encryption(live: Live) -> dict[str, Any]:
    found = _table(live).get("SSEDescription") or {}
    enabled = found.get("Status") in ("ENABLED", "ENABLING", "UPDATING")
    return {
        "SSEEnabled": enabled,
        "SSEType": found.get("SSEType"),
        "KMSMasterKeyId": found.get("KMSMasterKeyArn"),
    }


def _recovery(live: Live) -> dict[str, Any]:
    answer = live.ask("dynamodb", "describe_continuous_backups", TableName=live.id)
    found = (answer.get("ContinuousBackupsDescription") or {}).get("PointInTimeRecoveryDescription") or {}
    return {
        "PointInTimeRecoveryEnabled": found.get("PointInTimeRecoveryStatus") == "ENABLED",
        "RecoveryPeriodInDays": found.get("RecoveryPeriodInDays"),
    }


def _time_to_live(live: Live) -> dict[str, Any]:
    answer = live.ask("dynamodb", "describe_time_to_live", TableName=live.id)
    found = answer.get("TimeToLiveDescription") or {}
    enabled = found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return {"AttributeName": found.get("AttributeName"), "Enabled": enabled}


def _table_tags(live: Live) -> Any:
    answer = live.ask("dynamodb", "list_tags_of_resource", ResourceArn=_table(live).get("TableArn", ""))
    return tag_list(answer.get("Tags"))


def _insights(live: Live) -> dict[str, Any]:
    answer = live.ask("dynamodb", "describe_contributor_insights", TableName=live.id)
    return {"Enabled": answer.get("ContributorInsightsStatus") in ("ENABLED", "ENABLING")}


TYPES: dict[str, Type] = {
    "AWS::DynamoDB::Table": Type(
        {
            **members(_table, "TableName", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes"),
            **members(_table, "LocalSecondaryIndexes", "DeletionProtectionEnabled", "StreamSpecification"),
            **members(_table, "ProvisionedThroughput", "OnDemandThroughput"),
            "BillingMode": member(_table, "BillingModeSummary", "BillingMode", default="PROVISIONED"),
            "TableClass": member(_table, "TableClassSummary", "TableClass", default="STANDARD"),
            "SSESpecification": _encryption,
            "PointInTimeRecoverySpecification": _recovery,
            "TimeToLiveSpecification": _time_to_live,
            "ContributorInsightsSpecification": _insights,
            "Tags": _table_tags,
        },
        {
            "Arn": member(_table, "TableArn"),
            "StreamArn": member(_table, "LatestStreamArn"),
        },
    ),
}

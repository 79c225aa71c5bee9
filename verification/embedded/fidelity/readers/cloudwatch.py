"""CloudWatch: alarms and log groups."""

from __future__ import annotations

from typing import Any

from verification.embedded.fidelity.live import Live, Type, member, members, tag_list


def _log_group(live: Live) -> Any:
    groups = live.ask("logs", "describe_log_groups", logGroupNamePrefix=live.id).get("logGroups", [])
    return next((group for group in groups if group["logGroupName"] == live.id), {})


def _log_group_tags(live: Live) -> Any:
    arn = str(_log_group(live).get("arn", "")).removesuffix(":*")
    return tag_list(live.ask("logs", "list_tags_for_resource", resourceArn=arn).get("tags"))


def _alarm(live: Live) -> Any:
    kinds = ["MetricAlarm", "CompositeAlarm"]
    answer = live.ask("cloudwatch", "describe_alarms", AlarmNames=[live.id], AlarmTypes=kinds)
    found = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    return found[0] if found else {}


def _alarm_tags(live: Live) -> Any:
    arn = _alarm(live).get("AlarmArn", "")
    return tag_list(live.ask("cloudwatch", "list_tags_for_resource", ResourceARN=arn).get("Tags"))


TYPES: dict[str, Type] = {
    "AWS::Logs::LogGroup": Type(
        {
            "LogGroupName": member(_log_group, "logGroupName"),
            "RetentionInDays": member(_log_group, "retentionInDays"),
            "KmsKeyId": member(_log_group, "kmsKeyId"),
            "LogGroupClass": member(_log_group, "logGroupClass"),
            "Tags": _log_group_tags,
        },
        {
            "Arn": member(_log_group, "arn"),
        },
    ),
    "AWS::CloudWatch::Alarm": Type(
        {
            **members(
                _alarm, "AlarmName", "AlarmDescription", "Namespace", "MetricName", "Dimensions", "Statistic"
            ),
            **members(
                _alarm, "ExtendedStatistic", "Unit", "Period", "EvaluationPeriods", "DatapointsToAlarm"
            ),
            **members(
                _alarm, "Threshold", "ComparisonOperator", "TreatMissingData", "AlarmActions", "OKActions"
            ),
            **members(_alarm, "InsufficientDataActions", "ActionsEnabled", "Metrics"),
            "Tags": _alarm_tags,
        },
        {
            "Arn": member(_alarm, "AlarmArn"),
        },
    ),
    "AWS::CloudWatch::CompositeAlarm": Type(
        {
            **members(_alarm, "AlarmName", "AlarmDescription", "AlarmRule", "AlarmActions", "OKActions"),
            **members(_alarm, "InsufficientDataActions", "ActionsEnabled", "ActionsSuppressor"),
            **members(_alarm, "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"),
            "Tags": _alarm_tags,
        }
    ),
}

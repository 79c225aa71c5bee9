"""Overlay of drift detection: compares more properties that people change by hand, and alarms and stages.

MiniStack compares the commonest properties of functions, tables and buckets. It does not compare alarms and stages. Types
without a reader stay unsupported, as many are on AWS. Source: CloudFormation User Guide, "Detecting unmanaged
configuration changes with drift detection".
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import apigateway, cloudwatch, dynamodb, lambda_svc, s3
from ministack.services.cloudformation import drift

from verification.embedded.server import HookMissingError, require
from verification.embedded.server.cloudformation.hooks import Properties
from verification.embedded.server.context import Context

require(drift, "_DRIFT_READERS", "_coerce_like")
require(apigateway, "_stages")
require(cloudwatch, "_alarms")
require(dynamodb, "_pitr_settings", "_ttl_settings")
require(lambda_svc, "_functions")
require(s3, "_bucket_lifecycle", "_buckets")

Read = Callable[[str, Properties], Mapping[str, Any] | None]
ALARM = frozenset(
    {
        "ActionsEnabled",
        "AlarmActions",
        "ComparisonOperator",
        "Dimensions",
        "EvaluationPeriods",
        "ExtendedStatistic",
        "MetricName",
        "Namespace",
        "OKActions",
        "Period",
        "Statistic",
        "Threshold",
        "TreatMissingData",
    }
)


def install(context: Context) -> None:
    """Lay the overlay over MiniStack; a pessimistic AWS spells values in its own way.

    Raises:
        HookMissingError: MiniStack has learned what this adds, so it must go.
    """
    extend("AWS::Lambda::Function", function, {"ReservedConcurrentExecutions", "LoggingConfig"})
    extend("AWS::DynamoDB::Table", table, {"PointInTimeRecoverySpecification", "TimeToLiveSpecification"})
    extend("AWS::S3::Bucket", bucket, {"LifecycleConfiguration", "PublicAccessBlockConfiguration"})
    register("AWS::CloudWatch::Alarm", alarm, ALARM)
    if context.pace.pessimistic:
        drift._coerce_like = as_aws_writes
    register("AWS::ApiGatewayV2::Stage", stage, frozenset({"AccessLogSettings", "DefaultRouteSettings"}))


def extend(resource_type: str, read_more: Read, properties: set[str]) -> None:
    """Let a reader of MiniStack's read more properties."""
    read, compared = drift._DRIFT_READERS[resource_type]
    if more := compared & properties:
        raise HookMissingError(f"gap for drift of {resource_type}: it compares {', '.join(more)} now")

    def both(physical_id: str, declared: Properties) -> Mapping[str, Any] | None:
        found = read(physical_id, declared)
        return found and {**found, **live_as_declared(declared, read_more(physical_id, declared) or {})}

    drift._DRIFT_READERS[resource_type] = (both, compared | properties)


def register(resource_type: str, read: Read, properties: frozenset[str]) -> None:
    """Compare a type that MiniStack does not."""
    if resource_type in drift._DRIFT_READERS:
        raise HookMissingError(f"gap for drift of {resource_type}: it has a reader of its own now")

    def spelled(physical_id: str, declared: Properties) -> Mapping[str, Any] | None:
        found = read(physical_id, declared)
        return None if found is None else live_as_declared(declared, found)

    drift._DRIFT_READERS[resource_type] = (spelled, properties)


def live_as_declared(declared: Any, live: Any) -> Any:
    """Return what is live of the members that a template names, by the template's names and in the service's own words."""
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        members = {str(name).lower(): value for name, value in live.items()}
        return {
            name: live_as_declared(value, members[name.lower()])
            for name, value in declared.items()
            if name.lower() in members
        }
    if isinstance(declared, list) and isinstance(live, list) and len(declared) == len(live):
        return [live_as_declared(*pair) for pair in zip(declared, live, strict=True)]
    return live


def as_aws_writes(_declared: object, live: Any) -> Any:
    """Return a live value as a pessimistic AWS gives it back: numbers with a fraction, lists the other way round."""
    if isinstance(live, Mapping):
        return {name: as_aws_writes(None, value) for name, value in live.items()}
    if isinstance(live, list):
        return [as_aws_writes(None, value) for value in reversed(live)]
    return float(live) if isinstance(live, int) and not isinstance(live, bool) else live


def function(physical_id: str, _declared: Properties) -> Mapping[str, Any]:
    """Return the properties of a function that MiniStack does not compare."""
    live = lambda_svc._functions[physical_id]
    found = {"LoggingConfig": live["config"].get("LoggingConfig")}
    if live.get("concurrency") is not None:
        found["ReservedConcurrentExecutions"] = live["concurrency"]
    return found


def table(physical_id: str, _declared: Properties) -> Mapping[str, Any]:
    """Return the properties of a table that MiniStack does not compare."""
    ttl = dynamodb._ttl_settings.get(physical_id) or {}
    return {
        "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": bool(dynamodb._pitr_settings.get(physical_id))
        },
        "TimeToLiveSpecification": {
            "Enabled": ttl.get("TimeToLiveStatus") == "ENABLED",
            "AttributeName": ttl.get("AttributeName", ""),
        },
    }


def bucket(physical_id: str, _declared: Properties) -> Mapping[str, Any]:
    """Return the properties of a bucket that MiniStack does not compare."""
    rules = []
    for rule in s3._bucket_lifecycle.get(physical_id) or []:
        where = rule.get("Filter") or {}
        found = {
            "Id": rule.get("ID"),
            "Status": rule.get("Status"),
            "Prefix": where.get("Prefix") or (where.get("And") or {}).get("Prefix") or rule.get("Prefix"),
            "ExpirationInDays": (rule.get("Expiration") or {}).get("Days"),
            "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
            "ExpiredObjectDeleteMarker": (rule.get("Expiration") or {}).get("ExpiredObjectDeleteMarker"),
            "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
            "NoncurrentVersionExpirationInDays": (rule.get("NoncurrentVersionExpiration") or {}).get(
                "NoncurrentDays"
            ),
            "TagFilters": [where["Tag"]] if "Tag" in where else (where.get("And") or {}).get("Tags"),
            "Transitions": [
                {"StorageClass": one.get("StorageClass"), "TransitionInDays": one.get("Days")}
                for one in rule.get("Transitions") or []
            ],
            "NoncurrentVersionTransitions": [
                {
                    "StorageClass": one.get("StorageClass"),
                    "TransitionInDays": one.get("NoncurrentDays"),
                    "NewerNoncurrentVersions": one.get("NewerNoncurrentVersions"),
                }
                for one in rule.get("NoncurrentVersionTransitions") or []
            ],
        }
        rules.append({name: value for name, value in found.items() if value})
    blocks = elements(s3._buckets[physical_id].get("_public_access_block"))
    return {
        "LifecycleConfiguration": {"Rules": rules},
        "PublicAccessBlockConfiguration": blocks,
    }


def alarm(physical_id: str, _declared: Properties) -> Mapping[str, Any] | None:
    """What PutMetricAlarm was given last."""
    live = cloudwatch._alarms.get(physical_id)
    return live and {name: live[name] for name in ALARM & live.keys()}


def stage(physical_id: str, declared: Properties) -> Mapping[str, Any] | None:
    """A stage's settings; names of members are compared without case."""
    live = apigateway._stages.get(declared["ApiId"], {}).get(physical_id.rpartition("/")[2])
    return live and {
        "AccessLogSettings": live.get("accessLogSettings"),
        "DefaultRouteSettings": live.get("defaultRouteSettings"),
    }


def elements(document: str | None) -> dict[str, str | None]:
    """The texts of an XML document's elements by their names without a namespace."""
    root = ET.fromstring(document) if document else ()  # noqa: S314  # of this cloud's own clients
    return {child.tag.rpartition("}")[2]: child.text for child in root}

"""Lambda: functions, their permissions, event sources and asynchronous invocations."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from readiness.discovery.comparison import document
from verification.embedded.fidelity.live import Live, Type, member, members, tag_list


def _function(live: Live) -> Any:
    return live.ask("lambda", "get_function", FunctionName=live.id)


def _configuration(live: Live) -> Any:
    return _function(live).get("Configuration") or {}


def _code(live: Live) -> Any:
    """Return the declared location when the function runs exactly the bytes that lie there."""
    declared = live.declared.get("Code") or {}
    if "S3Bucket" not in declared:
        return {**declared} if _configuration(live).get("CodeSize") else None
    version = {"VersionId": declared["S3ObjectVersion"]} if declared.get("S3ObjectVersion") else {}
    answer = live.aws.client("s3").get_object(Bucket=declared["S3Bucket"], Key=declared["S3Key"], **version)
    digest = base64.b64encode(hashlib.sha256(answer["Body"].read()).digest()).decode()
    return declared if digest == _configuration(live).get("CodeSha256") else {"CodeSha256": digest}


def _event_source(live: Live) -> Any:
    return live.ask("lambda", "get_event_source_mapping", UUID=live.id)


def _event_source_function(live: Live) -> Any:
    arn = str(_event_source(live).get("FunctionArn", ""))
    return _as_declared(live.declared.get("FunctionName"), arn)


def _as_declared(declared: object, arn: str) -> str:
    """Return an ARN, or the name in it when the template gives a name."""
    return arn if str(declared).startswith("arn:") else arn.rpartition(":")[2]


def _permission(live: Live) -> Mapping[str, Any]:
    """Return the statement of the function's policy that grants what the template declares."""
    policy = (
        live.ask("lambda", "get_policy", FunctionName=live.declared["FunctionName"]).get("Policy") or "{}"
    )
    for statement in document(policy).get("Statement", []):
        principal = statement.get("Principal")
        condition = statement.get("Condition") or {}
        found = {
            "Action": statement.get("Action"),
            "Principal": next(iter(principal.values())) if isinstance(principal, Mapping) else principal,
            "SourceArn": (condition.get("ArnLike") or condition.get("ArnEquals") or {}).get("AWS:SourceArn"),
            "SourceAccount": (condition.get("StringEquals") or {}).get("AWS:SourceAccount"),
            "FunctionName": _as_declared(live.declared["FunctionName"], str(statement.get("Resource"))),
        }
        if all(found.get(name) == live.declared[name] for name in found if name in live.declared):
            return found
    return {}


def _invoke_configuration(live: Live) -> Any:
    which = {name: live.declared[name] for name in ("FunctionName", "Qualifier")}
    return live.ask("lambda", "get_function_event_invoke_config", **which)


TYPES: dict[str, Type] = {
    "AWS::Lambda::Function": Type(
        {
            **members(_configuration, "FunctionName", "Handler", "Runtime", "Role", "Timeout", "MemorySize"),
            **members(
                _configuration,
                "Description",
                "Environment",
                "Architectures",
                "TracingConfig",
                "LoggingConfig",
            ),
            **members(
                _configuration,
                "EphemeralStorage",
                "PackageType",
                "DeadLetterConfig",
                "VpcConfig",
                "SnapStart",
            ),
            "KmsKeyArn": member(_configuration, "KMSKeyArn"),
            "Layers": lambda live: [one["Arn"] for one in _configuration(live).get("Layers") or []],
            "Code": _code,
            "Tags": lambda live: tag_list(_function(live).get("Tags")),
            "ReservedConcurrentExecutions": member(
                lambda live: live.ask("lambda", "get_function_concurrency", FunctionName=live.id),
                "ReservedConcurrentExecutions",
            ),
        },
        {
            "Arn": member(_configuration, "FunctionArn"),
        },
    ),
    "AWS::Lambda::Permission": Type(
        members(_permission, "Action", "Principal", "SourceArn", "SourceAccount", "FunctionName")
    ),
    "AWS::Lambda::EventSourceMapping": Type(
        {
            **members(
                _event_source,
                "EventSourceArn",
                "BatchSize",
                "MaximumBatchingWindowInSeconds",
                "ScalingConfig",
            ),
            **members(
                _event_source,
                "FunctionResponseTypes",
                "FilterCriteria",
                "DestinationConfig",
                "StartingPosition",
            ),
            **members(
                _event_source, "MaximumRetryAttempts", "BisectBatchOnFunctionError", "ParallelizationFactor"
            ),
            **members(_event_source, "MaximumRecordAgeInSeconds"),
            "FunctionName": _event_source_function,
            "Enabled": lambda live: _event_source(live).get("State") in ("Enabled", "Enabling", "Creating"),
        }
    ),
    "AWS::Lambda::EventInvokeConfig": Type(
        members(
            _invoke_configuration, "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"
        )
    ),
}

"""Overlay: a function reads a DynamoDB stream with its role's permissions, and a failing batch is not repeated without end.

MiniStack asks no role, repeats a failing batch without end, and takes reported failures for a success. A batch of which
some records are reported is repeated as a whole here, and never bisected; AWS continues from the first that failed.

Source: AWS Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB", "Configuring partial batch response".
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

from verification.embedded.server import functions, require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Attributes, Properties
from verification.embedded.server.context import Context

require(
    lambda_svc,
    "_apply_filter_criteria",
    "_create_esm",
    "_esms",
    "_execute_function",
    "_functions",
    "_resolve_name",
    "_send_ddb_stream_failure_record",
)

ACTIONS = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
REFUSAL = (
    "Cannot access stream {}. Please ensure the role can perform the GetRecords, GetShardIterator, "
    "DescribeStream, and ListStreams Actions on your stream in IAM."
)
# The mapping whose batch a poller's thread is about to hand to a function.
_current = threading.local()
# Failed attempts by mapping and first sequence number.
_attempts: dict[tuple[str, str], int] = {}


def install(_context: Context) -> None:
    """Lay the overlay over MiniStack."""
    _refuse_creation()
    _judge_batches()


def reset() -> None:
    """Forget every attempt."""
    _attempts.clear()


def may_read(function: Mapping[str, Any], source: str) -> bool:
    """Return whether a function's role may read a source, if that is a stream of DynamoDB."""
    role = str((function.get("config") or function).get("Role", ""))
    is_stream = ":dynamodb:" in source
    return not is_stream or all(functions.role_may(role, action, source) for action in ACTIONS)


def _refuse_creation() -> None:
    create = lambda_svc._create_esm

    def create_esm(data: dict[str, Any]) -> Any:
        function = lambda_svc._functions.get(lambda_svc._resolve_name(data.get("FunctionName", "")))
        source = str(data.get("EventSourceArn", ""))
        if function is not None and not may_read(function, source):
            return error_response_json("InvalidParameterValueException", REFUSAL.format(source), 400)
        return create(data)

    def settle(physical_id: str, new: Properties, old: Properties, attributes: Attributes) -> None:
        mapping = lambda_svc._esms[physical_id]
        source = str(mapping["EventSourceArn"])
        if not may_read(lambda_svc._functions[mapping["FunctionName"]], source):
            raise ValueError(REFUSAL.format(source))

    lambda_svc._create_esm = create_esm
    hooks.after("AWS::Lambda::EventSourceMapping", settle)


def _judge_batches() -> None:
    choose, execute = lambda_svc._apply_filter_criteria, lambda_svc._execute_function

    def apply_filter_criteria(batch: list[Any], mapping: dict[str, Any]) -> Any:
        _current.mapping = mapping
        return choose(batch, mapping)

    def execute_function(function: dict[str, Any], event: Any, *rest: Any, **options: Any) -> Any:
        mapping, _current.mapping = getattr(_current, "mapping", None), None
        if mapping is None or ":dynamodb:" not in str(mapping.get("EventSourceArn", "")):
            return execute(function, event, *rest, **options)
        if not may_read(function, str(mapping["EventSourceArn"])):
            body = {"errorType": "AccessDenied", "errorMessage": REFUSAL.format(mapping["EventSourceArn"])}
            return {"error": True, "body": body, "log": ""}
        return judged(mapping, function, event["Records"], execute(function, event, *rest, **options))

    lambda_svc._apply_filter_criteria = apply_filter_criteria
    lambda_svc._execute_function = execute_function


def judged(
    mapping: Mapping[str, Any], function: dict[str, Any], batch: list[Any], result: dict[str, Any]
) -> dict[str, Any]:
    """Return the result of a batch: reported failures are failures, until no further attempt is allowed."""
    body = result.get("body")
    reports = "ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or [])
    if reports and isinstance(body, dict) and body.get("batchItemFailures"):
        result = {**result, "error": True}
    first = (str(mapping["UUID"]), str(batch[0].get("dynamodb", {}).get("SequenceNumber", "")))
    if not result.get("error"):
        _attempts.pop(first, None)
        return result
    _attempts[first] = _attempts.get(first, 0) + 1
    allowed = int(mapping.get("MaximumRetryAttempts", -1))
    if allowed < 0 or _attempts[first] <= allowed:
        return result
    del _attempts[first]
    failure = (mapping, function, batch, mapping["EventSourceArn"], result)
    lambda_svc._send_ddb_stream_failure_record(*failure, "RetryAttemptsExhausted")
    return {**result, "error": False}

"""Overlay: Lambda as its callers see it - invocations, log lines, limits, and who may invoke.

Source: Lambda Developer Guide, "Using Lambda's log lines", "Lambda quotas", "Resource-based IAM policies in Lambda",
"Using Lambda with Amazon SQS"; Lambda pricing (since August 2025 the billed duration includes init).
"""

from __future__ import annotations

import inspect
import json
import logging
import math
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import apigateway, cloudwatch, cloudwatch_logs, iam, lambda_svc

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.context import Context
from verification.embedded.server.environments import Environment, Line, Outcome, now_ms

require(lambda_runtime, "_worker_class_for", "kill_workers")
require(
    lambda_svc,
    "_acquire_execution_slot",
    "_create_esm",
    "_emit_lambda_metrics",
    "_inflight",
    "_inflight_key",
    "_esms",
    "_resolve_name",
    "_durable_env_overlay",
    "_emit_lambda_logs",
    "_ensure_reaper_thread",
    "_execute_function_warm",
    "_functions",
    "_invoke_depth",
    "_sqs_esm_concurrency",
    "_xray_trace_id_for_invocation",
    "handle_request",
)
require(
    iam_evaluator,
    "EvalContext",
    "_gather_role_policies",
    "_permissions_boundary",
    "_resource_policy",
    "combine_resource_policy",
    "evaluate",
    "evaluate_resource_policy",
)
require(cloudwatch, "record_metric")
require(apigateway, "_extract_lambda_ref_from_integration_uri", "_invoke_lambda_proxy")
require(
    cloudwatch_logs,
    "_append_log_events",
    "_create_log_group",
    "_create_log_stream",
    "_fanout_to_subscription_filters",
    "_log_groups",
)

logger = logging.getLogger("embedded.functions")

PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024
RESPONSE_LIMIT_BYTES = PAYLOAD_LIMIT_BYTES + 100
ASYNC_PAYLOAD_LIMIT_BYTES = 1024 * 1024
INVOCATIONS = re.compile(r"^/2015-03-31/functions/[^/]+/invocations/?$")
SQS_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
GATEWAY = "apigateway.amazonaws.com"
INTERNAL_ERROR = 500, {"Content-Type": "application/json"}, b'{"message":"Internal Server Error"}'

# Outcomes between the end of an invocation and the writing of its log, by request id.
_outcomes: dict[str, Outcome] = {}
_log_lock = threading.Lock()


def install(context: Context) -> None:
    """Lay Lambda's behaviour over MiniStack's."""
    Environment.context = context
    _let_invocations_finish()
    _run_python_in_environments()
    _write_logs()
    _count()
    _limit_payloads()
    _check_gateway_permission()
    _check_queue_permission()


def reset() -> None:
    """End every environment; what they were doing is of no account any more."""
    Environment.end_all()


def _let_invocations_finish() -> None:
    """Retire the busy environments of a function that is changed or deleted, where MiniStack would kill them."""
    kill = lambda_runtime.kill_workers

    def kill_workers(workers: Iterable[Any]) -> None:
        found = [worker for worker in workers if worker is not None]
        busy = [worker for worker in found if isinstance(worker, Environment) and worker.in_use]
        for environment in busy:
            environment.retire()
        kill([worker for worker in found if worker not in busy])

    lambda_runtime.kill_workers = kill_workers


def _run_python_in_environments() -> None:
    choose, execute = lambda_runtime._worker_class_for, lambda_svc._execute_function_warm

    def worker_class_for(config: dict[str, Any]) -> type:
        chosen: type = Environment if _is_python(config) else choose(config)
        return chosen

    def execute_function_warm(func: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:
        config = func.get("config") or func
        if not func.get("code_zip") or not _is_python(config):
            result: dict[str, Any] = execute(func, event, request_id)
            return result
        return _execute(func, config, event, request_id)

    lambda_runtime._worker_class_for = worker_class_for
    lambda_svc._execute_function_warm = execute_function_warm


def _is_python(config: Mapping[str, Any]) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


def _execute(func: dict[str, Any], config: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:
    """Serve one invocation in an environment and return MiniStack's result for it."""
    lambda_svc._ensure_reaper_thread()
    environment = Environment.lease(
        config["FunctionName"], config, func["code_zip"], config.get("Version", "$LATEST")
    )
    try:
        outcome: Outcome = environment.run(
            event,
            request_id,
            function_arn=config.get("FunctionArn", ""),
            trace_id=lambda_svc._xray_trace_id_for_invocation(config),
            depth=lambda_svc._invoke_depth.get(),
            durable=lambda_svc._durable_env_overlay(),
        )
    finally:
        environment.give_back()
    if outcome.payload is not None and len(outcome.payload.encode()) > RESPONSE_LIMIT_BYTES:
        size = len(outcome.payload.encode())
        outcome.payload, outcome.status = None, "error"
        outcome.failure = {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": f"Response payload size ({size} bytes) exceeded maximum allowed payload size "
            f"({RESPONSE_LIMIT_BYTES} bytes).",
        }
    _outcomes[request_id] = outcome
    lines = platform_lines(outcome, request_id, config)
    result: dict[str, Any] = {"log": "".join(line.message for line in lines)}
    if outcome.failure is not None:
        return {**result, "body": outcome.failure, "error": True}
    return {**result, "body": json.loads(outcome.payload or "null")}


def platform_lines(outcome: Outcome, request_id: str, config: Mapping[str, Any]) -> list[Line]:
    """Return an invocation's log from START to REPORT."""
    first = outcome.lines[0].timestamp if outcome.lines else now_ms()
    last = max(now_ms(), outcome.lines[-1].timestamp if outcome.lines else 0)
    return [
        Line(first, f"START RequestId: {request_id} Version: {config.get('Version', '$LATEST')}\n"),
        *outcome.lines,
        Line(last, f"END RequestId: {request_id}\n"),
        Line(last, report_line(outcome, request_id, config)),
    ]


def report_line(outcome: Outcome, request_id: str, config: Mapping[str, Any]) -> str:
    """Return the REPORT line."""
    memory_mb = int(config.get("MemorySize", 128))
    billed_ms = math.ceil((outcome.duration_seconds + (outcome.init_seconds or 0.0)) * 1000)
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {outcome.duration_seconds * 1000:.2f} ms",
        f"Billed Duration: {billed_ms} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {min(outcome.peak_memory_mb, memory_mb)} MB",
    ]
    if outcome.init_seconds is not None:
        parts.append(f"Init Duration: {outcome.init_seconds * 1000:.2f} ms")
    if outcome.status:
        parts.append(f"Status: {outcome.status}")
    if outcome.status == "error" and outcome.failure is not None:
        parts.append(f"Error Type: {outcome.failure['errorType']}")
    return "\t".join(parts) + "\t\n"


def _write_logs() -> None:
    emit = lambda_svc._emit_lambda_logs

    def emit_lambda_logs(func: dict[str, Any], request_id: str, *arguments: Any, **keywords: Any) -> None:
        outcome = _outcomes.pop(request_id, None)
        if outcome is None:
            emit(func, request_id, *arguments, **keywords)
        else:
            config = func.get("config") or func
            count(config, outcome)
            write_log(outcome, request_id, config)

    lambda_svc._emit_lambda_logs = emit_lambda_logs


def _count() -> None:
    """Publish a function's metrics for every invoker; MiniStack does so for callers of Invoke alone."""
    acquire = lambda_svc._acquire_execution_slot

    def acquire_execution_slot(func: dict[str, Any], config: dict[str, Any]) -> tuple[Any, Any]:
        slot, limit = acquire(func, config)
        if slot is None:
            publish(config, "Throttles", 1)
        return slot, limit

    lambda_svc._acquire_execution_slot = acquire_execution_slot
    lambda_svc._emit_lambda_metrics = lambda *_arguments, **_keywords: None


def count(config: Mapping[str, Any], outcome: Outcome) -> None:
    """Publish the metrics of one invocation, which is still under way; a throttled request is none."""
    values = {
        "Invocations": 1.0,
        "Errors": float(outcome.failure is not None),
        "Throttles": 0.0,
        "Duration": outcome.duration_seconds * 1000,
        "ConcurrentExecutions": lambda_svc._inflight.get(lambda_svc._inflight_key(config), 1),
    }
    for name, value in values.items():
        publish(config, name, value)


def publish(config: Mapping[str, Any], name: str, value: float) -> None:
    """Add one value to a metric of a function, and to that of the alias or version that was called."""
    unit = "Milliseconds" if name == "Duration" else "Count"
    function = {"FunctionName": config["FunctionName"]}
    resource = str(config["FunctionArn"]).partition(":function:")[2]
    for dimensions in (function, {**function, "Resource": resource}):
        cloudwatch.record_metric("AWS/Lambda", name, value, unit, dimensions)


def write_log(outcome: Outcome, request_id: str, config: Mapping[str, Any]) -> None:
    """Write an invocation's log to its group, as far as the function's role may.

    One stream for each environment, as on AWS. A role without the permission leaves no log, and no error either.
    """
    runtime = str(config.get("Runtime", ""))
    lines = platform_lines(outcome, request_id, config)
    if outcome.init_seconds is not None:
        start = outcome.init_lines[0].timestamp if outcome.init_lines else lines[0].timestamp
        version = f"INIT_START Runtime Version: {runtime.replace('python', 'python:')}.embedded\n"
        lines = [Line(start, version), *outcome.init_lines, *lines]
    group, stream = outcome.log_group, outcome.log_stream
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}"
    role = str(config.get("Role", ""))
    with _log_lock:
        if group not in cloudwatch_logs._log_groups:
            if not role_may(role, "logs:CreateLogGroup", f"{arn}:*"):
                return
            cloudwatch_logs._create_log_group({"logGroupName": group})
        if stream not in cloudwatch_logs._log_groups[group]["streams"]:
            if not role_may(role, "logs:CreateLogStream", f"{arn}:*"):
                return
            cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    if not role_may(role, "logs:PutLogEvents", f"{arn}:log-stream:{stream}"):
        return
    events = [{"timestamp": line.timestamp, "message": line.message} for line in lines]
    received = now_ms()
    cloudwatch_logs._append_log_events(
        cloudwatch_logs._log_groups[group]["streams"][stream],
        [{**event, "ingestionTime": received} for event in events],
    )
    cloudwatch_logs._fanout_to_subscription_filters(group, stream, events)


def role_may(role_arn: str, action: str, resource_arn: str) -> bool:
    """Return whether a role's policies, its boundary and the resource's own policy allow an action."""
    owner, _, role_path = role_arn.partition(":role/")
    account_id, role_name = owner.rpartition(":")[2], role_path.rpartition("/")[2]
    policies = iam_evaluator._gather_role_policies(role_name, account_id)
    limits = iam_evaluator._permissions_boundary(iam._roles, role_name, account_id)
    asked = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account_id}:assumed-role/{role_name}/service",
        principal_type="AssumedRole",
        principal_account=account_id,
        action=action,
        resource_arn=resource_arn,
        region=get_region(),
        source_ip="127.0.0.1",
        secure_transport=True,
    )
    result = iam_evaluator.evaluate(asked, policies, *limits)
    found = iam_evaluator._resource_policy(action.partition(":")[0], resource_arn)
    if found is not None:
        result = iam_evaluator.combine_resource_policy(result, asked, *found, limits=limits)
    return bool(result.decision == "Allow")


def _limit_payloads() -> None:
    handle = lambda_svc.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> tuple[Any, ...]:
        if method == "POST" and INVOCATIONS.match(path):
            is_event = headers.get("x-amz-invocation-type", "").lower() == "event"
            limit = ASYNC_PAYLOAD_LIMIT_BYTES if is_event else PAYLOAD_LIMIT_BYTES
            if len(body) > limit:
                operation = "InvokeAsync" if is_event else "InvokeFunction"
                refused: tuple[Any, ...] = error_response_json(
                    "RequestEntityTooLargeException",
                    f"Request must be smaller than {limit} bytes for the {operation} operation",
                    413,
                )
                return refused
        answer: tuple[Any, ...] = await handle(method, path, headers, body, query_params)
        return answer

    lambda_svc.handle_request = handle_request


def _check_gateway_permission() -> None:
    invoke = apigateway._invoke_lambda_proxy
    signature = inspect.signature(invoke)

    async def invoke_lambda_proxy(*arguments: Any, **keywords: Any) -> tuple[Any, ...]:
        given = signature.bind(*arguments, **keywords).arguments
        route_key = given.get("route_key", "$default")
        source = Source(given["api_id"], given["stage"], given["method"], given["path"], route_key)
        if not gateway_may_invoke(given["integration"], source):
            logger.warning("API %s may not invoke the function of %s", source.api_id, route_key)
            return INTERNAL_ERROR
        answer: tuple[Any, ...] = await invoke(*arguments, **keywords)
        return answer

    apigateway._invoke_lambda_proxy = invoke_lambda_proxy


@dataclass(frozen=True)
class Source:
    """The request and the route by which an API invokes a function."""

    api_id: str
    stage: str
    method: str
    path: str
    route_key: str

    def arns(self, account_id: str, region: str) -> list[str]:
        """Return what AWS may name as the source ARN.

        The guide leaves open whether it carries the method and path of the request or those of the route's key, so
        a permission for either counts.
        """
        method, _, path = self.route_key.partition(" ")
        if path:
            methods = {self.method} if method == "ANY" else {self.method, method}
            forms = [f"{name}{path}" for name in sorted(methods)]
        else:
            forms = [self.route_key]
        forms.append(f"{self.method}/{self.path.lstrip('/')}")
        prefix = f"arn:aws:execute-api:{region}:{account_id}:{self.api_id}/{self.stage}"
        return [f"{prefix}/{form}" for form in forms]


def gateway_may_invoke(integration: Mapping[str, Any], source: Source) -> bool:
    """Return whether the function's policy, or the integration's role, lets the API invoke it."""
    arn, function = _function_of(integration)
    if function is None:
        return True
    if integration.get("credentialsArn"):
        return role_may(integration["credentialsArn"], "lambda:InvokeFunction", arn)
    account_id, region = get_account_id(), get_region()
    return any(
        iam_evaluator.evaluate_resource_policy(
            function.get("policy"),
            iam_evaluator.EvalContext(
                principal_arn=GATEWAY,
                principal_type="Service",
                principal_account=account_id,
                action="lambda:InvokeFunction",
                resource_arn=arn,
                region=region,
                source_ip="127.0.0.1",
                secure_transport=True,
                service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": account_id},
            ),
            service=GATEWAY,
        ).decision
        == "Allow"
        for source_arn in source.arns(account_id, region)
    )


def _function_of(integration: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """Return the ARN and the record of the function that an integration invokes."""
    reference = apigateway._extract_lambda_ref_from_integration_uri(integration.get("integrationUri", ""))
    name, _, qualifier = reference.rpartition(":function:")[2].partition(":")
    suffix = f":{qualifier}" if qualifier else ""
    arn = f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}{suffix}"
    return arn, lambda_svc._functions.get(name)


def _check_queue_permission() -> None:
    create, concurrency = lambda_svc._create_esm, lambda_svc._sqs_esm_concurrency

    def create_esm(data: dict[str, Any]) -> Any:
        function = lambda_svc._functions.get(lambda_svc._resolve_name(data.get("FunctionName", "")))
        source = str(data.get("EventSourceArn", ""))
        refused = _refused_queue_action(function, source) if function is not None else None
        if refused is not None:
            return error_response_json("InvalidParameterValueException", refusal(refused), 400)
        return create(data)

    def sqs_esm_concurrency(esm: dict[str, Any], func_rec: dict[str, Any], *arguments: Any) -> int:
        refused = _refused_queue_action(func_rec, esm.get("EventSourceArn", ""))
        if refused is not None:
            esm["LastProcessingResult"] = f"PROBLEM: {refusal(refused)}"
            return 0
        # Lambda takes more batches at once by and by; here when no environment starts, be it for a batch or a caller.
        if Environment.some_start():
            return 0
        allowed: int = concurrency(esm, func_rec, *arguments)
        return allowed

    def settle_event_source(
        physical_id: str, new: dict[str, Any], old: dict[str, Any], attributes: Any
    ) -> None:
        mapping = lambda_svc._esms[physical_id]
        refused = _refused_queue_action(
            lambda_svc._functions[mapping["FunctionName"]], mapping["EventSourceArn"]
        )
        if refused is not None:
            raise ValueError(refusal(refused))

    lambda_svc._create_esm = create_esm
    lambda_svc._sqs_esm_concurrency = sqs_esm_concurrency
    hooks.after("AWS::Lambda::EventSourceMapping", settle_event_source)


def refusal(action: str) -> str:
    """Return Lambda's words for a role that may not do an SQS action."""
    return f"The provided execution role does not have permissions to call {action.partition(':')[2]} on SQS"


def _refused_queue_action(function: Mapping[str, Any], queue_arn: str) -> str | None:
    """Return the first SQS action that the function's role may not do on the queue, or None."""
    if ":sqs:" not in queue_arn:
        return None
    role = str((function.get("config") or function).get("Role", ""))
    return next((action for action in SQS_ACTIONS if not role_may(role, action, queue_arn)), None)

"""Overlay: EventBridge delivers the events that a target's policy or role allows, and sends the others to its dead-letter queue.

MiniStack delivers to every target without regard to its policy, has no dead letters and publishes no metrics. S3's events
lack the version that an object got. An attempt that fails for lack of a permission is not repeated, as on AWS.

Source: Amazon EventBridge User Guide, "Using resource-based policies", "Using dead-letter queues to process undelivered
events", "Monitoring Amazon EventBridge"; Amazon S3 User Guide, "EventBridge event message structure".
"""

from __future__ import annotations

import contextvars
import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, eventbridge, lambda_svc, s3, sns, sqs

from verification.embedded.server import functions, require
from verification.embedded.server.context import Context

require(
    eventbridge,
    "_dispatch_event",
    "_dispatch_to_lambda",
    "_invoke_target",
    "_matches_pattern_view",
    "_pattern_event_view",
)
require(iam_evaluator, "EvalContext", "evaluate_resource_policy")
require(
    lambda_svc,
    "_execution_record_for_config",
    "_functions",
    "_get_func_record_for_ref",
    "_route_async_failure",
    "invoke_async_with_retry",
)
require(cloudwatch, "record_metric")
require(s3, "_deliver_event_to_lambda", "_fire_s3_event")
require(sns, "topic_policy_allows", "_topics")
require(sqs, "_act_send_message", "_queue_by_arn", "queue_policy_allows")

SERVICE = "events.amazonaws.com"
# What EventBridge does as the target's role; the other services are asked by their own policies.
ROLE_ACTIONS = {"states": "states:StartExecution", "kinesis": "kinesis:PutRecord"}
# What Lambda does as the function's role, when it hands on an event that failed.
DESTINATION_ACTIONS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}
_version = contextvars.ContextVar[str | None]("version_of_the_object", default=None)


def install(_context: Context) -> None:
    """Lay the overlay over MiniStack."""
    _add_object_versions()
    _deliver_what_is_allowed()
    eventbridge._dispatch_to_lambda = invoke_later
    _keep_failures_as_the_role_may()
    _notify_functions_that_admit_s3()


def _add_object_versions() -> None:
    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire_s3_event(*arguments: Any, **keywords: Any) -> None:
        token = _version.set(keywords.get("version_id"))
        try:
            fire(*arguments, **keywords)
        finally:
            _version.reset(token)

    def dispatch_event(event: dict[str, Any], view: Any = None) -> None:
        version = _version.get()
        if version is not None and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event, view = {**event, "Detail": json.dumps(detail)}, None
        dispatch(event, view)

    s3._fire_s3_event = fire_s3_event
    eventbridge._dispatch_event = dispatch_event


def _deliver_what_is_allowed() -> None:
    invoke = eventbridge._invoke_target

    def invoke_target(
        target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
    ) -> None:
        reason = refusal(target, rule)
        count(rule, "Invocations")
        if reason is None:
            invoke(target, event, rule, view)
            return
        count(rule, "FailedInvocations")
        bury(target, event, rule, reason)

    eventbridge._invoke_target = invoke_target


def refusal(target: Mapping[str, Any], rule: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return error code and message of a delivery that the target does not let EventBridge do, or None."""
    arn = str(target.get("Arn", ""))
    service = parse_arn(arn).service
    if not exists(service, arn):
        return "RESOURCE_NOT_FOUND", f"The target {arn} does not exist."
    if allows(service, target, rule):
        return None
    return "NO_PERMISSIONS", f"EventBridge has no permission to deliver to {arn}."


def exists(service: str, arn: str) -> bool:
    """Return whether a target is there; of services that are not distinguished here, it is."""
    if service == "sqs":
        return sqs._queue_by_arn(arn) is not None
    if service == "sns":
        return arn in sns._topics
    return service != "lambda" or lambda_svc._get_func_record_for_ref(arn)[0] is not None


def allows(service: str, target: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    """Return whether the target's policy, or its role, lets EventBridge deliver for a rule."""
    arn, source, account_id = str(target["Arn"]), str(rule["Arn"]), get_account_id()
    if service == "sqs":
        return bool(sqs.queue_policy_allows(arn, SERVICE, source, account_id))
    if service == "sns":
        return bool(sns.topic_policy_allows(arn, SERVICE, source, account_id))
    if service in ROLE_ACTIONS:
        return functions.role_may(str(target.get("RoleArn", "")), ROLE_ACTIONS[service], arn)
    if service != "lambda":
        return True
    return function_admits(arn, SERVICE, source)


def function_admits(arn: str, service: str, source: str) -> bool:
    """Return whether a function's policy lets a service invoke it on behalf of a resource."""
    function, _, _ = lambda_svc._get_func_record_for_ref(arn)
    account_id = get_account_id()
    asked = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account_id,
        action="lambda:InvokeFunction",
        resource_arn=arn,
        region=get_region(),
        service_context={"aws:sourcearn": source, "aws:sourceaccount": account_id},
    )
    policy = (function or {}).get("policy")
    return bool(iam_evaluator.evaluate_resource_policy(policy, asked, service=service).decision == "Allow")


def bury(
    target: Mapping[str, Any], event: dict[str, Any], rule: Mapping[str, Any], reason: tuple[str, str]
) -> None:
    """Send an undelivered event to the target's dead-letter queue, if it has one that lets EventBridge do so."""
    arn = str((target.get("DeadLetterConfig") or {}).get("Arn") or "")
    if not arn:
        return
    queue = sqs._queue_by_arn(arn)
    if queue is None or not sqs.queue_policy_allows(arn, SERVICE, str(rule["Arn"]), get_account_id()):
        count(rule, "InvocationsFailedToBeSentToDlq")
        return
    attributes = {
        "ERROR_CODE": reason[0],
        "ERROR_MESSAGE": reason[1],
        "RULE_ARN": str(rule["Arn"]),
        "TARGET_ARN": str(target["Arn"]),
    }
    message = {
        "QueueUrl": queue["url"],
        "MessageBody": json.dumps(eventbridge._pattern_event_view(event).event_with_detail()),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }
    sqs._act_send_message(message, queue["url"])
    count(rule, "InvocationsSentToDlq")


def count(rule: Mapping[str, Any], metric: str) -> None:
    """Add one to a metric of a rule."""
    cloudwatch.record_metric("AWS/Events", metric, 1.0, "Count", {"RuleName": rule["Name"]})


def invoke_later(arn: str, payload: str) -> None:
    """Invoke a function asynchronously, as its own settings say: with attempts, and a place for what failed."""
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    record = lambda_svc._execution_record_for_config(function, config)
    lambda_svc.invoke_async_with_retry(record, json.loads(payload))


def _keep_failures_as_the_role_may() -> None:
    route = lambda_svc._route_async_failure

    def route_async_failure(target_arn: str, function: str, *arguments: Any) -> None:
        config = lambda_svc._functions[function]["config"]
        role = str(config.get("Role", ""))
        action = DESTINATION_ACTIONS.get(parse_arn(target_arn).service)
        if action is None or functions.role_may(role, action, target_arn):
            route(target_arn, function, *arguments)
        else:
            functions.publish(config, "DestinationDeliveryFailures", 1)

    lambda_svc._route_async_failure = route_async_failure


def _notify_functions_that_admit_s3() -> None:
    deliver = s3._deliver_event_to_lambda

    def deliver_event_to_lambda(arn: str, payload: dict[str, Any], *rest: Any) -> None:
        bucket = payload["Records"][0]["s3"]["bucket"]["arn"]
        if function_admits(arn, "s3.amazonaws.com", bucket):
            deliver(arn, payload, *rest)

    s3._deliver_event_to_lambda = deliver_event_to_lambda

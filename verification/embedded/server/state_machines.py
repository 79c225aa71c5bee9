"""Overlay: Step Functions as its operators see it - settings, permissions of the role, log, metrics.

MiniStack's CloudFormation drops a state machine's logging and keeps a definition in YAML as it is, and MiniStack drops its
tracing; an execution does all that its definition says without regard to its role, and leaves neither log nor metrics. Tasks of
`aws-sdk:` are not checked.

Source: CloudFormation Template Reference, "AWS::StepFunctions::StateMachine", DefinitionS3Location; AWS Step Functions Developer
Guide, "Logging using CloudWatch Logs", "Log levels for execution events", "IAM
policies for integrated services", "Metrics in CloudWatch", "Handling errors".
"""

from __future__ import annotations

import contextvars
import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import yaml
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, cloudwatch_logs, stepfunctions
from ministack.services.cloudformation import provisioners

from verification.embedded.server import functions, require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Attributes, Properties
from verification.embedded.server.context import Context

require(
    stepfunctions,
    "_ExecutionError",
    "_create_state_machine",
    "_executions",
    "_execute_task",
    "_extract_lambda_ref",
    "_emit_execution_status_event",
    "_invoke_resource",
    "_resolve_lambda_function_ref",
    "_state_machines",
    "_update_state_machine",
)
require(provisioners, "_sfn_definition")
require(cloudwatch, "record_metric")
require(cloudwatch_logs, "_append_log_events", "_create_log_stream", "_log_groups")

STATE_MACHINE = "AWS::StepFunctions::StateMachine"
OFF: dict[str, Any] = {"level": "OFF", "includeExecutionData": False}
UNTRACED = {"enabled": False}
SERVICE_ERRORS = {
    "dynamodb": "DynamoDB.AmazonDynamoDBException",
    "lambda": "Lambda.AWSLambdaException",
    "sns": "SNS.AmazonSNSException",
    "sqs": "SQS.AmazonSQSException",
    "states": "StepFunctions.AWSStepFunctionsException",
}
METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "ABORTED": "ExecutionsAborted",
    "TIMED_OUT": "ExecutionsTimedOut",
}
# The events that each level lets through, by the end of their types.
LEVELS = {
    "ALL": re.compile("."),
    "ERROR": re.compile("(Failed|TimedOut|Aborted)$"),
    "FATAL": re.compile("^Execution(Failed|TimedOut|Aborted)$"),
    "OFF": re.compile("(?!)"),
}
DATA = ("input", "output", "parameters")
_role = contextvars.ContextVar[str]("role_of_the_execution", default="")


def install(_context: Context) -> None:
    """Lay the overlay over MiniStack."""
    _keep_tracing()
    _read_yaml()
    hooks.after(STATE_MACHINE, settle)
    _ask_the_role()
    _report_executions()


def _keep_tracing() -> None:
    create, update = stepfunctions._create_state_machine, stepfunctions._update_state_machine

    def create_state_machine(data: dict[str, Any]) -> Any:
        answer = create(data)
        if answer[0] < HTTPStatus.BAD_REQUEST:
            machine = stepfunctions._state_machines[json.loads(answer[2])["stateMachineArn"]]
            machine["tracingConfiguration"] = data.get("tracingConfiguration", UNTRACED)
        return answer

    def update_state_machine(data: dict[str, Any]) -> Any:
        answer = update(data)
        if answer[0] < HTTPStatus.BAD_REQUEST and "tracingConfiguration" in data:
            machine = stepfunctions._state_machines[data["stateMachineArn"]]
            machine["tracingConfiguration"] = data["tracingConfiguration"]
        return answer

    stepfunctions._create_state_machine = create_state_machine
    stepfunctions._update_state_machine = update_state_machine


def _read_yaml() -> None:
    read = provisioners._sfn_definition

    def definition(properties: Properties) -> str:
        text: str = read(properties)
        try:
            json.loads(text)
        except ValueError:
            found = yaml.safe_load(text)
            return json.dumps(found, default=str) if isinstance(found, dict) else text
        return text

    provisioners._sfn_definition = definition


def settle(physical_id: str, new: Properties, old: Properties, _attributes: Attributes) -> None:
    """Give the machine the logging and tracing of its template, in the API's words."""
    machine = stepfunctions._state_machines[physical_id]
    if "LoggingConfiguration" in new or "LoggingConfiguration" in old or not old:
        declared = hooks.camel_case(new.get("LoggingConfiguration") or {})
        declared = {**OFF, **declared}
        declared["includeExecutionData"] = hooks.as_bool(declared["includeExecutionData"])
        machine["loggingConfiguration"] = declared
    if "TracingConfiguration" in new or "TracingConfiguration" in old or not old:
        declared = new.get("TracingConfiguration") or {}
        machine["tracingConfiguration"] = {"enabled": hooks.as_bool(declared.get("Enabled", False))}


def _ask_the_role() -> None:
    execute, invoke = stepfunctions._execute_task, stepfunctions._invoke_resource

    def execute_task(state: Any, given: Any, execution: dict[str, Any], context: Any) -> Any:
        machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) or {}
        token = _role.set(str(machine.get("roleArn", "")))
        try:
            return execute(state, given, execution, context)
        finally:
            _role.reset(token)

    def invoke_resource(resource: str, given: Any) -> Any:
        asked = permission(resource, given)
        if asked is not None and not functions.role_may(_role.get(), *asked):
            action, arn = asked
            raise stepfunctions._ExecutionError(
                SERVICE_ERRORS[action.partition(":")[0]],
                f"User: {_role.get()} is not authorized to perform: {action} on resource: {arn} because no "
                f"identity-based policy allows the {action} action",
            )
        return invoke(resource, given)

    stepfunctions._execute_task = execute_task
    stepfunctions._invoke_resource = invoke_resource


def permission(resource: str, given: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the action and the ARN that a task needs, or None for what is not asked for here."""
    where = f"{get_region()}:{get_account_id()}"
    service, _, operation = resource.partition(":::")[2].partition(":")
    function = (
        stepfunctions._resolve_lambda_function_ref(given.get("FunctionName", ""), optimized=True)
        if service == "lambda"
        else stepfunctions._extract_lambda_ref(resource)
    )
    if function:
        name = str(function).rpartition(":function:")[2]
        return "lambda:InvokeFunction", f"arn:aws:lambda:{where}:function:{name}"
    if service == "dynamodb":
        table = str(given.get("TableName", "")).rpartition("/")[2]
        action = operation[:1].upper() + operation[1:]
        return f"dynamodb:{action}", f"arn:aws:dynamodb:{where}:table/{table}"
    queue = str(given.get("QueueUrl", "")).rpartition("/")[2]
    others = {
        "sns": ("sns:Publish", str(given.get("TopicArn", "*"))),
        "sqs": ("sqs:SendMessage", f"arn:aws:sqs:{where}:{queue}"),
        "states": ("states:StartExecution", str(given.get("StateMachineArn", ""))),
    }
    return others.get(service)


def _report_executions() -> None:
    emit = stepfunctions._emit_execution_status_event

    def emit_execution_status_event(execution: dict[str, Any]) -> None:
        emit(execution)
        count(execution)
        if execution["status"] != "RUNNING":
            write_log(execution)

    stepfunctions._emit_execution_status_event = emit_execution_status_event


def count(execution: Mapping[str, Any]) -> None:
    """Publish what an execution's new status adds to its machine's metrics."""
    machine = {"StateMachineArn": execution["stateMachineArn"]}
    cloudwatch.record_metric("AWS/States", METRICS[execution["status"]], 1.0, "Count", machine)
    if execution["stopDate"]:
        took = moment(execution["stopDate"]) - moment(execution["startDate"])
        cloudwatch.record_metric("AWS/States", "ExecutionTime", took * 1000, "Milliseconds", machine)


def write_log(execution: Mapping[str, Any]) -> None:
    """Write the events of an ended execution to its machine's log group, if the log level and the role allow it."""
    machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) or {}
    settings: dict[str, Any] = machine.get("loggingConfiguration") or OFF
    wanted = LEVELS[settings.get("level", "OFF")]
    chosen = [event for event in execution["events"] if wanted.search(event["type"])]
    destinations = settings.get("destinations") or []
    role = str(machine.get("roleArn", ""))
    if not chosen or not destinations or not functions.role_may(role, "logs:CreateLogDelivery", "*"):
        return
    arn = str(destinations[0]["cloudWatchLogsLogGroup"]["logGroupArn"])
    group = arn.partition(":log-group:")[2].removesuffix(":*")
    if group not in cloudwatch_logs._log_groups:
        return
    stream = f"states/{machine['name']}/{datetime.now(UTC):%Y-%m-%d-%H-%M}/{execution['name'][:8]}"
    if stream not in cloudwatch_logs._log_groups[group]["streams"]:
        cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    received = int(time.time() * 1000)
    cloudwatch_logs._append_log_events(
        cloudwatch_logs._log_groups[group]["streams"][stream],
        [
            line(execution, event, () if settings["includeExecutionData"] else DATA, received)
            for event in chosen
        ],
    )


def line(
    execution: Mapping[str, Any], event: Mapping[str, Any], hidden: tuple[str, ...], received: int
) -> dict[str, Any]:
    """Return one event of an execution as a line of its log, without the members of its details that are hidden."""
    details: dict[str, Any] = next((value for name, value in event.items() if name.endswith("Details")), {})
    at = int(moment(event["timestamp"]) * 1000)
    logged = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": {name: value for name, value in details.items() if name not in hidden},
        "previous_event_id": str(event["id"] - 1),
        "event_timestamp": str(at),
        "execution_arn": execution["executionArn"],
        "redrive_count": "0",
    }
    return {"timestamp": at, "message": json.dumps(logged), "ingestionTime": received}


def moment(timestamp: str) -> float:
    """Return one of MiniStack's timestamps in seconds."""
    return datetime.fromisoformat(timestamp).timestamp()

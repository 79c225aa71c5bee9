"""What the tasks of a state machine call, and whether its role grants it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from readiness.aws.policy import read
from readiness.aws.role import Role
from readiness.aws.state_machine import StateMachine, Task
from readiness.catalogue.lacking import ungranted
from readiness.discovery.graph import Graph
from readiness.environment import iam_action
from readiness.probes.iam_actions import is_known
from readiness.probes.service_models import model, operations

_PLACEHOLDER: Final = re.compile(r"\$\{[A-Za-z0-9_.:]+\}")
_INTEGRATION: Final = re.compile(
    r"arn:[\w-]+:states:[\w-]*:\d*:(aws-sdk:)?(\w+):(\w+)(?:\.(?:sync(?::2)?|waitForTaskToken))?"
)
_TRACES: Final = (
    *("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
)
"""Source: Step Functions Developer Guide, "IAM policies for X-Ray"."""
_LOGS: Final = (
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
    *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
    "logs:DescribeLogGroups",
)
"""Source: Step Functions Developer Guide, "IAM policies for logging to CloudWatch Logs"."""


def _arn(service: str, prefix: str = "") -> Callable[[str, str], str]:
    """What makes an ARN of the name that a task gives, in the machine's region and account."""

    def made(name: str, machine: str) -> str:
        if name.startswith("arn:"):
            return name
        partition, _, region, account = machine.split(":")[1:5]
        return f"arn:{partition}:{service}:{region}:{account}:{prefix}{name.rpartition(f':{prefix}')[2]}"

    return made


def _of_url(url: str, machine: str) -> str:
    account, name = url.rstrip("/").split("/")[-2:]
    partition, _, region = machine.split(":")[1:4]
    return f"arn:{partition}:sqs:{region}:{account}:{name}"


_TABLE: Final = _arn("dynamodb", "table/")
_TARGETS: Final[Mapping[str, tuple[str, str, Callable[[str, str], str]]]] = {
    "lambda:invoke": ("lambda:InvokeFunction", "FunctionName", _arn("lambda", "function:")),
    "sqs:sendmessage": ("sqs:SendMessage", "QueueUrl", _of_url),
    "sns:publish": ("sns:Publish", "TopicArn", _arn("sns")),
    "states:startexecution": ("states:StartExecution", "StateMachineArn", _arn("states", "stateMachine:")),
    **{
        f"dynamodb:{name.lower()}": (f"dynamodb:{name}", "TableName", _TABLE)
        for name in ("GetItem", "PutItem", "UpdateItem", "DeleteItem")
    },
}
"""The optimised integrations whose target a task names: action, parameter, and what makes an ARN of it.
Source: Step Functions Developer Guide, "Integrating services with Step Functions"."""


def nameless(machine: StateMachine) -> Iterator[str]:
    """Tasks that name their target by a placeholder that nothing has filled in.

    Raises:
        Unverified: the definition cannot be read.
    """
    names = {parameter for _, parameter, _ in _TARGETS.values()}
    for task in machine.tasks:
        texts = [task.resource, *(str(task.arguments[name]) for name in names & task.arguments.keys())]
        for text in texts:
            if not text.startswith("{%") and (found := _PLACEHOLDER.search(text)):
                yield (
                    f"expected that task {task.name!r} names its target, found {found[0]}, which nothing fills in; give "
                    "DefinitionSubstitutions its value"
                )


def lacking(machine: StateMachine, role: Role, graph: Graph) -> Iterator[str]:
    """Yield the actions that a state machine certainly uses and that no policy grants.

    Args:
        machine: the state machine, whose tasks, traces and logs are checked.
        role: the machine's role.
        graph: the stack. Its resources may allow the role by policies of their own.

    Raises:
        Unverified: the definition cannot be read; or all actions are granted, and a permissions boundary may still deny
            some of them.
    """
    needed = dict.fromkeys(_needed(machine))
    yield from ungranted(needed, role, read(role.statements), graph, needs="what is needed")


def _needed(machine: StateMachine) -> Iterator[tuple[str, str, str]]:
    """Actions, the ARN that each is about ('' for any), and what for."""
    for task in machine.tasks:
        if "Credentials" not in task.definition:  # it has a role of its own
            for action, resource in _called(task, machine.arn):
                yield action, resource, f"by task {task.name!r}"
    if machine.traces:
        yield from ((action, "", "to trace executions") for action in _TRACES)
    if machine.log_level != "OFF":
        yield from ((action, "", "to deliver logs") for action in _LOGS)


def _called(task: Task, machine: str) -> Iterator[tuple[str, str]]:
    if ":lambda:" in task.resource and ":function:" in task.resource:
        yield "lambda:InvokeFunction", task.resource
        return
    if (found := _INTEGRATION.fullmatch(task.resource)) is None:
        return
    through_sdk, service, operation = found.groups()
    if through_sdk:
        yield from ((action, "") for action in _of_sdk(service, operation))
    elif (target := _TARGETS.get(f"{service}:{operation}".lower())) is not None:
        action, parameter, made = target
        name = _literal(task.arguments, parameter)
        yield action, made(name, machine) if name else ""


def _literal(arguments: Mapping[str, Any], parameter: str) -> str:
    """What a task names, '' for what its input says or nothing fills in."""
    value = arguments.get(parameter, "")
    is_said = isinstance(value, str) and not value.startswith(("{%", "$")) and not _PLACEHOLDER.search(value)
    return value if is_said else ""


def _of_sdk(service: str, operation: str) -> Sequence[str]:
    """The action of an operation of an SDK; none where its name is not botocore's, or IAM does not know it."""
    names = {name.lower(): name for name in operations(service).values()}
    known = model(service)
    if known is None or (name := names.get(operation.lower())) is None:
        return []
    action = iam_action(known.operation_model(name))
    return [action] if is_known(action) else []

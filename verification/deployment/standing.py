"""Whether a stack's present state permits a deployment, and what to do when it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import botocore.exceptions
import yaml

from readiness.errors import Unverified, UsageProblem

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
# A stack of forty resources tells some two hundred events an operation.
_EVENTS = 500
_POLL_EVERY_S = 2.0
_SAY_EVERY_S = 30.0


class Target(Protocol):
    """What a deployment asks of an environment; `readiness.environment.Environment` has it."""

    @property
    def name(self) -> str: ...
    @property
    def stack_name(self) -> str: ...
    @property
    def region(self) -> str: ...
    def client(self, service: Literal["cloudformation"], /) -> CloudFormationClient: ...


@dataclass(frozen=True)
class Standing:
    """What CloudFormation says about a stack right now."""

    status: str | None
    stack_id: str = ""
    changed: str = ""
    protected: bool = False
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        """Whether there are resources and earlier parameter values; under review, or undone, a stack has neither."""
        return self.status not in (None, "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_COMPLETE")

    @property
    def moving(self) -> bool:
        """Whether an operation is under way. In review, none is until a user executes a change set."""
        return self.status is not None and self.status.endswith("_IN_PROGRESS") and self.exists

    @property
    def is_empty(self) -> bool:
        """Whether its first creation was undone: nothing is left in it, and AWS allows nothing but deleting it."""
        return self.status == "ROLLBACK_COMPLETE"


# The next step for each status in which CloudFormation refuses every update and something may still be there.
_STUCK = {
    "ROLLBACK_FAILED": "its first creation failed and could not be undone entirely",
    "CREATE_FAILED": "its first creation failed",
    "DELETE_FAILED": "deleting it failed half-way, often because a bucket still holds objects; empty that bucket",
}


def standing(target: Target) -> Standing:
    """Ask CloudFormation about the environment's stack.

    Raises:
        UsageProblem: it may not be read, or CloudFormation did not answer.
    """
    try:
        found = target.client("cloudformation").describe_stacks(StackName=target.stack_name)["Stacks"][0]
    except botocore.exceptions.ClientError as problem:
        error = problem.response["Error"]
        if error["Code"] == "ValidationError" and "does not exist" in error.get("Message", ""):
            return Standing(status=None)
        raise UsageProblem(f"stack '{target.stack_name}' cannot be read: {problem}") from problem
    except (Unverified, botocore.exceptions.BotoCoreError) as problem:
        raise UsageProblem(f"stack '{target.stack_name}' cannot be read: {problem}") from problem
    return Standing(
        status=found["StackStatus"],
        stack_id=found.get("StackId", ""),
        changed=str(found.get("LastUpdatedTime") or found.get("CreationTime") or ""),
        protected=bool(found.get("EnableTerminationProtection")),
        outputs={item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])},
        parameters={
            item["ParameterKey"]: item.get("ParameterValue", "") for item in found.get("Parameters", [])
        },
    )


def require_still(target: Target, found: Standing) -> None:
    """Refuse a stack whose state is about to be another.

    Raises:
        UsageProblem: the stack is in the middle of an operation.
    """
    if found.moving:
        raise UsageProblem(
            f"stack '{target.stack_name}' is {found.status}: an operation is under way; wait until it has ended, "
            "then run again"
        )


def require_deployable(target: Target, found: Standing) -> None:
    """Refuse a stack that CloudFormation would refuse, in words that say what to do.

    Raises:
        UsageProblem: the stack is in the middle of an operation, or stuck.
    """
    require_still(target, found)
    status = found.status
    name = f"stack '{target.stack_name}' is {status}"
    if status in _STUCK:
        reason = first_failure(target)
        raise UsageProblem(
            f"{name}: {_STUCK[status]}{f' ({reason})' if reason else ''}. Fix the cause, delete the stack, then deploy "
            f"again: ./scripts/deploy.sh {target.name} --delete"
        )
    if status == "UPDATE_ROLLBACK_FAILED":
        raise UsageProblem(
            f"{name}: an update failed and could not be undone entirely ({first_failure(target) or 'see its events'}). "
            "Continue the rollback in the CloudFormation console (Stack actions, Continue update rollback), then deploy again"
        )


def require_deletable(target: Target, found: Standing) -> None:
    """Refuse a stack that is protected from exactly this, and say who may take the protection away.

    Raises:
        UsageProblem: it has termination protection.
    """
    if found.protected:
        raise UsageProblem(
            f"stack '{target.stack_name}' has termination protection, and nothing was deleted; if it must go, first: "
            "aws cloudformation update-termination-protection --no-enable-termination-protection "
            f"--region {target.region} --stack-name {target.stack_name}"
        )


def wait_until_idle(
    target: Target,
    *,
    patience_s: float,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Standing:
    """Return the stack after the operation in progress has ended, such as one that a killed deployment began.

    Args:
        target: whose stack.
        patience_s: how long to wait.
        say: reports to the user what is waited for, and the progress.
        clock: the time in seconds.
        pause: waits.

    Raises:
        UsageProblem: it may not be read, or the operation takes longer than that.
    """
    begun, said_at, last = clock(), -_SAY_EVERY_S, ""
    while (found := standing(target)).moving:
        waited = clock() - begun
        name = f"stack '{target.stack_name}' is {found.status}"
        if waited >= patience_s:
            raise UsageProblem(
                f"{name}: an operation is under way, and has not ended in {patience_s:.0f} s; check it in the "
                "CloudFormation console, then run again"
            )
        news = next((f"{e['LogicalResourceId']} {e['ResourceStatus']}" for e in last_operation(target)), "")
        if news != last or clock() - said_at >= _SAY_EVERY_S:
            say(
                f"{name}; waiting until the operation ends ({waited:.0f} s{f', last: {news}' if news else ''})"
            )
            last, said_at = news, clock()
        pause(_POLL_EVERY_S)
    return found


def last_operation(target: Target) -> list[Mapping[str, Any]]:
    """What CloudFormation tells of the latest operation on the stack, newest first; empty when it tells nothing."""
    events: list[Mapping[str, Any]] = []
    try:
        pages = target.client("cloudformation").get_paginator("describe_stack_events")
        for page in pages.paginate(StackName=target.stack_name, PaginationConfig={"MaxItems": _EVENTS}):
            for event in page["StackEvents"]:
                events.append(event)
                # Newest first: the operation began where the stack itself was set in motion.
                if event["LogicalResourceId"] == target.stack_name and event["ResourceStatus"] in _BEGINNINGS:
                    return events
    except (Unverified, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
        # The status was reported before. Without the events the operation stays unknown.
        return []
    return events


def first_failure(target: Target) -> str:
    """The resource whose failure started the last rollback, with AWS's reason; empty when none is known."""
    reason = ""
    for event in last_operation(target):
        why = event.get("ResourceStatusReason", "")
        failed = (
            event["ResourceStatus"].endswith("_FAILED") and event["LogicalResourceId"] != target.stack_name
        )
        if failed and why and "cancelled" not in why.lower():
            reason = f"{event['LogicalResourceId']}: {why}"
    return reason


def kept_by_deletion(target: Target) -> list[str]:
    """What deleting the stack leaves behind on purpose, as `logical id: name`.

    Raises:
        UsageProblem: the stack may not be read.
    """
    client = target.client("cloudformation")
    try:
        template: Any = client.get_template(StackName=target.stack_name, TemplateStage="Processed")[
            "TemplateBody"
        ]
        pages = client.get_paginator("list_stack_resources").paginate(StackName=target.stack_name)
        found = [resource for page in pages for resource in page["StackResourceSummaries"]]
    except (Unverified, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as problem:
        raise UsageProblem(f"stack '{target.stack_name}' cannot be read: {problem}") from problem
    declared = yaml.safe_load(template) if isinstance(template, str) else template
    kept = {
        name
        for name, resource in declared.get("Resources", {}).items()
        if str(resource.get("DeletionPolicy", "")).startswith("Retain")
    }
    return sorted(
        f"{each['LogicalResourceId']}: {each.get('PhysicalResourceId', '')}"
        for each in found
        if each["LogicalResourceId"] in kept
    )

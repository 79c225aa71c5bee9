"""Whether a stack can be deployed to as it stands, and what to do when it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import botocore.exceptions

from verification.errors import Denied, UsageProblem


class Target(Protocol):
    """What a deployment asks of an environment; `verification.environment.Environment` has it."""

    @property
    def name(self) -> str: ...
    @property
    def stack_name(self) -> str: ...
    @property
    def region(self) -> str: ...
    def client(self, service: str) -> Any: ...


@dataclass(frozen=True)
class Standing:
    """What CloudFormation says about a stack right now."""

    status: str | None
    stack_id: str = ""
    changed: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        """Whether there are resources and earlier parameter values; a stack under review has neither."""
        return self.status not in (None, "REVIEW_IN_PROGRESS", "DELETE_COMPLETE")


# The next step for each status in which CloudFormation refuses every update.
_STUCK = {
    "ROLLBACK_COMPLETE": "its first creation failed and was undone, and AWS allows nothing but deleting it",
    "ROLLBACK_FAILED": "its first creation failed and could not be undone entirely",
    "CREATE_FAILED": "its first creation failed",
    "DELETE_FAILED": "deleting it failed half-way, often because a bucket still holds objects; empty that bucket",
}


def standing(target: Target) -> Standing:
    """Ask CloudFormation about the environment's stack.

    Raises:
        UsageProblem: it may not be read, or nobody answered.
    """
    try:
        found = target.client("cloudformation").describe_stacks(StackName=target.stack_name)["Stacks"][0]
    except botocore.exceptions.ClientError as problem:
        error = problem.response["Error"]
        if error["Code"] == "ValidationError" and "does not exist" in error.get("Message", ""):
            return Standing(status=None)
        raise UsageProblem(f"stack '{target.stack_name}' cannot be read: {problem}") from problem
    except (Denied, botocore.exceptions.BotoCoreError) as problem:
        raise UsageProblem(f"stack '{target.stack_name}' cannot be read: {problem}") from problem
    return Standing(
        status=found["StackStatus"],
        stack_id=found.get("StackId", ""),
        changed=str(found.get("LastUpdatedTime") or found.get("CreationTime") or ""),
        outputs={item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])},
        parameters={
            item["ParameterKey"]: item.get("ParameterValue", "") for item in found.get("Parameters", [])
        },
    )


def require_deployable(target: Target, found: Standing) -> None:
    """Refuse a stack that CloudFormation would refuse, in words that say what to do.

    Raises:
        UsageProblem: the stack is in the middle of an operation, or stuck.
    """
    status = found.status
    if status is None or status == "REVIEW_IN_PROGRESS":
        return
    name = f"stack '{target.stack_name}' is {status}"
    if status.endswith("_IN_PROGRESS"):
        raise UsageProblem(f"{name}: an operation is under way; wait until it has ended, then run again")
    if status in _STUCK:
        reason = first_failure(target)
        raise UsageProblem(
            f"{name}: {_STUCK[status]}{f' ({reason})' if reason else ''}. Mend the cause, delete the stack, then deploy "
            f"again: .tools/bin/sam delete --stack-name {target.stack_name} --region {target.region} --no-prompts"
        )
    if status == "UPDATE_ROLLBACK_FAILED":
        raise UsageProblem(
            f"{name}: an update failed and could not be undone entirely ({first_failure(target) or 'see its events'}). "
            "Continue the rollback in the CloudFormation console (Stack actions, Continue update rollback), then deploy again"
        )


def first_failure(target: Target) -> str:
    """The resource whose failure started the last rollback, with AWS's reason; empty when none is known."""
    try:
        pages = target.client("cloudformation").get_paginator("describe_stack_events")
        reason = ""
        for page in pages.paginate(StackName=target.stack_name, PaginationConfig={"MaxItems": 200}):
            for event in page["StackEvents"]:
                resource, status = event["LogicalResourceId"], event["ResourceStatus"]
                why = event.get("ResourceStatusReason", "")
                # Newest first: the last operation began where the stack itself was set in motion.
                if resource == target.stack_name:
                    if status in (
                        "CREATE_IN_PROGRESS",
                        "UPDATE_IN_PROGRESS",
                        "DELETE_IN_PROGRESS",
                    ):
                        return reason
                elif status.endswith("_FAILED") and why and "cancelled" not in why.lower():
                    reason = f"{resource}: {why}"
    except (Denied, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
        # The status has been told already; without the events its cause stays unknown.
        return ""
    return reason

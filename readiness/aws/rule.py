"""AWS::Events::Rule and AWS::Scheduler::Schedule."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from readiness.environment import Environment
from readiness.errors import Missing


@dataclass(frozen=True)
class Target:
    """What a rule or schedule starts."""

    arn: str
    role_arn: str = ""
    dead_letter_arn: str = ""


@dataclass(frozen=True)
class Losses:
    """The metrics that tell of events that no target received.

    Args:
        namespace: of the metrics.
        dimension: the one that names the rule or the group of the schedule.
        metrics: their names.
    """

    namespace: str
    dimension: str
    metrics: Sequence[str]


@dataclass(frozen=True)
class Rule:
    """A live rule, by CloudFormation's physical id: its name, after that of another bus than the default one and `|`."""

    losses: ClassVar = Losses(
        "AWS/Events", "RuleName", ("FailedInvocations", "InvocationsFailedToBeSentToDlq")
    )

    env: Environment = field(repr=False)
    physical_id: str

    @property
    def name(self) -> str:
        return self.physical_id.rpartition("|")[2]

    @property
    def measured_as(self) -> str:
        """The value of its metrics' dimension."""
        return self.name

    @property
    def _which(self) -> Mapping[str, Any]:
        bus = self.physical_id.rpartition("|")[0]
        return {"EventBusName": bus} if bus else {}

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self.env.client("events").describe_rule(Name=self.name, **self._which))

    @property
    def arn(self) -> str:
        return str(self.description["Arn"])

    @property
    def enabled(self) -> bool:
        return str(self.description["State"]).startswith("ENABLED")

    @property
    def schedule(self) -> str:
        """When it fires, such as `rate(1 day)`; '' where it waits for events alone."""
        return str(self.description.get("ScheduleExpression") or "")

    @property
    def pattern(self) -> Mapping[str, Any]:
        """Which events it takes, empty for a schedule."""
        return dict(json.loads(self.description.get("EventPattern") or "{}"))

    @cached_property
    def targets(self) -> Sequence[Target]:
        client = self.env.client("events")
        answer = client.list_targets_by_rule(
            Rule=self.name, **self._which
        )  # five at most, by EventBridge's quota
        return [
            Target(one["Arn"], one.get("RoleArn", ""), one.get("DeadLetterConfig", {}).get("Arn", ""))
            for one in answer["Targets"]
        ]


@dataclass(frozen=True)
class Schedule:
    """A live schedule of EventBridge Scheduler, by its name, which is its physical id."""

    losses: ClassVar = Losses(
        "AWS/Scheduler", "ScheduleGroup", ("InvocationDroppedCount", "TargetErrorCount")
    )

    env: Environment = field(repr=False)
    physical_id: str

    @property
    def name(self) -> str:
        return self.physical_id.rpartition("/")[2]

    @property
    def measured_as(self) -> str:
        """The value of its metrics' dimension."""
        return str(self.description["GroupName"])

    @cached_property
    def description(self) -> Mapping[str, Any]:
        """The schedule.

        Raises:
            Missing: no group has one of this name.
        """
        client = self.env.client("scheduler")
        pages = client.get_paginator("list_schedules").paginate(NamePrefix=self.name)
        groups = [one["GroupName"] for page in pages for one in page["Schedules"] if one["Name"] == self.name]
        if not groups:
            raise Missing(f"schedule '{self.name}' does not exist; deploy the stack again")
        return dict(client.get_schedule(Name=self.name, GroupName=groups[0]))

    @property
    def arn(self) -> str:
        return str(self.description["Arn"])

    @property
    def enabled(self) -> bool:
        return bool(self.description["State"] == "ENABLED")

    @property
    def schedule(self) -> str:
        """When it fires, such as `rate(1 day)` or `at(2030-01-01T00:00:00)`."""
        return str(self.description.get("ScheduleExpression") or "")

    @property
    def targets(self) -> Sequence[Target]:
        target = self.description["Target"]
        dead_letters = target.get("DeadLetterConfig", {}).get("Arn", "")
        return [Target(target["Arn"], target.get("RoleArn", ""), dead_letters)]

"""AWS::StepFunctions::StateMachine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from readiness.environment import Environment
from readiness.errors import Unverified

_WAITS = (".sync", ".sync:2", ".waitForTaskToken")


@dataclass(frozen=True)
class Task:
    """One state of type Task, at any level of the definition.

    `covered` is true where a Map or Parallel state around it retries or catches.
    """

    name: str
    definition: Mapping[str, Any] = field(repr=False)
    covered: bool = False

    @property
    def resource(self) -> str:
        return str(self.definition.get("Resource", ""))

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What it hands to the service that it calls; none where an expression makes them."""
        parameters = self.definition.get("Parameters") or self.definition.get("Arguments")
        return parameters if isinstance(parameters, Mapping) else {}

    @property
    def function(self) -> str:
        """Name or ARN of the function that it calls, '' for none or one that the input names."""
        if ":lambda:" in self.resource and ":function:" in self.resource:
            return self.resource
        if "states:::lambda:invoke" in self.resource:
            return str(self.arguments.get("FunctionName", ""))
        return ""

    @property
    def timeout_seconds(self) -> int | None:
        """After how long the state machine gives up; None for never, or for what the input says."""
        seconds = self.definition.get("TimeoutSeconds")
        return seconds if isinstance(seconds, int) else None

    @property
    def has_time_limit(self) -> bool:
        names = ("TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath")
        return any(name in self.definition for name in names)

    @property
    def waits_for_others(self) -> bool:
        """Whether the state waits until another system completes it: an activity, a job, a task token."""
        return ":activity:" in self.resource or self.resource.endswith(_WAITS)

    @property
    def handles_errors(self) -> bool:
        return self.covered or _handles(self.definition)


@dataclass(frozen=True)
class StateMachine:
    """A live state machine."""

    env: Environment = field(repr=False)
    arn: str

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self.env.client("stepfunctions").describe_state_machine(stateMachineArn=self.arn))

    @cached_property
    def definition(self) -> Mapping[str, Any]:
        """What it does, in Amazon States Language.

        Raises:
            Unverified: it is no JSON, as where it is encrypted with a key that the verifier may not use.
        """
        try:
            return dict(json.loads(self.description["definition"]))
        except (KeyError, ValueError) as problem:
            raise Unverified(f"the definition of {self!r} cannot be read: {problem}") from problem

    @property
    def role_name(self) -> str:
        return str(self.description["roleArn"]).rpartition("/")[2]

    @property
    def log_level(self) -> str:
        """OFF, FATAL, ERROR or ALL.

        Raises:
            Unverified: the answer does not say.
        """
        configuration = self.description.get("loggingConfiguration", {})
        if "level" not in configuration:
            raise Unverified(f"{self!r} was described without the level of its log, which AWS always tells")
        return str(configuration["level"])

    @property
    def log_group_names(self) -> Sequence[str]:
        destinations = self.description.get("loggingConfiguration", {}).get("destinations", [])
        arns = [one.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "") for one in destinations]
        return [arn.partition(":log-group:")[2].removesuffix(":*") for arn in arns if arn]

    @property
    def traces(self) -> bool:
        """Whether X-Ray gets its executions.

        Raises:
            Unverified: the answer does not say.
        """
        if "tracingConfiguration" not in self.description:
            raise Unverified(f"{self!r} was described without tracingConfiguration, which AWS always tells")
        return bool(self.description["tracingConfiguration"].get("enabled"))

    @cached_property
    def tasks(self) -> Sequence[Task]:
        """Every state of type Task, within maps and parallels too."""
        return list(_tasks(self.definition))


def _handles(state: Mapping[str, Any]) -> bool:
    return bool(state.get("Retry") or state.get("Catch"))


def _tasks(machine: Mapping[str, Any], *, covered: bool = False) -> Iterator[Task]:
    for name, state in machine.get("States", {}).items():
        if state.get("Type") == "Task":
            yield Task(name, state, covered)
        for inner in (*state.get("Branches", []), state.get("Iterator", {}), state.get("ItemProcessor", {})):
            yield from _tasks(inner, covered=covered or _handles(state))

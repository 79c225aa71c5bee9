"""The deployed guest book: its live resources as attributes, each looked up by its logical id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from readiness.aws.alarm import Alarm, alarms_of
from readiness.aws.bucket import Bucket
from readiness.aws.cloudformation import CloudFormationStack
from readiness.aws.function import Function
from readiness.aws.log_group import LogGroup
from readiness.aws.table import Table
from readiness.environment import Environment


@dataclass(frozen=True)
class GuestBook:
    """The guest book as it is deployed. Nothing is read before it is asked for."""

    env: Environment = field(repr=False)

    @cached_property
    def formation(self) -> CloudFormationStack:
        return CloudFormationStack(self.env, self.env.stack_name)

    @cached_property
    def function(self) -> Function:
        return Function(self.env, self.formation.physical_id("BookFunction"))

    @cached_property
    def log(self) -> LogGroup:
        return LogGroup(self.env, self.function.log_group_name)

    @cached_property
    def entries(self) -> Table:
        return Table(self.env, self.formation.physical_id("Entries"))

    @cached_property
    def copies(self) -> Bucket:
        return Bucket(self.env, self.formation.physical_id("Copies"))

    @cached_property
    def alarms(self) -> Sequence[Alarm]:
        alarm = "AWS::CloudWatch::Alarm"
        return alarms_of(
            self.env, [r.physical_id for r in self.formation.resources.values() if r.type == alarm]
        )

"""The deployed application: its live resources as attributes, each looked up by its logical id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from verification.environment import Environment
from verification.resources.alarm import Alarm, alarms_of
from verification.resources.bucket import Bucket
from verification.resources.cloudformation import CloudFormationStack
from verification.resources.distribution import Distribution
from verification.resources.function import Function
from verification.resources.http_api import HttpApi
from verification.resources.log_group import LogGroup
from verification.resources.queue import Queue
from verification.resources.secret import Secret
from verification.resources.table import Table
from verification.resources.topic import Topic


@dataclass(frozen=True)
class Stack:
    """Pixel Prompt as it is deployed. Nothing is read before it is asked for."""

    env: Environment = field(repr=False)

    @cached_property
    def formation(self) -> CloudFormationStack:
        """The CloudFormation stack itself."""
        return CloudFormationStack(self.env, self.env.stack_name)

    @cached_property
    def http_api(self) -> HttpApi:
        return HttpApi(self.env, self.formation.physical_id("HttpApi"))

    @cached_property
    def api(self) -> Function:
        """The function that answers HTTP requests."""
        return Function(self.env, self.formation.physical_id("ApiFunction"))

    @cached_property
    def worker(self) -> Function:
        """The function that generates images."""
        return Function(self.env, self.formation.physical_id("WorkerFunction"))

    @property
    def functions(self) -> Sequence[Function]:
        """Every function of the stack, also those this class has no name for."""
        named = {function.name: function for function in (self.api, self.worker)}
        live = [r.physical_id for r in self.formation.resources.values() if r.type == "AWS::Lambda::Function"]
        return [named.get(name) or Function(self.env, name) for name in live]

    @cached_property
    def queue(self) -> Queue:
        return Queue(self.env, self.formation.physical_id("JobsQueue"))

    @cached_property
    def dead_letter_queue(self) -> Queue:
        return Queue(self.env, self.formation.physical_id("JobsDeadLetterQueue"))

    @cached_property
    def bucket(self) -> Bucket:
        """Where images are stored."""
        return Bucket(self.env, self.formation.physical_id("ImagesBucket"))

    @cached_property
    def distribution(self) -> Distribution:
        """What serves images."""
        return Distribution(self.env, self.formation.physical_id("Distribution"))

    @cached_property
    def table(self) -> Table:
        """Jobs and counters."""
        return Table(self.env, self.formation.physical_id("JobsTable"))

    @cached_property
    def provider_keys(self) -> Secret:
        return Secret(self.env, self.formation.physical_id("ProviderKeys"))

    @cached_property
    def alarm_topic(self) -> Topic:
        return Topic(self.env, self.formation.physical_id("AlarmTopic"))

    @cached_property
    def alarms(self) -> Sequence[Alarm]:
        """Every metric alarm of the stack that is live."""
        names = [
            r.physical_id for r in self.formation.resources.values() if r.type == "AWS::CloudWatch::Alarm"
        ]
        return alarms_of(self.env, names)

    @cached_property
    def log_groups(self) -> Sequence[LogGroup]:
        """Where each function writes, and every log group that the stack declares."""
        declared = [
            r.physical_id for r in self.formation.resources.values() if r.type == "AWS::Logs::LogGroup"
        ]
        written = [function.log_group_name for function in self.functions]
        return [LogGroup(self.env, name) for name in dict.fromkeys([*declared, *written])]

"""The deployed application: its live resources as attributes, each found by the part that it plays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from readiness.aws.alarm import Alarm, AlarmSwitch, alarms_of
from readiness.aws.bucket import Bucket
from readiness.aws.budget import Budget
from readiness.aws.cloudformation import CloudFormationStack, StackResource
from readiness.aws.concurrency import Concurrency
from readiness.aws.distribution import Distribution
from readiness.aws.edge_log import EdgeLog
from readiness.aws.function import Function
from readiness.aws.http_api import HttpApi
from readiness.aws.key import Key
from readiness.aws.log_group import LogGroup
from readiness.aws.queue import Queue
from readiness.aws.quotas import Quotas
from readiness.aws.role import Role
from readiness.aws.secret import Secret
from readiness.aws.table import Table
from readiness.aws.tags import UNTAGGABLE, tags_of
from readiness.aws.topic import Topic
from readiness.aws.web_acl import WebAcl
from readiness.discovery import live
from readiness.discovery.graph import Graph
from readiness.environment import Environment
from readiness.errors import Missing, Unverified
from readiness.ledger import Ledger
from verification.application import names, settings
from verification.parts import NEEDED, PARTS, Parts
from verification.resources.caller import Caller, unused_address
from verification.resources.counter import Counters


@dataclass(frozen=True)
class Stack:
    """Pixel Prompt as it is deployed. Nothing is read before it is asked for."""

    env: Environment = field(repr=False)
    ledger: Ledger | None = field(default=None, repr=False, compare=False)
    """The ledger of requests that make a vendor work."""

    @cached_property
    def formation(self) -> CloudFormationStack:
        """The CloudFormation stack itself."""
        return CloudFormationStack(self.env, self.env.stack_name)

    @property
    def absent(self) -> Sequence[str]:
        """The parts that every stack has to have, and this one has not."""
        return [name for name in NEEDED if not self.has(name)]

    @cached_property
    def graph(self) -> Graph:
        """The resources of the stack and their relations."""
        return live.read(self.env)

    @cached_property
    def _parts(self) -> Parts:
        return Parts(self.graph, self.env.settings.roles)

    def has(self, name: str) -> bool:
        """Whether the stack has a part of the application.

        Raises:
            Unverified: several resources could be it, or the relations of the stack could not be read.
        """
        try:
            self.part(name)
        except Missing:
            return False
        return True

    def part(self, name: str) -> StackResource:
        """The resource that plays a part, see verification/parts.py. A stack that uses the part's own name is not searched.

        Raises:
            Missing: the stack has no such resource.
            Unverified: several resources could be it, or the relations of the stack could not be read.
        """
        logical_id = self.env.settings.roles.get(name, name)
        named = self.formation.resources.get(logical_id)
        if named and named.type == PARTS[name].type:
            return named
        found = self._parts.candidates(name)
        if len(found) == 1:
            return StackResource(found[0].logical_id, found[0].physical_id, found[0].type, status="")
        if found:
            raise Unverified(
                f"{self.formation!r} has several resources that could be '{name}': {', '.join(map(str, found))}; "
                f"name one of them in environments.toml: [{self.env.name}.roles] {name} = ...",
                cause=f"several resources could be '{name}'",
            )
        raise Missing(
            f"{self.formation!r} has no resource '{logical_id}', and none that does what it does; "
            "declare it in backend/template.yaml",
            cause=f"stack '{self.env.stack_name}' has no resource '{logical_id}'",
        )

    @cached_property
    def neighbours(self) -> Mapping[str, CloudFormationStack]:
        """The deployed stacks of the other environments in this account and region, by environment."""
        others = [settings(name) for name in names() if name != self.env.name]
        stacks = {
            other.name: CloudFormationStack(self.env, other.stack)
            for other in others
            if other.region == self.env.region and other.account in (None, self.env.account_id)
        }
        return {name: stack for name, stack in stacks.items() if stack.deployed}

    @cached_property
    def physical_names(self) -> frozenset[str]:
        """Each resource's name as an ARN ends in it."""
        return frozenset(
            id_ if id_.startswith("/") else id_.rpartition("/" if "://" in id_ else ":")[2]
            for resource in self.formation.resources.values()
            if (id_ := resource.physical_id)
        )

    @cached_property
    def http_api(self) -> HttpApi:
        return HttpApi(self.env, self.part("HttpApi").physical_id)

    @cached_property
    def api(self) -> Function:
        """The function that answers HTTP requests."""
        return Function(self.env, self.part("ApiFunction").physical_id)

    @cached_property
    def worker(self) -> Function:
        """The function that generates images."""
        return Function(self.env, self.part("WorkerFunction").physical_id)

    @property
    def functions(self) -> Sequence[Function]:
        """Every function of the stack, also those this class has no name for."""
        named = {function.name: function for function in (self.api, self.worker)}
        live = self._of_type("AWS::Lambda::Function")
        return [named.get(name) or Function(self.env, name) for _, name in live]

    @cached_property
    def roles(self) -> Mapping[str, Role]:
        """Each function's role, by the function's name; a role that two functions share is one object."""
        names = {function.name: function.role_name for function in self.functions}
        roles = {name: Role(self.env, name) for name in set(names.values())}
        return {function: roles[name] for function, name in names.items()}

    @cached_property
    def concurrency(self) -> Concurrency:
        """What Lambda lets the account run at once."""
        return Concurrency(self.env)

    @cached_property
    def quotas(self) -> Quotas:
        """What AWS lets the account have, and how much of it there is."""
        return Quotas(self.env)

    @cached_property
    def budget(self) -> Budget:
        """The monthly budget of the account."""
        return Budget(self.env, self.part("MonthlyBudget").physical_id)

    def withdraw(self, job_id: str) -> None:
        """Have the worker take a job out of the users' gallery, into the list of what verified.

        Raises:
            Unverified: it does not.
        """
        answer = self.worker.invoke({"action": "withdraw", "jobId": job_id})
        if answer != {"jobId": job_id, "withdrawn": True}:
            raise Unverified(f"{self.worker!r} was to withdraw job {job_id}, and answers {answer!r}")

    @contextmanager
    def withdrawn(self, prompt: str) -> Iterator[None]:
        """Every job of this prompt leaves the users' gallery with the context.

        One that cannot be withdrawn makes a check that held UNVERIFIED; it takes no other verdict's place.
        """

        def withdraw() -> None:
            for key in self.table.keys_where("prompt", [prompt]):
                self.withdraw(key.removeprefix("job#"))

        try:
            yield
        except BaseException:
            with suppress(Unverified):
                withdraw()
            raise
        withdraw()

    @cached_property
    def queue(self) -> Queue:
        return Queue(self.env, self.part("JobsQueue").physical_id)

    @cached_property
    def dead_letter_queue(self) -> Queue:
        return Queue(self.env, self.part("JobsDeadLetterQueue").physical_id)

    @cached_property
    def bucket(self) -> Bucket:
        """Where images are stored."""
        return Bucket(self.env, self.part("ImagesBucket").physical_id)

    @cached_property
    def edge_log_bucket(self) -> Bucket:
        """Where the distribution's access log goes."""
        return Bucket(self.env, self.part("CdnLogsBucket").physical_id)

    @cached_property
    def edge_log(self) -> EdgeLog:
        """The distribution's access log."""
        return EdgeLog(self.edge_log_bucket, self.distribution.log_prefix, self.distribution.id)

    @cached_property
    def distribution(self) -> Distribution:
        """What serves images."""
        return Distribution(self.env, self.part("Distribution").physical_id)

    @cached_property
    def site_bucket(self) -> Bucket:
        """Where the page is stored."""
        return Bucket(self.env, self.part("SiteBucket").physical_id)

    @cached_property
    def page_key(self) -> str:
        """Where the page lies in its bucket.

        Raises:
            Missing: nothing was published there.
        """
        if (key := "index.html") not in self.site_bucket.keys(key):
            raise Missing(
                f"{self.site_bucket!r} holds no page; publish it: ./scripts/deploy.sh {self.env.name} --frontend",
                cause="no page was published",
            )
        return key

    @cached_property
    def site_distribution(self) -> Distribution:
        """What serves the page."""
        return Distribution(self.env, self.part("SiteDistribution").physical_id)

    @property
    def buckets(self) -> Sequence[tuple[Bucket, Distribution]]:
        """Each bucket that a distribution serves, and that distribution."""
        return [(self.bucket, self.distribution), (self.site_bucket, self.site_distribution)]

    @cached_property
    def every_bucket(self) -> Mapping[str, Bucket]:
        """Each bucket of the stack by its logical id, also those that this class has no name for."""
        named = (self.bucket, self.site_bucket)
        known = {bucket.name: bucket for bucket in named}
        return {
            id_: known.get(name) or Bucket(self.env, name) for id_, name in self._of_type("AWS::S3::Bucket")
        }

    @cached_property
    def every_queue(self) -> Mapping[str, Queue]:
        """Each queue of the stack by its logical id."""
        return {id_: Queue(self.env, url) for id_, url in self._of_type("AWS::SQS::Queue")}

    @cached_property
    def policies_of_data(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Statements of the policies of every resource that stores data and is not served, by logical id; keys are among it."""
        kinds: Mapping[str, type[Secret | Table | Key]] = {
            "AWS::SecretsManager::Secret": Secret,
            "AWS::DynamoDB::Table": Table,
            "AWS::KMS::Key": Key,
        }
        served = {bucket.name for bucket, _ in self.buckets}
        return {
            **{
                id_: kind(self.env, physical_id).policy_statements
                for type_, kind in kinds.items()
                for id_, physical_id in self._of_type(type_)
            },
            **{group.name: group.policy_statements for group in self.log_groups},
            **{
                id_: bucket.policy_statements
                for id_, bucket in self.every_bucket.items()
                if bucket.name not in served
            },
        }

    def _of_type(self, type_: str) -> Sequence[tuple[str, str]]:
        """Logical and physical id of each resource of one type."""
        found = [r for r in self.formation.resources.values() if r.type == type_]
        return [(resource.logical_id, resource.physical_id) for resource in found]

    @property
    def distributions(self) -> Sequence[Distribution]:
        """What serves images, then what serves the page."""
        return [self.distribution, self.site_distribution]

    @cached_property
    def web_acl(self) -> WebAcl | None:
        """The web ACL in front of the distribution, None for none.

        Raises:
            Unverified: it is one of WAF Classic, which has an id and no ARN.
        """
        arn = self.distribution.web_acl_id
        if arn and not arn.startswith("arn:"):
            raise Unverified(f"expected a web ACL of WAFv2, found {arn} of WAF Classic; replace it")
        return WebAcl(self.env, arn) if arn else None

    @cached_property
    def table(self) -> Table:
        """Jobs and counters."""
        return Table(self.env, self.part("JobsTable").physical_id)

    @property
    def counters(self) -> Counters:
        """What counts requests, as of now."""
        return Counters.of(self.table)

    def caller(self) -> Caller:
        """A new caller, at an unused address."""
        return Caller(self.api, unused_address(), self.ledger)

    @cached_property
    def provider_keys(self) -> Secret:
        return Secret(self.env, self.part("ProviderKeys").physical_id)

    @cached_property
    def alarm_topic(self) -> Topic:
        return Topic(self.env, self.part("AlarmTopic").physical_id)

    @cached_property
    def alarm_inbox(self) -> Queue:
        """Keeps what the alarm topic said."""
        return Queue(self.env, self.part("AlarmInbox").physical_id)

    @cached_property
    def alarms(self) -> Sequence[Alarm]:
        """Every metric alarm of the stack that is live."""
        return alarms_of(self.env, [name for _, name in self._of_type("AWS::CloudWatch::Alarm")])

    @cached_property
    def tags(self) -> Mapping[str, Mapping[str, str]]:
        """Tags of every resource that is there and can have some, by logical id."""
        found = {}
        for resource in self.formation.resources.values():
            if resource.type in UNTAGGABLE:
                continue
            of_stage = resource.type == "AWS::ApiGatewayV2::Stage"
            name = f"{self.http_api.id}/stages/{resource.physical_id}" if of_stage else resource.physical_id
            try:
                found[resource.logical_id] = tags_of(self.env, resource.type, name)
            except Missing:
                continue  # what is gone has no tags to miss; that it is gone is drift
        return found

    @cached_property
    def api_errors_alarm(self) -> AlarmSwitch:
        """What tells of a crashing API."""
        return AlarmSwitch(self.env, self.part("ApiErrorsAlarm").physical_id)

    @cached_property
    def api_log(self) -> LogGroup:
        """Where the API function writes."""
        return LogGroup(self.env, self.api.log_group_name)

    @cached_property
    def worker_log(self) -> LogGroup:
        """Where the worker writes."""
        return LogGroup(self.env, self.worker.log_group_name)

    @cached_property
    def access_log(self) -> LogGroup:
        """Where the gateway notes each request."""
        return LogGroup(self.env, self.part("AccessLogGroup").physical_id)

    @cached_property
    def log_groups(self) -> Sequence[LogGroup]:
        """Where each function writes, and every log group that the stack declares."""
        declared = [name for _, name in self._of_type("AWS::Logs::LogGroup")]
        written = [function.log_group_name for function in self.functions]
        if access := self.http_api.stage.get("AccessLogSettings", {}).get("DestinationArn", ""):
            written.append(access.partition(":log-group:")[2].removesuffix(":*"))
        return [LogGroup(self.env, name) for name in dict.fromkeys([*declared, *written])]

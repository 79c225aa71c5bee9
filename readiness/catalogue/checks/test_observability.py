"""Logs and alarms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

import pytest

from readiness import budgets
from readiness.application import Application
from readiness.aws.http_api import HttpApi
from readiness.aws.log_group import LogGroup
from readiness.aws.policy import DEPUTIES, external_principals
from readiness.aws.role import Role
from readiness.catalogue import credentials
from readiness.catalogue.compute import DISTRIBUTION, FUNCTION, HTTP_API, MACHINE, QUEUE, REST_API, Compute
from readiness.catalogue.declaration import Declarations
from readiness.catalogue.judging import every, findings
from readiness.catalogue.watching import ALARM, Watching
from readiness.discovery.graph import Graph, Resource
from readiness.environment import Environment
from readiness.errors import NotApplicable, Unverified, existing

_ASKING: Final = {"AWS::AppConfig::Environment", "AWS::CodeDeploy::DeploymentGroup", "AWS::ECS::Service"}
"""Resource types that read an alarm themselves, to roll back a deployment. Source: each type's property in the
CloudFormation reference: Monitors, AlarmConfiguration, DeploymentConfiguration."""


@pytest.mark.config
@pytest.mark.item("LOGS-01")
def test_logs_are_kept_as_long_as_they_are_needed(watching: Watching, application: Application) -> None:
    """Logs that never expire cost more each month. Logs that expire too early do not show what happened."""
    groups = _groups(watching)
    least = {
        name: timedelta() if name in watching.logs_of_helpers else application.least_log_retention
        for name in groups
    }

    found = {
        whose: f"{name}: {why}"
        for name, (whose, group) in groups.items()
        if (why := _kept(group, least[name]))
    }
    assert found == {}


def _groups(watching: Watching) -> dict[str, tuple[str, LogGroup]]:
    if not watching.log_groups:
        raise NotApplicable("the stack has no function, API, state machine or log group")
    return dict(watching.log_groups)


def _kept(group: LogGroup, least: timedelta) -> str:
    """What is wrong with how long a log group keeps its lines."""
    if existing(lambda: group.description) is None:
        return (
            "expected a log group with a retention, found no log group: Lambda creates one that keeps its lines without a limit; "
            "declare AWS::Logs::LogGroup with RetentionInDays"
        )
    most = budgets.LOG_RETENTION.days
    if not group.retention:
        return f"expected a retention of at most {most} days, found none: lines never expire; set RetentionInDays"
    if group.retention > budgets.LOG_RETENTION:
        return f"expected a retention of at most {most} days, found {group.retention.days}; lower RetentionInDays"
    if group.retention < least:
        return (
            f"expected a retention of at least {least.days} days, found {group.retention.days}: who looks later finds nothing; "
            "raise RetentionInDays, or declare [log-retention] in readiness.toml"
        )
    return ""


@pytest.mark.infra
@pytest.mark.item("LOGS-02")
def test_functions_may_write_their_logs(graph: Graph, compute: Compute, env: Environment) -> None:
    """A function whose role may not write logs leaves no trace when it fails."""

    def judge(resource: Resource) -> Iterator[str]:
        function = compute.function(resource)
        group = f"arn:{env.partition}:logs:{env.region}:{env.account_id}:log-group:{function.log_group_name}"
        role = Role(env, function.role_name)
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            if not role.may(action, f"{group}:log-stream:verification"):
                yield f"expected role {role.name} to allow {action} on {function.log_group_name}, found that it does not; add it"

    here = [each for each in every(graph, FUNCTION) if each.physical_id not in compute.at_edges]
    assert findings(here, judge) == {}


@pytest.mark.security
@pytest.mark.item("LOGS-03")
def test_logs_hold_no_credential(watching: Watching) -> None:
    """Logs are read by more people than keys are, and copied into tickets."""
    since = datetime.now(UTC) - budgets.LOG_LINES_AGE
    leaks: dict[str, str] = {}
    unread: list[Unverified] = []
    for name, (whose, group) in _groups(watching).items():
        try:
            lines = group.latest(since, budgets.LOG_LINES_READ) if existing(lambda: group.description) else []  # noqa: B023
        except Unverified as problem:
            unread.append(problem)
            continue
        for event in islice((line for line in lines if credentials.in_text(line.message)), 1):
            leaks[whose] = (
                f"expected no credential in {name}, found one in the line of {event.at:%Y-%m-%d %H:%M:%S}; replace it, "
                "and leave it out of what is logged"
            )

    assert leaks == {}
    if unread:
        raise unread[0]


def _or_none(why: Sequence[str]) -> str:
    return f"none that is raised in time ({'; '.join(why)})" if why else "none"


def _remedy(why: Sequence[str]) -> str:
    return "correct its rule" if why else "add AWS::CloudWatch::Alarm"


@pytest.mark.security
@pytest.mark.item("LOGS-04")
def test_logs_admit_their_own_account_alone(watching: Watching, env: Environment) -> None:
    """Another account reads what users did, or writes what never happened."""
    let_in: dict[str, Sequence[str]] = {}
    for whose, group in _groups(watching).values():
        statements = group.policy_statements if existing(lambda: group.description) else []  # noqa: B023
        if found := external_principals(statements, env.account_id, trusted=DEPUTIES):
            let_in[whose] = found

    assert let_in == {}


@pytest.mark.infra
@pytest.mark.item("ALARM-01")
def test_failures_of_each_function_raise_an_alarm(graph: Graph, compute: Compute, watching: Watching) -> None:
    """Users would tell the operators, days later."""

    def judge(resource: Resource) -> Iterator[str]:
        if (why := watching.function_is_unwatched(resource)) is not None:
            yield (
                f"expected an alarm on Errors of AWS/Lambda with its FunctionName, found {_or_none(why)}, nor one on a filter of its log "
                f"or on the queue or state machine that takes its failures; {_remedy(why)}"
            )

    assert findings(compute.serving(every(graph, FUNCTION)), judge) == {}


@pytest.mark.infra
@pytest.mark.item("ALARM-02")
def test_each_queue_that_fills_raises_an_alarm(graph: Graph, compute: Compute, watching: Watching) -> None:
    """Messages that are not processed, or that failed, do not show in any function's errors."""
    every(graph, QUEUE)
    dead = watching.dead_letter_queues
    watched = [each for each in graph.of(QUEUE) if compute.queue(each).arn in dead | compute.queues_read]
    if not watched:
        raise NotApplicable("no queue of the stack feeds a function or is a dead-letter queue")

    def judge(resource: Resource) -> Iterator[str]:
        if (why := watching.queue_is_unwatched(resource)) is not None:
            metric = (
                "ApproximateNumberOfMessagesVisible"
                if compute.queue(resource).arn in dead
                else "ApproximateAgeOfOldestMessage, or on its dead-letter queue,"
            )
            yield f"expected an alarm on {metric} of AWS/SQS with its QueueName, found {_or_none(why)}; {_remedy(why)}"

    assert findings(watched, judge) == {}


@pytest.mark.infra
@pytest.mark.item("ALARM-09")
def test_each_consumer_that_falls_behind_raises_an_alarm(
    graph: Graph, compute: Compute, watching: Watching
) -> None:
    """Records that wait longer than the stream keeps them are lost, and no error tells of it."""
    consumers = [
        each for each in every(graph, FUNCTION) if compute.function(each).name in compute.streams_read
    ]
    if not consumers:
        raise NotApplicable("no function of the stack reads a stream of DynamoDB or Kinesis")

    def judge(resource: Resource) -> Iterator[str]:
        if (why := watching.lag_is_unwatched(resource)) is not None:
            yield (
                f"expected an alarm on IteratorAge of AWS/Lambda with its FunctionName, found {_or_none(why)}; {_remedy(why)}"
            )

    assert findings(consumers, judge) == {}


@pytest.mark.infra
@pytest.mark.item("ALARM-03")
def test_failures_of_each_api_raise_an_alarm(
    env: Environment, graph: Graph, compute: Compute, watching: Watching
) -> None:
    """What fails before a function is reached shows in no function's errors."""
    every(graph, HTTP_API, REST_API)
    served = [
        each
        for each in compute.served_apis
        if each.type == REST_API or HttpApi(env, each.physical_id).speaks_http
    ]
    if not served:
        raise NotApplicable("no HTTP API and no REST API of the stack has a stage that serves something")

    def judge(resource: Resource) -> Iterator[str]:
        if (why := watching.api_is_unwatched(resource)) is not None:
            metric = "5xx with its ApiId" if resource.type == HTTP_API else "5XXError with its ApiName"
            yield f"expected an alarm on {metric} of AWS/ApiGateway, found {_or_none(why)}; {_remedy(why)}"

    assert findings(served, judge) == {}


@pytest.mark.infra
@pytest.mark.item("ALARM-08")
def test_failures_of_each_distribution_raise_an_alarm(
    graph: Graph, compute: Compute, watching: Watching
) -> None:
    """An origin that refuses the distribution, or is gone, counts nothing itself."""
    serving = [each for each in every(graph, DISTRIBUTION) if compute.distribution(each).enabled]
    if not serving:
        raise NotApplicable("no distribution of the stack is enabled")

    def judge(resource: Resource) -> Iterator[str]:
        if (why := watching.distribution_is_unwatched(resource)) is not None:
            yield (
                f"expected an alarm on 5xxErrorRate of AWS/CloudFront with its DistributionId, found {_or_none(why)}; "
                f"{_remedy(why)} in us-east-1"
            )

    assert findings(serving, judge) == {}


@pytest.mark.infra
@pytest.mark.item("ALARM-04")
def test_failures_of_each_state_machine_raise_an_alarm(graph: Graph, watching: Watching) -> None:
    """An execution fails, and the operator does not notice it."""

    def judge(resource: Resource) -> Iterator[str]:
        if (why := watching.machine_is_unwatched(resource)) is not None:
            yield (
                f"expected an alarm on ExecutionsFailed of AWS/States with its StateMachineArn, found {_or_none(why)}; {_remedy(why)}"
            )

    assert findings(every(graph, MACHINE), judge) == {}


@pytest.mark.infra
@pytest.mark.item("ALARM-05")
def test_alarms_can_fire(graph: Graph, watching: Watching) -> None:
    """An alarm that cannot fire is worse than none, because operators rely on it."""

    def judge(resource: Resource) -> Iterator[str]:
        alarm = watching.alarm(resource)
        seen = list(watching.blindness(alarm))
        # Why it cannot fire says more than that it does not.
        yield from seen or watching.sleep(alarm)

    assert findings(every(graph, ALARM), judge) == {}


@pytest.mark.infra
@pytest.mark.item("ALARM-06")
def test_alarms_notify_a_recipient(graph: Graph, watching: Watching, declared: Declarations) -> None:
    """Every alarm would fire into the void."""

    def judge(resource: Resource) -> Iterator[str]:
        alarm = watching.alarm(resource)
        if alarm.actions or not _ASKING & {*declared.users_of(resource).values()}:
            yield from watching.silence(alarm)

    assert findings(every(graph, ALARM), judge) == {}


@pytest.mark.infra
@pytest.mark.item("ALARM-07")
def test_alarms_watch_what_is_there(graph: Graph, watching: Watching) -> None:
    """An alarm with one wrong dimension gets no data, and never fires."""
    assert findings(every(graph, ALARM), lambda each: watching.misses(watching.alarm(each))) == {}

"""Functions, state machines, rules and schedules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from readiness import budgets
from readiness.aws.alarm import every_alarm
from readiness.aws.concurrency import Concurrency
from readiness.aws.cron import comes_round
from readiness.aws.policy import Statement, read
from readiness.aws.queue import DISABLED
from readiness.aws.role import Role
from readiness.aws.rule import Rule, Target
from readiness.aws.topic import Topic
from readiness.catalogue import credentials
from readiness.catalogue.compute import (
    FUNCTION,
    MACHINE,
    MAPPING,
    QUEUE,
    RULE,
    SCHEDULE,
    Compute,
    same_function,
)
from readiness.catalogue.invokers import opened_by
from readiness.catalogue.judging import every, findings
from readiness.catalogue.lacking import ungranted
from readiness.discovery.graph import Graph, Resource
from readiness.environment import Environment
from readiness.errors import NotApplicable, Unverified

_ACTION_ON: Final[Mapping[str, str]] = {
    "events": "events:PutEvents",
    "firehose": "firehose:PutRecord",
    "kinesis": "kinesis:PutRecord",
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
    "states": "states:StartExecution",
}
"""What EventBridge calls on a target of each service. Source: EventBridge Scheduler User Guide, "Templated targets"."""
_ENABLED = ("Enabled", "Enabling", "Creating", "Updating")


@pytest.mark.security
@pytest.mark.item("LAMBDA-01")
def test_runtimes_stay_supported(graph: Graph, compute: Compute) -> None:
    """A deprecated runtime gets no security fixes, and soon no updates of the function."""
    horizon = datetime.now(UTC).date() + budgets.RUNTIME_NOTICE

    def judge(resource: Resource) -> Iterator[str]:
        function = compute.function(resource)
        if function.is_image:
            return
        if function.runtime not in budgets.RUNTIME_DEPRECATION:
            raise Unverified(f"no deprecation date is known for {function.runtime}; add it to budgets.py")
        ends = budgets.RUNTIME_DEPRECATION[function.runtime]
        if ends < horizon:
            yield f"expected a runtime that is supported until {horizon}, found {function.runtime}, deprecated {ends}"

    assert findings(every(graph, FUNCTION), judge) == {}


@pytest.mark.security
@pytest.mark.item("LAMBDA-02")
def test_functions_are_invoked_by_their_own_account_alone(
    graph: Graph, compute: Compute, env: Environment
) -> None:
    """An event of another account would bypass throttling, authorization and every other limit before the function."""

    def judge(resource: Resource) -> Iterator[str]:
        function = compute.function(resource)
        own = {"": function.permissions, **function.permissions_of_qualifiers}
        for qualifier, statements in own.items():
            where = f" of {qualifier}" if qualifier else ""
            for statement in read(statements):
                if why := opened_by(statement, env.account_id, graph):
                    yield f"the resource policy{where}, statement {statement.sid!r}: {why}"

    assert findings(every(graph, FUNCTION), judge) == {}


@pytest.mark.security
@pytest.mark.item("LAMBDA-03")
def test_environments_hold_no_secret(graph: Graph, compute: Compute) -> None:
    """A user who may describe a function reads its environment, and so do consoles, exports and logs of deployments."""

    def judge(resource: Resource) -> Iterator[str]:
        own = {each.physical_id for each in graph.resources}
        for name, value in compute.function(resource).environment.items():
            if value not in own and credentials.in_setting(name, value):
                yield (
                    f"expected no secret in the environment, found one in {name}; keep it in Secrets Manager or as a "
                    "SecureString, and give the function its name"
                )

    assert findings(every(graph, FUNCTION), judge) == {}


@pytest.mark.config
@pytest.mark.item("LAMBDA-04")
def test_functions_time_out_before_their_callers(graph: Graph, compute: Compute) -> None:
    """The caller gets an error while the function still runs, costs money and may be started again."""
    waited_for = [each for each in every(graph, FUNCTION) if compute.function(each).name in compute.caps]
    if not waited_for:
        raise NotApplicable(
            "no API and no state machine waits for a function of the stack for a limited time"
        )

    def judge(resource: Resource) -> Iterator[str]:
        function = compute.function(resource)
        for cap in {cap.who: cap for cap in compute.caps[function.name]}.values():
            if function.timeout > cap.limit:
                yield (
                    f"expected a Timeout of at most {cap.limit.total_seconds():g} s, after which {cap.who} gives up, found "
                    f"{function.timeout.total_seconds():g} s; lower it, or hand long work to a queue"
                )

    assert findings(waited_for, judge) == {}


@pytest.mark.infra
@pytest.mark.item("LAMBDA-05")
def test_functions_have_room_to_run(graph: Graph, compute: Compute, env: Environment) -> None:
    """A function without concurrency refuses every event; one that is fed faster than it may run refuses some."""

    def judge(resource: Resource) -> Iterator[str]:
        function = compute.function(resource)
        reserved = function.reserved_concurrency
        if reserved == 0:
            yield "expected ReservedConcurrentExecutions above 0, found 0: every invocation is refused; raise or remove it"
        elif reserved is not None:
            fed = sum(
                mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0)
                for mapping in function.event_sources
                if mapping.get("State") not in DISABLED
            )
            if fed > reserved:
                yield (
                    f"expected ReservedConcurrentExecutions of at least {fed}, which its event sources start at once, found "
                    f"{reserved}; raise it, or lower MaximumConcurrency"
                )

    functions = every(graph, FUNCTION)
    assert findings(functions, judge) == {}
    if any(compute.function(each).reserved_concurrency is not None for each in functions):
        left = Concurrency(env).unreserved
        assert left >= budgets.UNRESERVED_CONCURRENCY, (
            f"expected {budgets.UNRESERVED_CONCURRENCY} executions without reservation, found {left}; reserve less"
        )


@pytest.mark.infra
@pytest.mark.item("LAMBDA-06")
def test_event_sources_are_read(graph: Graph, compute: Compute) -> None:
    """A queue or stream without a reader fills until its messages expire."""

    def judge(resource: Resource) -> Iterator[str]:
        mapping = compute.mapping(resource)
        if mapping["State"] not in _ENABLED:
            yield f"expected the mapping Enabled, found {mapping['State']}; enable the mapping, or delete it and its event source"
        elif str(mapping.get("LastProcessingResult", "")).startswith("PROBLEM"):
            yield f"expected the source to be read, found {mapping['LastProcessingResult']}; see the function's role and log"

    assert findings(every(graph, MAPPING), judge) == {}


@pytest.mark.config
@pytest.mark.item("LAMBDA-07")
def test_one_bad_record_spoils_no_others(graph: Graph, compute: Compute) -> None:
    """One message that fails has the whole batch done again, or holds a stream up until it expires."""

    def judge(resource: Resource) -> Iterator[str]:
        mapping = compute.mapping(resource)
        source = str(mapping.get("EventSourceArn", "")).split(":")[2:3]
        if mapping["State"] in DISABLED:
            return
        reports = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
        size = mapping.get("BatchSize", 1)
        if source == ["sqs"] and size > 1 and not reports:
            yield (
                f"expected ReportBatchItemFailures, or batches of 1, found batches of {size} without it; set "
                "FunctionResponseTypes and have the handler name what failed"
            )
        if source in (["kinesis"], ["dynamodb"]):
            endless = (
                mapping.get("MaximumRetryAttempts", -1) == -1
                and mapping.get("MaximumRecordAgeInSeconds", -1) == -1
            )
            if endless:
                yield (
                    "expected MaximumRetryAttempts or MaximumRecordAgeInSeconds, found neither: a record that fails stops its "
                    "shard until it expires; set one, and a destination for what failed"
                )

    assert findings(every(graph, MAPPING), judge) == {}


@pytest.mark.infra
@pytest.mark.item("LAMBDA-08")
def test_functions_are_traced(graph: Graph, compute: Compute) -> None:
    """Operators cannot tell which of the services that a request passed was slow, or failed."""

    def judge(resource: Resource) -> Iterator[str]:
        if (mode := compute.function(resource).tracing_mode) != "Active":
            yield f"expected Tracing Active, found {mode}; set it, and let the role write to X-Ray"

    assert findings(compute.serving(every(graph, FUNCTION)), judge) == {}


@pytest.mark.infra
@pytest.mark.item("LAMBDA-09")
def test_events_that_failed_are_kept(graph: Graph, compute: Compute) -> None:
    """Lambda tries an event three times, then forgets it."""
    started = {
        resource: events
        for resource in compute.serving(every(graph, FUNCTION))
        if (events := compute.started_by_events(compute.function(resource)))
    }
    if not started:
        raise NotApplicable("no function of the stack is started by events")

    def judge(resource: Resource) -> Iterator[str]:
        if not compute.function(resource).failure_targets:
            yield (
                f"expected a destination on failure or a dead-letter queue, for {', '.join(started[resource])} starts it, found "
                "neither; set EventInvokeConfig or DeadLetterQueue"
            )

    assert findings(started, judge) == {}


@pytest.mark.infra
@pytest.mark.item("LAMBDA-10")
def test_functions_run_what_was_deployed(graph: Graph, compute: Compute) -> None:
    """A function that failed to start or to update answers with errors, or with the code before."""

    def judge(resource: Resource) -> Iterator[str]:
        function = compute.function(resource)
        states = (function.state, function.last_update_status)
        why = function.configuration.get("LastUpdateStatusReason") or function.configuration.get(
            "StateReason", ""
        )
        if "Failed" in states:
            yield f"expected State Active and LastUpdateStatus Successful, found {' and '.join(states)}: {why}; deploy it again"
        elif {"", "Pending", "InProgress"} & {*states}:
            raise Unverified(f"{function!r} is {' and '.join(states)}; run again when the update has ended")

    assert findings(every(graph, FUNCTION), judge) == {}


@pytest.mark.infra
@pytest.mark.item("SFN-01")
def test_state_machines_log_errors(graph: Graph, compute: Compute) -> None:
    """Operators cannot tell why an execution failed once its history is gone; an express one has none at all."""

    def judge(resource: Resource) -> Iterator[str]:
        machine = compute.machine(resource)
        if machine.log_level == "OFF" or not machine.log_group_names:
            yield f"expected Logging of level ERROR to a log group, found level {machine.log_level} to {len(machine.log_group_names)} groups; set it"

    assert findings(every(graph, MACHINE), judge) == {}


@pytest.mark.infra
@pytest.mark.item("SFN-02")
def test_state_machines_are_traced(graph: Graph, compute: Compute) -> None:
    """Operators cannot tell which step of an execution was slow."""

    def judge(resource: Resource) -> Iterator[str]:
        if not compute.machine(resource).traces:
            yield "expected tracing enabled, found it off; set Tracing, and let the role write to X-Ray"

    assert findings(every(graph, MACHINE), judge) == {}


@pytest.mark.config
@pytest.mark.item("SFN-03")
def test_tasks_end_and_their_errors_are_handled(graph: Graph, compute: Compute) -> None:
    """One task that never answers keeps its execution open for a year; one passing error ends it."""

    def judge(resource: Resource) -> Iterator[str]:
        machine = compute.machine(resource)
        limited = "TimeoutSeconds" in machine.definition
        for task in machine.tasks:
            if task.waits_for_others and not (limited or task.has_time_limit):
                yield f"task {task.name!r}: expected TimeoutSeconds or HeartbeatSeconds, found neither, and it waits for others"
            if not task.handles_errors:
                yield f"task {task.name!r}: expected Retry or Catch, found neither; retry what passes, catch the rest"

    assert findings(every(graph, MACHINE), judge) == {}


@pytest.mark.infra
@pytest.mark.item("EVENTS-01")
def test_rules_are_enabled_and_start_something(graph: Graph, compute: Compute) -> None:
    """What should happen on an event or at a time does not happen, and nothing fails."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)  # which is today somewhere

    def judge(resource: Resource) -> Iterator[str]:
        rule = compute.rule(resource)
        if not rule.enabled:
            yield "expected State ENABLED, found DISABLED; enable the rule, or delete it"
        if not comes_round(rule.schedule, yesterday) and not (isinstance(rule, Rule) and rule.pattern):
            yield f"expected a schedule with a future time, found {rule.schedule}; correct its expression, or delete the rule"
        if not rule.targets:
            yield "expected a target, found none; add a target, or delete the rule"
        for target in rule.targets:
            if compute.is_there(target.arn) is False:
                yield f"expected its target to exist, found no {target.arn}; name one that does"
            elif target.role_arn:
                yield from _refused(target, target.arn, graph, compute)
            elif isinstance(rule, Rule) and not _lets_in(rule, target.arn, graph, compute):
                yield (
                    f"expected {target.arn.rpartition(':')[2]} to let events.amazonaws.com in, found no statement for this rule in its "
                    "policy; add AWS::Lambda::Permission, or a policy of the queue or topic, with the rule's ARN"
                )

    assert findings(every(graph, RULE, SCHEDULE), judge) == {}


def _refused(target: Target, arn: str, graph: Graph, compute: Compute) -> Iterator[str]:
    """Yield what a target's role lacks for EventBridge to send to a resource. Services with other actions are not judged."""
    if action := _ACTION_ON.get(arn.split(":")[2]):
        role = Role(compute.env, target.role_arn.rpartition("/")[2])
        needed = [(action, arn, "to deliver")]
        yield from ungranted(needed, role, read(role.statements), graph, needs="what EventBridge needs")


def _lets_in(rule: Rule, arn: str, graph: Graph, compute: Compute) -> bool:
    """Whether the policy of a function, queue or topic of the stack lets EventBridge in for a rule; True for others."""
    statements = _policy(arn, graph, compute)
    return statements is None or any(_covers(statement, rule.arn) for statement in read(statements))


def _policy(arn: str, graph: Graph, compute: Compute) -> Sequence[Mapping[str, Any]] | None:
    """The statements of the resource policy that decides, None for what is not of the stack or has none."""
    for each in graph.of(FUNCTION):
        function = compute.function(each)
        if same_function(arn, function.name):
            qualifier = "".join(arn.split(":")[7:8])
            return (
                function.permissions_of_qualifiers.get(qualifier, []) if qualifier else function.permissions
            )
    for each in graph.of(QUEUE):
        if compute.queue(each).arn == arn:
            return compute.queue(each).policy_statements
    topics = [each for each in graph.of("AWS::SNS::Topic") if each.physical_id == arn]
    return Topic(compute.env, arn).policy_statements if topics else None


def _covers(statement: Statement, rule_arn: str) -> bool:
    sources = [
        pattern for _, key, patterns in statement.conditions if key == "aws:sourcearn" for pattern in patterns
    ]
    return (
        statement.allows
        and bool({("Service", "events.amazonaws.com"), ("AWS", "*")} & {*statement.principals})
        and (not sources or any(rule_arn.startswith(pattern.split("*")[0]) for pattern in sources))
    )


@pytest.mark.infra
@pytest.mark.item("EVENTS-02")
def test_events_that_were_not_delivered_are_noticed(graph: Graph, compute: Compute, env: Environment) -> None:
    """EventBridge drops an event after a day, or at once where it is refused, and does not report it."""
    rules = every(graph, RULE, SCHEDULE)
    watched = {
        (
            alarmed.namespace,
            alarmed.name,
            alarmed.dimensions.get("RuleName") or alarmed.dimensions.get("ScheduleGroup"),
        )
        for alarm in every_alarm(env)
        for alarmed in alarm.metrics
    }

    def judge(resource: Resource) -> Iterator[str]:
        rule = compute.rule(resource)
        losses = rule.losses
        if not rule.enabled or any(
            (losses.namespace, metric, named) in watched
            for metric in losses.metrics
            for named in (rule.measured_as, None)
        ):
            return
        for target in rule.targets:
            if not target.dead_letter_arn:
                yield (
                    f"expected a dead-letter queue of target {target.arn}, or an alarm on {losses.metrics[0]} of {losses.namespace} with "
                    f"its {losses.dimension}, found neither; set DeadLetterConfig"
                )
            elif not isinstance(rule, Rule):
                yield from _refused(target, target.dead_letter_arn, graph, compute)

    assert findings(rules, judge) == {}

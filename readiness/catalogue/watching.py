"""The alarms that watch a stack's resources, whichever stack they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property, partial
from typing import Any, Final

from readiness import budgets
from readiness.aws.alarm import Alarm, Metric, composite_rules, every_alarm, is_named_by
from readiness.aws.alarm_evaluation import Trouble, too_short, unnoticed
from readiness.aws.key import Key
from readiness.aws.log_group import LogGroup
from readiness.aws.policy import Statement, matches, read
from readiness.aws.rule import Rule
from readiness.aws.service_access import Caller, lets_in
from readiness.aws.stream import Stream
from readiness.aws.topic import Subscription, Topic
from readiness.aws.trouble import Strength
from readiness.catalogue.compute import (
    DISTRIBUTION,
    FUNCTION,
    HTTP_API,
    MACHINE,
    QUEUE,
    REST_API,
    Compute,
    function_name,
)
from readiness.catalogue.existence import exists
from readiness.catalogue.metrics import COMPLETE, DIMENSIONS, METRICS, OF_HTTP_API, OF_REST_API
from readiness.discovery.graph import Graph, Relation, Resource
from readiness.environment import Environment
from readiness.errors import Missing, Unverified

ALARM: Final = "AWS::CloudWatch::Alarm"
OUTAGE: Final = Strength(
    budgets.OUTAGE_FAILURES,
    budgets.OUTAGE_SUCCESSES,
    budgets.OUTAGE_REST,
    budgets.OUTAGE_SPAN,
    busy=True,
    wider=True,
)
BACKLOG: Final = replace(OUTAGE, within=budgets.BACKLOG_SPAN)
_EDGE_REGION: Final = "us-east-1"
_UPWARDS: Final = ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold")
_DOWNWARDS: Final = ("LessThanThreshold", "LessThanOrEqualToThreshold")
# Topics under this key get nothing from CloudWatch, which may not use it.
# Source: CloudWatch User Guide, "Notify users on alarm changes", and SNS Developer Guide, "Key management".
_UNUSABLE_KEY: Final = "alias/aws/sns"
_LONGEST_ANSWER_MS: Final = 900_000  # Lambda's longest timeout
_ERRORS: Final = re.compile(
    r"(?i)err|exception|fail|fatal|panic|crit|unhandled|traceback|timed? ?out|\b5(?:\d\d|\*)"
)
"""What a filter's pattern names when it looks for what went wrong."""


@dataclass(frozen=True)
class Watching:
    """The account's alarms, and what of a stack they watch."""

    env: Environment = field(repr=False)
    graph: Graph = field(repr=False)
    compute: Compute = field(repr=False)

    @cached_property
    def alarms(self) -> Sequence[Alarm]:
        """All metric alarms of the region, and those of CloudFront's where the stack has a distribution."""
        found = list(every_alarm(self.env))
        if self.graph.of(DISTRIBUTION) and self.env.region != _EDGE_REGION:
            found += every_alarm(self.env, _EDGE_REGION)
        return found

    def alarm(self, resource: Resource) -> Alarm:
        """One of the stack's.

        Raises:
            Missing: there is none of this name.
        """
        for alarm in self.alarms:
            if alarm.name == resource.physical_id:
                return alarm
        raise Missing(f"alarm '{resource.physical_id}' does not exist; deploy the stack again")

    def unnoticed(self, trouble: Trouble) -> Sequence[str] | None:
        """Why each alarm that watches a trouble does not tell of it in time; None where one of them does.

        Raises:
            Unverified: none does, and one of them is not understood.
        """
        why = unnoticed(self.alarms, [trouble])
        searching = [
            alarm.name
            for alarm in self.alarms
            if alarm.actions_enabled and any(_searches(text, trouble) for text in alarm.expressions)
        ]
        if why is not None and searching:
            raise Unverified(
                f"alarm '{searching[0]}' looks for its metrics by a query; look by hand whether it is raised while {trouble.what}",
                cause="an alarm on a query of metrics",
            )
        return why

    def function_is_unwatched(self, resource: Resource) -> Sequence[str] | None:
        """Return why no alarm reports its failures: in its errors, its log, or the queue or state machine that gets them."""
        function = self.compute.function(resource)
        queues = [
            each
            for each in self.graph.of(QUEUE)
            if self.compute.queue(each).arn in self._failures_of(function.name)
        ]
        machines = [
            each
            for each in self.graph.of(MACHINE)
            if any(function_name(task.function) == function.name for task in self.compute.machine(each).tasks)
        ]
        return _by_any(
            lambda: self.unnoticed(OUTAGE.errors(function.name)),
            lambda: self._log_is_unwatched(function.log_group_name),
            *(partial(self.queue_is_unwatched, each) for each in queues),
            *(partial(self.machine_is_unwatched, each) for each in machines),
        )

    def _failures_of(self, function: str) -> set[str]:
        """ARNs of the queues that keep what a function failed on."""
        resource = next(each for each in self.graph.of(FUNCTION) if each.physical_id == function)
        live = self.compute.function(resource)
        if self.graph.to(resource, Relation.ROUTES_TO):
            return set()  # who calls it through an API gets the error, and no queue keeps it
        sources = {str(mapping.get("EventSourceArn")) for mapping in live.event_sources}
        redrives = {
            str(queue.redrive_policy.get("deadLetterTargetArn"))
            for each in self.graph.of(QUEUE)
            if (queue := self.compute.queue(each)).arn in sources
        }
        destinations = (mapping.get("DestinationConfig") or {} for mapping in live.event_sources)
        given_up = {str((one.get("OnFailure") or {}).get("Destination")) for one in destinations}
        return redrives | given_up | {*live.failure_targets}

    @cached_property
    def _transformations(self) -> Sequence[tuple[str, Mapping[str, Any], str]]:
        """Each log group's name, with a metric that a filter makes of its lines, and the filter's pattern."""
        pages = self.env.client("logs").get_paginator("describe_metric_filters").paginate()
        return [
            (one["logGroupName"], made, str(one.get("filterPattern", "")))
            for page in pages
            for one in page["metricFilters"]
            for made in one.get("metricTransformations", [])
        ]

    def _log_is_unwatched(self, name: str) -> Sequence[str] | None:
        made = [(one, pattern) for group, one, pattern in self._transformations if group == name]
        return _by_any(*(partial(self._lines_are_unwatched, one, pattern) for one, pattern in made))

    def _lines_are_unwatched(self, made: Mapping[str, Any], pattern: str) -> Sequence[str] | None:
        """Return why no alarm reports the lines that a filter counts. The lines have to be about errors."""
        why = self.unnoticed(OUTAGE.lines(made))
        if why is None and not _ERRORS.search(pattern):
            raise Unverified(
                f"a metric filter counts lines that match {pattern!r}; look by hand whether those are errors",
                cause="a metric filter whose pattern names no error",
            )
        return why

    @cached_property
    def dead_letter_queues(self) -> set[str]:
        """ARNs of what keeps failed messages, events and deliveries of the stack."""
        queues = [self.compute.queue(each) for each in self.graph.of(QUEUE)]
        functions = [self.compute.function(each) for each in self.graph.of(FUNCTION)]
        rules = [
            self.compute.rule(each) for each in self.graph.of("AWS::Events::Rule", "AWS::Scheduler::Schedule")
        ]
        return {
            *(str(queue.redrive_policy.get("deadLetterTargetArn", "")) for queue in queues),
            *(target for function in functions for target in function.failure_targets),
            *(target.dead_letter_arn for rule in rules for target in rule.targets),
        } - {""}

    def queue_is_unwatched(self, resource: Resource) -> Sequence[str] | None:
        """Return why no alarm reports its waiting messages, or those of its dead-letter queue."""
        queue = self.compute.queue(resource)
        given_up = str(queue.redrive_policy.get("deadLetterTargetArn", ""))
        names = [arn.rpartition(":")[2] for arn in (queue.arn, given_up) if arn]
        return _by_any(*(partial(self.unnoticed, BACKLOG.waiting(name)) for name in names))

    def lag_is_unwatched(self, resource: Resource) -> Sequence[str] | None:
        """Return why no alarm reports that a function falls behind the streams that it reads."""
        name = self.compute.function(resource).name
        kept = min(self._kept(arn) for arn in self.compute.streams_read[name])
        return self.unnoticed(replace(OUTAGE, within=kept).lag(name))

    def _kept(self, arn: str) -> timedelta:
        """How long a stream keeps a record, as far as it is asked: a stream of another account is not."""
        _, _, service, _, account, what = arn.split(":", 5)
        if service != "kinesis" or account != self.env.account_id:
            return budgets.LAG_SPAN
        return min(Stream(self.env, what.rpartition("/")[2]).retention, budgets.LONGEST_LAG_SPAN)

    def machine_is_unwatched(self, resource: Resource) -> Sequence[str] | None:
        """Return why no alarm reports its failures. An EventBridge rule on failed executions also reports them."""
        arn = self.compute.machine(resource).arn
        rules = (self.compute.rule(each) for each in self.graph.of("AWS::Events::Rule"))
        if any(isinstance(rule, Rule) and reports_failure(rule, arn) for rule in rules):
            return None
        return self.unnoticed(OUTAGE.failed_executions(arn))

    def api_is_unwatched(self, resource: Resource) -> Sequence[str] | None:
        """Return why no alarm reports its 5xx answers."""
        if resource.type == HTTP_API:
            return self.unnoticed(OUTAGE.server_errors({"ApiId": resource.physical_id}))
        return self.unnoticed(OUTAGE.server_errors({"ApiName": self.rest_api_name(resource)}))

    def rest_api_name(self, resource: Resource) -> str:
        """What CloudWatch knows it by."""
        return str(self.env.client("apigateway").get_rest_api(restApiId=resource.physical_id)["name"])

    def distribution_is_unwatched(self, resource: Resource) -> Sequence[str] | None:
        """Return why no alarm reports its rate of errors."""
        return self.unnoticed(OUTAGE.error_rate(resource.physical_id))

    @cached_property
    def _composites(self) -> Sequence[str]:
        return composite_rules(self.env)

    def silence(self, alarm: Alarm) -> Iterator[str]:
        """Yield why an alarm does not reach a person."""
        if is_named_by(self._composites, alarm.name):
            return
        if not alarm.actions_enabled:
            yield "expected ActionsEnabled, found false; set it to true"
        if not alarm.actions:
            yield "expected AlarmActions, found none; name a topic that has a subscriber"
        topics = [arn for arn in alarm.actions if arn.split(":")[2] == "sns"]
        if topics and len(topics) == len(alarm.actions):
            yield from _by_any(*(partial(self._unheard, arn, alarm) for arn in topics)) or []

    def _unheard(self, arn: str, alarm: Alarm) -> Sequence[str] | None:
        """Return why an alarm's message to a topic does not reach a person, None where it does."""
        why = self._deafness(arn, alarm)
        return [why] if why else None

    def _deafness(self, arn: str, alarm: Alarm) -> str:
        """Return why an alarm's message to a topic does not reach a person, '' where it does.

        Raises:
            Unverified: queues alone are subscribed, and nothing in the stack reads them.
        """
        topic = Topic(self.env, arn)
        where = f"{self.env.partition}:cloudwatch:{arn.split(':')[3]}:{self.env.account_id}"
        caller = Caller("cloudwatch.amazonaws.com", f"arn:{where}:alarm:{alarm.name}", self.env.account_id)
        try:
            key, statements, subscriptions = topic.kms_key_id, topic.policy_statements, topic.subscriptions
        except Missing:
            return f"expected its topic to exist, found no {arn}; name one that does"
        if key.endswith(_UNUSABLE_KEY):
            return f"expected a key that CloudWatch may use, found {key} on {arn}; use a key of your own that lets it in"
        if key and not lets_in(Key(self.env, key).policy_statements, caller, "kms:GenerateDataKey"):
            return f"expected the key {key} of {arn} to let cloudwatch.amazonaws.com use it, found no such statement; add it"
        if (
            statements
            and not any(_trusts_an_account(one) for one in read(statements))
            and not lets_in(statements, caller, "sns:Publish", arn)
        ):
            return f"expected {arn} to let cloudwatch.amazonaws.com publish, found no statement that does; add one, or correct its condition"
        confirmed = [subscription for subscription in subscriptions if subscription.confirmed]
        heard = [each for each in confirmed if not each.needs_attributes]
        if not heard:
            return f"expected a confirmed subscription of {arn} that takes alarms, found {_unheard_by(subscriptions)}"
        unread = {each.endpoint for each in heard if each.protocol == "sqs"} - self.compute.queues_read
        if len(unread) == len(heard):
            raise Unverified(
                f"expected a reader of the alarms of {arn}, found only queues that nothing in the stack reads: {', '.join(sorted(unread))}; "
                "subscribe a person, or check by hand what reads them"
            )
        return ""

    def blindness(self, alarm: Alarm) -> Iterator[str]:
        """Why an alarm cannot fire, or fires for nothing."""
        if (period := too_short(alarm)) is not None:
            yield (
                f"expected a Period of 60 s or more, found {period.total_seconds():.0f} s: AWS publishes its metrics once a minute, "
                "and the alarm lapses into INSUFFICIENT_DATA; set Period to 60"
            )
        for metric in alarm.metrics:
            counted = METRICS.get(metric.namespace, {}).get(metric.name)
            if counted is None:
                if metric.namespace in COMPLETE:
                    yield f"expected a metric of {metric.namespace}, found {metric.name}, which it has not; see its metrics"
                continue
            if metric.unit and metric.unit not in (counted.unit, "None"):
                yield f"expected Unit {counted.unit} or none, found {metric.unit}: no data point has it; leave Unit out"
            single = len(alarm.metrics) == 1 and not alarm.expressions
            if counted.failure and single:
                yield from self._bounds(alarm, metric)

    def sleep(self, alarm: Alarm) -> Iterator[str]:
        """Yield the failure in its metrics that an alarm misses.

        The alarm has to notice at least one failure of any length. It has to do so in time if no other alarm of the account
        does.
        """
        # What was before is forgotten, and all its periods are looked at.
        span = alarm.span * 3 + timedelta(hours=1)
        prompt = self._troubles(alarm, span, budgets.OUTAGE_SPAN)
        if not _by_any(*(partial(unnoticed, [alarm], [one]) for one in prompt)):
            return
        if why := _by_any(*(partial(unnoticed, [alarm], [one]) for one in self._troubles(alarm, span, span))):
            yield f"expected it to be raised by a trouble, found that {why[0].partition(': ')[2]}; correct its rule"
        elif late := _by_any(*(partial(self.unnoticed, one) for one in prompt)):
            minutes = budgets.OUTAGE_SPAN / timedelta(minutes=1)
            yield (
                f"expected an alarm on its metric to be raised by a trouble of {minutes:g} minutes, found none ({'; '.join(late)}); "
                "take fewer periods, or shorter ones"
            )

    def _troubles(self, alarm: Alarm, rest: timedelta, within: timedelta) -> Sequence[Trouble]:
        """What makes each of an alarm's metrics say that something is wrong, as far as that is stated."""
        strength = replace(OUTAGE, rest=rest, within=within)
        return [
            replace(trouble, dimensions=metric.dimensions)
            for metric in alarm.metrics
            if (trouble := self._trouble(alarm, metric, strength))
        ]

    def _trouble(self, alarm: Alarm, metric: Metric, strength: Strength) -> Trouble | None:
        """What makes a metric say that something is wrong; None where that is not stated."""
        name = next(iter(metric.dimensions.values()), "all")
        # A REST API may be allowed to wait longer for its integrations, and a queue may keep messages longer.
        above = 2 * max(alarm.threshold or 0, 0)
        answer = max(budgets.REST_TIMEOUT, timedelta(milliseconds=min(above, _LONGEST_ANSWER_MS)))
        if "ApiId" in metric.dimensions:
            answer = budgets.HTTP_TIMEOUT
        longest = budgets.LONGEST_RETENTION.total_seconds()
        ageing = replace(BACKLOG, within=max(BACKLOG.within, timedelta(seconds=min(above, longest))))
        stated: Mapping[tuple[str, str], Callable[[], Trouble | None]] = {
            ("AWS/Lambda", "Errors"): lambda: strength.errors(name),
            ("AWS/Lambda", "Throttles"): lambda: strength.throttles(name),
            ("AWS/Lambda", "Duration"): lambda: self._slowness(metric, strength),
            ("AWS/ApiGateway", "Latency"): lambda: strength.slow_answers(metric.dimensions, answer),
            ("AWS/ApiGateway", "IntegrationLatency"): lambda: strength.slow_answers(
                metric.dimensions, answer
            ),
            ("AWS/SQS", "ApproximateAgeOfOldestMessage"): lambda: ageing.waiting(name),
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): lambda: BACKLOG.waiting(name),
            ("AWS/ApiGateway", "5xx"): lambda: strength.server_errors({"ApiId": name}),
            ("AWS/ApiGateway", "5XXError"): lambda: strength.server_errors({"ApiName": name}),
            ("AWS/States", "ExecutionsFailed"): lambda: strength.failed_executions(name),
            ("AWS/CloudFront", "5xxErrorRate"): lambda: strength.error_rate(name),
            ("AWS/CloudFront", "TotalErrorRate"): lambda: strength.error_rate(name),
        }
        return stated.get((metric.namespace, metric.name), lambda: None)()

    def _slowness(self, metric: Metric, strength: Strength) -> Trouble | None:
        """A function's calls last until Lambda ends them; None where its timeout is not known."""
        longest = self._most(metric)
        name = metric.dimensions.get("FunctionName", "")
        return strength.slowness(name, timedelta(milliseconds=longest)) if longest else None

    def _bounds(self, alarm: Alarm, metric: Metric) -> Iterator[str]:
        counted = METRICS[metric.namespace][metric.name]
        threshold, strict = alarm.threshold, alarm.comparison == _UPWARDS[0]
        if alarm.comparison in _DOWNWARDS:
            yield f"expected it to fire on more of {metric.name}, found {alarm.comparison}; turn the comparison round"
        if threshold is None or alarm.comparison not in _UPWARDS:
            return
        most = self._most(metric)
        if most is not None and (threshold > most or (threshold == most and strict)):
            yield (
                f"expected a threshold that {metric.statistic} of {metric.name} can exceed, found {threshold:g} of at most {most:g}; "
                "lower it, or use Sum"
            )
        elif threshold > budgets.ALARM_COUNT and counted.unit == "Count":
            yield f"expected a threshold of at most {budgets.ALARM_COUNT}, found {threshold:g}; lower it"
        if threshold <= 0 and not (threshold == 0 and strict):
            yield f"expected a threshold above 0, found {alarm.comparison} {threshold:g}: it always fires; raise it"
        if alarm.treat_missing_data == "breaching":
            yield (
                "expected TreatMissingData notBreaching or missing, found breaching: it fires whenever nothing happens, "
                f"as {metric.name} has no data then; change it"
            )

    def _most(self, metric: Metric) -> float | None:
        """What a statistic of a metric cannot exceed, None for no bound."""
        counted = METRICS[metric.namespace][metric.name]
        if counted.each and metric.statistic in ("Average", "Maximum", "Minimum"):
            return 1
        if counted.percent and metric.statistic != "Sum":
            return 100
        if (metric.namespace, metric.name) == ("AWS/Lambda", "Duration") and metric.statistic != "Sum":
            name = metric.dimensions.get("FunctionName", "")
            for resource in self.graph.of(FUNCTION):
                if resource.physical_id == name:
                    return self.compute.function(resource).timeout / timedelta(milliseconds=1)
        if (metric.namespace, metric.name) == ("AWS/SQS", "ApproximateAgeOfOldestMessage"):
            name = metric.dimensions.get("QueueName", "")
            for resource in self.graph.of(QUEUE):
                if (queue := self.compute.queue(resource)).arn.endswith(f":{name}"):
                    return queue.retention / timedelta(seconds=1)
        return None

    def misses(self, alarm: Alarm) -> Iterator[str]:
        """What an alarm watches that is not there."""
        for metric in alarm.metrics:
            names = frozenset(metric.dimensions)
            if metric.namespace == "AWS/CloudFront" and self.env.region != _EDGE_REGION:
                yield f"expected an alarm on CloudFront's metrics in {_EDGE_REGION}, found it in {self.env.region}, where they are not; move it"
            if metric.namespace in DIMENSIONS and names not in DIMENSIONS[metric.namespace]:
                allowed = " or ".join("+".join(sorted(one)) or "none" for one in DIMENSIONS[metric.namespace])
                yield f"expected dimensions {allowed} of {metric.namespace}, found {'+'.join(sorted(names)) or 'none'}: no data has them; correct them"
                continue
            if (metric.name in OF_HTTP_API and "ApiName" in names) or (
                metric.name in OF_REST_API and "ApiId" in names
            ):
                yield f"expected a metric of its kind of API, found {metric.name} with {'+'.join(sorted(names))}: no data has them; HTTP APIs have 5xx and ApiId, REST APIs 5XXError and ApiName"
                continue
            for name, value in metric.dimensions.items():
                if self._is_there(metric.namespace, name, value) is False:
                    yield f"expected {name} of something that exists, found {value!r}; name the resource by Ref or GetAtt"
        for other in self.graph.of(ALARM):
            # The later one in the alphabet names the earlier one, so that a pair makes one finding.
            if other.physical_id < alarm.name and self._is_the_same(alarm, other):
                yield (
                    f"expected an alarm that differs from all others, found the same one in {other}; "
                    "name the resource that it should watch, or remove it"
                )

    def _is_the_same(self, alarm: Alarm, resource: Resource) -> bool:
        """Whether another alarm of the stack watches the same series by the same rule, and acts in the same way."""
        found = next((one for one in self.alarms if one.name == resource.physical_id), None)
        return found is not None and replace(found, name=alarm.name) == alarm

    def _is_there(self, namespace: str, name: str, value: str) -> bool | None:
        """Whether what a dimension names exists; None where this cannot tell."""
        where = f"{self.env.region}:{self.env.account_id}"
        readers: Mapping[tuple[str, str], Callable[[], bool | None]] = {
            ("AWS/Lambda", "FunctionName"): lambda: self.compute.is_there(
                f"arn:{self.env.partition}:lambda:{where}:function:{value}"
            ),
            ("AWS/SQS", "QueueName"): lambda: self.compute.is_there(
                f"arn:{self.env.partition}:sqs:{where}:{value}"
            ),
            ("AWS/States", "StateMachineArn"): lambda: (
                value.startswith("arn:") and self.compute.is_there(value)
            ),
            ("AWS/CloudFront", "Region"): lambda: value == "Global",
            ("AWS/CloudFront", "DistributionId"): lambda: exists(
                self.env, "cloudfront", "get_distribution", Id=value
            ),
            ("AWS/ApiGateway", "ApiId"): lambda: exists(self.env, "apigatewayv2", "get_api", ApiId=value),
            ("AWS/ApiGateway", "ApiName"): lambda: value in self._rest_api_names,
            ("AWS/DynamoDB", "TableName"): lambda: exists(
                self.env, "dynamodb", "describe_table", TableName=value
            ),
        }
        reader = readers.get((namespace, name))
        return reader() if reader else None

    @cached_property
    def _rest_api_names(self) -> set[str]:
        pages = self.env.client("apigateway").get_paginator("get_rest_apis").paginate()
        return {one["name"] for page in pages for one in page["items"]}

    @cached_property
    def log_groups(self) -> Mapping[str, tuple[str, LogGroup]]:
        """By name: the logical id of the log group, or else of whose log it is, and the log group."""
        written = [
            (self.compute.function(each).log_group_name, each)
            for each in self.graph.of(FUNCTION)
            if each.physical_id not in self.compute.at_edges
        ]
        written += [
            (name, each)
            for each in self.graph.of(MACHINE)
            for name in self.compute.machine(each).log_group_names
        ]
        written += [
            (name, each) for each in self.graph.of(HTTP_API, REST_API) for name in self._access_logs(each)
        ]
        found = {name: str(each) for name, each in written}
        found |= {each.physical_id: str(each) for each in self.graph.of("AWS::Logs::LogGroup")}
        return {name: (whose, LogGroup(self.env, name)) for name, whose in found.items()}

    @cached_property
    def logs_of_helpers(self) -> set[str]:
        """Names of the log groups that only functions of custom resources write to: a deployment tells their failures."""
        functions = self.graph.of(FUNCTION)
        serving = {each.logical_id for each in self.compute.serving(functions)}
        names: dict[bool, set[str]] = {True: set(), False: set()}
        for each in functions:
            if each.physical_id not in self.compute.at_edges:
                names[each.logical_id in serving].add(self.compute.function(each).log_group_name)
        return names[False] - names[True]

    def _access_logs(self, api: Resource) -> Sequence[str]:
        stages: Sequence[Mapping[str, Any]]
        if api.type == HTTP_API:
            stages = self.env.client("apigatewayv2").get_stages(ApiId=api.physical_id)["Items"]
            arns = [(stage.get("AccessLogSettings") or {}).get("DestinationArn", "") for stage in stages]
        else:
            stages = self.env.client("apigateway").get_stages(restApiId=api.physical_id)["item"]
            arns = [(stage.get("accessLogSettings") or {}).get("destinationArn", "") for stage in stages]
        return [arn.partition(":log-group:")[2].removesuffix(":*") for arn in arns if ":log-group:" in arn]


def _by_any(*ways: Callable[[], Sequence[str] | None]) -> Sequence[str] | None:
    """Return None where one of these ways reports the failure, else the reasons of all ways.

    Raises:
        Unverified: no way reports it, and one way could not be checked.
    """
    why: list[str] = []
    doubts: list[Unverified] = []
    for way in ways:
        try:
            found = way()
        except Unverified as doubt:
            doubts.append(doubt)
            continue
        if found is None:
            return None
        why += found
    if doubts:
        raise doubts[0]
    return why


def reports_failure(rule: Rule, machine: str) -> bool:
    """Whether a rule sends the failed executions of a state machine to a target."""
    detail = rule.pattern.get("detail") or {}
    return (
        rule.enabled
        and bool(rule.targets)
        and "aws.states" in rule.pattern.get("source", [])
        and _includes(detail.get("status"), "FAILED")
        and _includes(detail.get("stateMachineArn"), machine)
    )


def _includes(wanted: Sequence[Any] | None, value: str) -> bool:
    """Whether a field of an event pattern takes a value; None is a field that it does not mention.

    Raises:
        Unverified: the pattern compares in a way that is not understood.
    """
    for one in wanted or []:
        if isinstance(one, Mapping) and not {*one} <= {"prefix", "suffix", "wildcard"}:
            raise Unverified(
                f"a rule compares by {', '.join(one)}; look by hand whether it takes '{value}'",
                cause="an event pattern that is not understood",
            )
    return wanted is None or any(
        value == one if isinstance(one, str) else _is_like(one, value) for one in wanted
    )


def _is_like(matcher: Mapping[str, str], value: str) -> bool:
    return (
        value.startswith(matcher.get("prefix", ""))
        and value.endswith(matcher.get("suffix", ""))
        and matches(matcher.get("wildcard", "*"), value)
    )


def _searches(text: str, trouble: Trouble) -> bool:
    """Whether a SEARCH or a query of metrics finds a trouble: it names the metric, and the resource or no other."""
    if not any(namespace in text and name in text for namespace, name in trouble.courses):
        return False
    narrowed = any(
        word in text for word in ("FunctionName=", "QueueName=", "ApiId=", "ApiName=", "StateMachineArn=")
    )
    return not narrowed or any(value in text for value in trouble.dimensions.values())


def _unheard_by(subscriptions: Sequence[Subscription]) -> str:
    """Why none of a topic's subscriptions takes alarms, and what to do."""
    if any(each.confirmed for each in subscriptions):
        return (
            "only filter policies on message attributes, of which CloudWatch sends none; take FilterPolicy out, or set "
            "FilterPolicyScope to MessageBody"
        )
    found = f"{len(subscriptions)} unconfirmed" if subscriptions else "none"
    return f"{found}; subscribe a person, and confirm the subscription"


def _trusts_an_account(statement: Statement) -> bool:
    """An account as principal covers those of its services that act for it."""
    return statement.allows and any(
        kind == "AWS" and (each.startswith("arn:") or each.isdigit()) for kind, each in statement.principals
    )

"""readiness/catalogue/watching.py: what no embedded AWS has to show"""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from readiness import budgets
from readiness.aws.alarm import Alarm, Metric, Query
from readiness.aws.function import Function
from readiness.aws.rule import Rule, Target
from readiness.catalogue.checks import test_observability as checks
from readiness.catalogue.compute import Compute
from readiness.catalogue.declaration import Declarations
from readiness.catalogue.watching import OUTAGE, Watching, reports_failure
from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.errors import Unverified


class Offline(Watching):
    """Knows some alarms, and asks nobody."""

    alarms: Any = ()


def watching(*alarms: Alarm) -> Offline:
    env: Any = None
    graph = Graph([])
    found = Offline(env, graph, Compute(env, graph))
    object.__setattr__(found, "alarms", alarms)
    return found


def alarm(namespace: str, name: str, statistic: str = "Sum", **facts: Any) -> Alarm:
    unit = facts.pop("unit", "")
    dimensions = facts.pop("dimensions", {"FunctionName": "api"})
    told = {"threshold": 1, "comparison": "GreaterThanOrEqualToThreshold", "actions_enabled": True, **facts}
    metric = Metric(namespace, name, dimensions, unit, statistic)
    span = timedelta(minutes=5)
    query = Query("", span, metric)
    return Alarm("one", [metric], [], queries=[query], periods=1, needed=1, span=span, **told)


def lasting(one: Alarm, periods: int) -> Alarm:
    """The same alarm on so many periods."""
    return replace(one, periods=periods, needed=periods, span=one.span * periods)


LATENCY = alarm(
    "AWS/ApiGateway",
    "Latency",
    "p95",
    threshold=3000,
    comparison="GreaterThanThreshold",
    dimensions={"ApiId": "a"},
)
JOBS = {"QueueName": "jobs"}
LAG = replace(OUTAGE, within=budgets.LAG_SPAN)
AGE = alarm("AWS/Lambda", "IteratorAge", "Maximum", threshold=3_600_000)


@pytest.mark.parametrize(
    "sound",
    [
        alarm("AWS/Lambda", "Errors"),
        alarm("AWS/Lambda", "Errors", "Average", threshold=0.05, comparison="GreaterThanThreshold"),
        alarm("AWS/Lambda", "Errors", "Maximum"),
        alarm("AWS/Lambda", "Errors", threshold=0, comparison="GreaterThanThreshold", unit="Count"),
        alarm("AWS/Lambda", "Errors", threshold=None, comparison="GreaterThanUpperThreshold"),
        alarm("AWS/Lambda", "Invocations", comparison="LessThanThreshold", treat_missing_data="breaching"),
        alarm("AWS/CloudFront", "5xxErrorRate", "Average", threshold=5),
        alarm("AWS/SQS", "NumberOfMessagesReceived", comparison="LessThanThreshold"),
        alarm("AWS/SQS", "NumberOfDeduplicatedSentMessages"),
        alarm("AWS/SQS", "ApproximateNumberOfMessagesVisibleInQuietGroups"),
        alarm("AWS/ApiGateway", "ExecutionError", dimensions={"ApiId": "a"}),
        alarm("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", threshold=86_400),
        alarm("Shop", "Orders", comparison="LessThanThreshold", treat_missing_data="breaching"),
    ],
)
def test_nothing_is_wrong_with_an_alarm_that_can_fire(sound: Alarm) -> None:
    assert list(watching().blindness(sound)) == []


@pytest.mark.parametrize(
    ("blind", "why"),
    [
        (alarm("AWS/Lambda", "Errors", "Average", comparison="GreaterThanThreshold"), "at most 1"),
        (alarm("AWS/Lambda", "Errors", "Maximum", threshold=2), "at most 1"),
        (alarm("AWS/Lambda", "Errors", threshold=100_000), "at most 1000"),
        (alarm("AWS/Lambda", "Errors", threshold=0), "always fires"),
        (alarm("AWS/Lambda", "Errors", comparison="LessThanThreshold"), "turn the comparison"),
        (alarm("AWS/Lambda", "Errors", treat_missing_data="breaching"), "nothing happens"),
        (alarm("AWS/ApiGateway", "Latency", "p95", treat_missing_data="breaching"), "nothing happens"),
        (
            alarm("AWS/SQS", "ApproximateNumberOfMessagesVisible", treat_missing_data="breaching"),
            "nothing happens",
        ),
        (alarm("AWS/Lambda", "Duration", "Average", unit="Seconds"), "Unit Milliseconds"),
        (alarm("AWS/CloudFront", "5xxErrorRate", "Average", threshold=101), "at most 100"),
        (alarm("AWS/ApiGateway", "5xxErrors"), "which it has not"),
        (alarm("AWS/SQS", "NumberOfMessagesFailed"), "which it has not"),
    ],
)
def test_an_alarm_that_cannot_fire_says_why(blind: Alarm, why: str) -> None:
    assert why in " ".join(watching().blindness(blind))


@pytest.mark.parametrize(
    "other",
    [
        alarm("AWS/Lambda", "Errors", dimensions={"FunctionName": "other"}),
        alarm("AWS/Lambda", "Duration"),
        alarm("AWS/Lambda", "Errors", actions_enabled=False),
        alarm("Shop", "Errors"),
        alarm("AWS/Lambda", "Errors", "Minimum"),
        alarm("AWS/Lambda", "Errors", unit="Seconds"),
        alarm("AWS/Lambda", "Errors", threshold=1e9),
        replace(alarm("AWS/Lambda", "Errors"), periods=13, needed=13),
    ],
)
def test_a_function_is_not_watched_by_an_alarm_on_something_else(other: Alarm) -> None:
    assert watching(other).unnoticed(OUTAGE.errors("api")) is not None


@pytest.mark.parametrize(
    "own",
    [
        alarm("AWS/Lambda", "Errors"),
        alarm("AWS/Lambda", "Errors", dimensions={}),
        alarm("AWS/Lambda", "Errors", dimensions={"FunctionName": "api", "Resource": "api:live"}),
        replace(alarm("AWS/Lambda", "Errors"), periods=3, needed=1),
        alarm("AWS/Lambda", "Errors", "p99"),
    ],
)
def test_a_function_is_watched_by_its_own_errors_or_those_of_all(own: Alarm) -> None:
    assert watching(alarm("Shop", "Errors"), own).unnoticed(OUTAGE.errors("api")) is None


@pytest.mark.parametrize(
    ("one", "raised"),
    [
        (AGE, True),
        (replace(AGE, threshold=43_200_000), True),
        (replace(AGE, threshold=172_800_000), False),
        (replace(AGE, actions_enabled=False), False),
        (alarm("AWS/Lambda", "IteratorAge", "Minimum", threshold=60_000), True),
        (alarm("AWS/Lambda", "IteratorAge", "Maximum", threshold=60_000, dimensions={}), True),
        (alarm("AWS/Lambda", "IteratorAge", "Maximum", dimensions={"FunctionName": "other"}), False),
        (alarm("AWS/Lambda", "IteratorAge", "Maximum", threshold=60_000, unit="Seconds"), False),
        (alarm("AWS/Lambda", "IteratorAge", "SampleCount", threshold=60_000), False),
        (alarm("AWS/Lambda", "IteratorAge", "Maximum", threshold=0), False),
        (alarm("AWS/Lambda", "Errors"), False),
    ],
)
def test_a_stream_is_watched_by_the_age_of_what_its_reader_gets(one: Alarm, raised: bool) -> None:
    assert (watching(one).unnoticed(LAG.lag("api")) is None) is raised


def test_an_alarm_on_a_query_is_unverified() -> None:
    searching = Alarm(
        "one", [], [], True, expressions=["SUM(SEARCH('{AWS/Lambda,FunctionName} Errors', 'Sum'))"]
    )

    with pytest.raises(Unverified, match="by hand"):
        watching(searching).unnoticed(OUTAGE.errors("api"))
    assert watching(searching, alarm("AWS/Lambda", "Errors")).unnoticed(OUTAGE.errors("api")) is None


@pytest.mark.parametrize(
    ("one", "raised"),
    [
        (alarm("AWS/Lambda", "Errors"), True),
        (lasting(alarm("AWS/Lambda", "Errors"), 6), True),
        (lasting(alarm("AWS/Lambda", "Errors"), 10), False),
        (replace(lasting(alarm("AWS/Lambda", "Errors"), 10), needed=3), True),
        (lasting(alarm("AWS/Lambda", "Throttles"), 10), False),
        (alarm("AWS/Lambda", "Throttles", "Average"), False),
        (alarm("AWS/Lambda", "Throttles", "SampleCount"), False),
        (LATENCY, True),
        (replace(LATENCY, threshold=30_000), False),
        (lasting(LATENCY, 10), False),
        (alarm("AWS/ApiGateway", "Latency", "Minimum", threshold=3000, dimensions={"ApiId": "a"}), False),
        (alarm("AWS/ApiGateway", "Latency", "p95", threshold=60_000, dimensions={"ApiName": "a"}), True),
        (alarm("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", dimensions=JOBS), True),
        (alarm("AWS/SQS", "ApproximateNumberOfMessagesVisible", "SampleCount", dimensions=JOBS), False),
        (
            alarm("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", threshold=86_400, dimensions=JOBS),
            True,
        ),
        (alarm("Shop", "Duration", threshold=86_400), True),
        (alarm("AWS/Lambda", "Errors", "Minimum"), False),
        (alarm("AWS/ApiGateway", "5xx", "Minimum", dimensions={"ApiId": "a"}), False),
        (alarm("AWS/CloudFront", "5xxErrorRate", "Average", threshold=99), False),
        (alarm("Shop", "Orders", comparison="LessThanThreshold"), True),
    ],
)
def test_an_alarm_has_to_be_raised_by_some_trouble(one: Alarm, raised: bool) -> None:
    assert (list(watching(one).sleep(one)) == []) is raised


def test_an_alarm_may_be_late_where_another_one_is_not() -> None:
    late = lasting(alarm("AWS/Lambda", "Throttles"), 36)

    assert "30 minutes" in " ".join(watching(late).sleep(late))
    assert list(watching(late, alarm("AWS/Lambda", "Throttles")).sleep(late)) == []
    assert list(watching(late, alarm("AWS/Lambda", "Errors")).sleep(late)) != []


MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"


def rule(targets: int = 1, **pattern: Any) -> Rule:
    env: Any = None
    found = Rule(env, "failures")
    told = {"State": "ENABLED", "EventPattern": json.dumps({"source": ["aws.states"], **pattern})}
    vars(found).update(
        description=told, targets=[Target("arn:aws:sns:us-east-1:123456789012:alarms")] * targets
    )
    return found


@pytest.mark.parametrize(
    "pattern",
    [
        {},
        {"detail": {"status": ["FAILED", "TIMED_OUT"]}},
        {"detail": {"stateMachineArn": [MACHINE], "status": ["FAILED"]}},
        {"detail": {"stateMachineArn": [{"prefix": "arn:aws:states:us-east-1:"}]}},
        {"detail": {"stateMachineArn": [{"wildcard": "*:orders"}]}},
    ],
)
def test_a_rule_may_tell_of_failed_executions(pattern: dict[str, Any]) -> None:
    assert reports_failure(rule(**pattern), MACHINE)


@pytest.mark.parametrize(
    "deaf",
    [
        rule(targets=0),
        rule(detail={"status": ["SUCCEEDED"]}),
        rule(detail={"stateMachineArn": [f"{MACHINE}-other"]}),
        rule(detail={"stateMachineArn": [{"prefix": "arn:aws:states:eu-"}]}),
        rule(source=["aws.s3"]),
    ],
)
def test_a_rule_about_something_else_tells_of_no_failure(deaf: Rule) -> None:
    assert not reports_failure(deaf, MACHINE)


def test_a_pattern_that_is_not_understood_is_neither() -> None:
    with pytest.raises(Unverified, match="anything-but"):
        reports_failure(rule(detail={"status": [{"anything-but": ["SUCCEEDED"]}]}), MACHINE)


@pytest.mark.parametrize(
    "pattern", ["ERROR", "?Exception ?Traceback", '{ $.level = "error" }', "[..., status=5*, size]"]
)
def test_lines_about_errors_are_heard_of(pattern: str) -> None:
    made = {"metricNamespace": "Shop", "metricName": "Bad", "metricValue": "1"}
    heard = watching(alarm("Shop", "Bad", dimensions={}))

    assert heard._lines_are_unwatched(made, pattern) is None


def test_lines_about_something_else_are_in_doubt() -> None:
    made = {"metricNamespace": "Shop", "metricName": "Bad", "metricValue": "1"}
    heard = watching(alarm("Shop", "Bad", dimensions={}))

    with pytest.raises(Unverified, match="parcel found"):
        heard._lines_are_unwatched(made, '"parcel found"')
    assert watching()._lines_are_unwatched(made, '"parcel found"') is not None


def failures(*edges: Edge, **facts: Any) -> set[str]:
    function = Resource("AWS::Lambda::Function", "Worker", "worker")
    env: Any = None
    graph = Graph([function], edges)
    live = Function(env, "worker")
    vars(live).update(facts)
    compute = Compute(env, graph)
    object.__setattr__(compute, "function", lambda _: live)
    return Watching(env, graph, compute)._failures_of("worker")


def test_a_mapping_has_a_destination_of_its_own() -> None:
    mapping = {
        "EventSourceArn": "arn:stream",
        "DestinationConfig": {"OnFailure": {"Destination": "arn:left"}},
    }

    assert "arn:left" in failures(event_sources=[mapping], failure_targets=[])


def test_no_queue_keeps_what_an_api_was_answered_at_once() -> None:
    function = Resource("AWS::Lambda::Function", "Worker", "worker")
    route = Edge(Resource("AWS::ApiGatewayV2::Api", "Api", "a1"), Relation.ROUTES_TO, function, "GET /")

    assert failures(event_sources=[], failure_targets=["arn:dead"]) >= {"arn:dead"}
    assert failures(route, event_sources=[], failure_targets=["arn:dead"]) == set()


class Topics(Watching):
    """Knows of each topic, by its last word, whether it reaches somebody, nobody, or who can tell."""

    _composites: Any = ()

    def _deafness(self, arn: str, alarm: Alarm) -> str:
        if arn.endswith(":unread"):
            raise Unverified("nothing in the stack reads the queue")
        return "" if arn.endswith(":heard") else f"expected a confirmed subscription of {arn}, found none"


def silence(*topics: str) -> list[str]:
    env: Any = None
    actions = [f"arn:aws:sns:us-east-1:123456789012:{name}" for name in topics]
    telling = replace(alarm("AWS/Lambda", "Errors"), actions=actions)
    return list(Topics(env, Graph([]), Compute(env, Graph([]))).silence(telling))


def test_one_topic_with_a_recipient_is_enough() -> None:
    assert silence("unread", "heard") == silence("heard", "unread") == silence("deaf", "heard") == []


def test_no_topic_with_a_recipient_is_named_unless_one_is_in_doubt() -> None:
    assert len(silence("deaf", "mute")) == 2
    with pytest.raises(Unverified):
        silence("deaf", "unread")


@pytest.mark.parametrize(
    ("user", "holds"),
    [
        ("AWS::CodeDeploy::DeploymentGroup", True),
        ("AWS::AppConfig::Environment", True),
        ("AWS::CloudWatch::Dashboard", False),
    ],
)
def test_an_alarm_may_undo_a_deployment_and_notify_no_recipient(user: str, holds: bool) -> None:
    resource = Resource("AWS::CloudWatch::Alarm", "Errors", "one")
    user_of_it = {"Type": user, "Properties": {"Alarms": [{"Name": {"Ref": "Errors"}}]}}
    stacks: Any = {"": SimpleNamespace(declared={"Errors": {"Type": resource.type}, "User": user_of_it})}
    telling = Topics(watching().env, Graph([]), watching().compute)
    object.__setattr__(telling, "alarms", [alarm("AWS/Lambda", "Errors")])

    with nullcontext() if holds else pytest.raises(AssertionError, match="AlarmActions"):
        checks.test_alarms_notify_a_recipient(Graph([resource]), telling, Declarations(stacks))

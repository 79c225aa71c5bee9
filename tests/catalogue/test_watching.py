"""readiness/catalogue/watching.py: what no embedded AWS has to show"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from readiness.aws.alarm import Alarm, Metric, Query
from readiness.catalogue.compute import Compute
from readiness.catalogue.watching import OUTAGE, Watching
from readiness.discovery.graph import Graph
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
        (alarm("AWS/Lambda", "Errors", treat_missing_data="breaching"), "nobody calls"),
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


def test_nobody_knows_what_an_alarm_on_a_query_notices() -> None:
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
        (replace(alarm("AWS/Lambda", "Errors"), periods=12, needed=12, span=timedelta(hours=1)), True),
        (alarm("AWS/Lambda", "Errors", "Minimum"), False),
        (alarm("AWS/ApiGateway", "5xx", "Minimum", dimensions={"ApiId": "a"}), False),
        (alarm("AWS/CloudFront", "5xxErrorRate", "Average", threshold=99), False),
        (alarm("Shop", "Orders", comparison="LessThanThreshold"), True),
    ],
)
def test_an_alarm_has_to_be_raised_by_some_trouble(one: Alarm, raised: bool) -> None:
    assert (list(watching().sleep(one)) == []) is raised

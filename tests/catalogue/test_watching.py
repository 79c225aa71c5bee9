"""readiness/catalogue/watching.py: what no embedded AWS has to show"""

from __future__ import annotations

from typing import Any

import pytest

from readiness.aws.alarm import Alarm, Metric
from readiness.catalogue.compute import Compute
from readiness.catalogue.watching import Watching
from readiness.discovery.graph import Graph


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
    return Alarm("one", [Metric(namespace, name, dimensions, unit, statistic)], [], **told)


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
    ],
)
def test_a_function_is_not_watched_by_an_alarm_on_something_else(other: Alarm) -> None:
    assert not watching(other).watched("AWS/Lambda", ["Errors"], "FunctionName", "api")


@pytest.mark.parametrize(
    "own",
    [
        alarm("AWS/Lambda", "Errors"),
        alarm("AWS/Lambda", "Errors", dimensions={}),
        alarm("AWS/Lambda", "Errors", dimensions={"FunctionName": "api", "Resource": "api:live"}),
        Alarm("one", [], [], True, expressions=["SUM(SEARCH('{AWS/Lambda,FunctionName} Errors', 'Sum'))"]),
    ],
)
def test_a_function_is_watched_by_its_own_errors_or_those_of_all(own: Alarm) -> None:
    assert watching(own).watched("AWS/Lambda", ["Errors"], "FunctionName", "api")

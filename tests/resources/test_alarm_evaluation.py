"""readiness/aws/alarm_evaluation.py and metric_math.py: the examples of AWS's own tables, and alarms of many shapes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from readiness.aws.alarm import Alarm, Metric, Query, described_alarm
from readiness.aws.alarm_evaluation import Course, Trouble, _Rule, seen, statistic, would_alarm
from readiness.aws.metric_math import computed
from readiness.aws.trouble import Strength
from readiness.errors import Unverified

MILD = Strength(2, 2, timedelta(hours=1), timedelta(minutes=15), busy=False, wider=False)
BUSY = replace(MILD, busy=True)
ERRORS = {
    "Namespace": "AWS/Lambda",
    "MetricName": "Errors",
    "Dimensions": [{"Name": "FunctionName", "Value": "api"}],
}
CALLS = {**ERRORS, "MetricName": "Invocations"}
GOOD = {
    "AlarmName": "one",
    "ActionsEnabled": True,
    "Period": 300,
    "EvaluationPeriods": 1,
    "Threshold": 3.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}
SIMPLE = {**GOOD, **ERRORS, "Statistic": "Sum"}


def told(**changes: Any) -> Alarm:
    return described_alarm({**SIMPLE, **changes})


def maths(expression: str, *, threshold: float, period: int = 60, **changes: Any) -> Alarm:
    stat = {"Period": period, "Stat": "Sum"}
    return described_alarm(
        {
            **GOOD,
            "Threshold": threshold,
            "Metrics": [
                {"Id": "e", "MetricStat": {"Metric": ERRORS, **stat}, "ReturnData": False},
                {"Id": "n", "MetricStat": {"Metric": CALLS, **stat}, "ReturnData": False},
                {"Id": "r", "Expression": expression, "ReturnData": True},
            ],
            **changes,
        }
    )


# Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data": the newest point on the right.
TABLE = [
    (3, "0-X-X", "OK OK OK OK"),
    (3, "0----", "OK OK OK OK"),
    (3, "-----", "INSUFFICIENT_DATA kept ALARM OK"),
    (3, "0XX-X", "ALARM ALARM ALARM ALARM"),
    (3, "--X--", "ALARM kept ALARM OK"),
    (3, "----X", "OK OK ALARM OK"),
    (3, "---X-", "OK OK ALARM OK"),
    (2, "0-X-X", "ALARM ALARM ALARM ALARM"),
    (2, "00X0X", "ALARM ALARM ALARM ALARM"),
    (2, "0-X--", "OK OK ALARM OK"),
    (2, "----0", "OK OK ALARM OK"),
    (2, "---X-", "ALARM kept ALARM OK"),
]


@pytest.mark.parametrize(
    ("needed", "points", "treatment", "state"),
    [
        (needed, points, treatment, state)
        for needed, points, states in TABLE
        for treatment, state in zip(
            ("missing", "ignore", "breaching", "notBreaching"), states.split(), strict=True
        )
    ],
)
def test_a_state_is_as_aws_writes_it(needed, points, treatment, state):
    rule = _Rule(told(EvaluationPeriods=3, DatapointsToAlarm=needed, TreatMissingData=treatment, Threshold=1))
    values = [{"0": 0.0, "X": 1.0, "-": None}[point] for point in reversed(points)]

    assert rule.state(values, "kept") == state


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Period": 60, "Threshold": 1},
        {"Period": 60, "Threshold": 1, "EvaluationPeriods": 3, "DatapointsToAlarm": 1},
        {"Period": 60, "Threshold": 1, "EvaluationPeriods": 3},
        {"TreatMissingData": "missing"},
        {"Unit": "Count"},
        {"Statistic": "Maximum", "Threshold": 1},
        {"Statistic": None, "ExtendedStatistic": "p99", "Threshold": 1},
        {"Statistic": "Average", "Threshold": 0.1, "ComparisonOperator": "GreaterThanThreshold"},
    ],
)
@pytest.mark.parametrize("strength", [MILD, BUSY])
def test_an_alarm_of_many_shapes_is_raised(changes, strength):
    after = would_alarm(told(**changes), strength.errors("api"))

    assert after is not None
    assert after <= timedelta(minutes=15)


@pytest.mark.parametrize(
    "changes",
    [
        {"Unit": "Seconds"},
        {"Period": 86_400},
        {"Threshold": 1e9},
        {"Threshold": 11},
        {"Statistic": "Minimum", "Threshold": 1},
        {"ComparisonOperator": "LessThanThreshold"},
        {"TreatMissingData": "breaching"},
        {"TreatMissingData": "ignore", "Threshold": 1},  # stays in ALARM for want of a call that succeeds
        {"EvaluationPeriods": 5},
        {"ActionsEnabled": False},
        {"MetricName": "Throttles"},
        {"Dimensions": [{"Name": "FunctionName", "Value": "former-api"}]},
        {"Dimensions": []},
        {
            "Statistic": None,
            "ExtendedStatistic": "p99",
            "Threshold": 1,
            "EvaluateLowSampleCountPercentile": "ignore",
        },
    ],
)
def test_an_alarm_that_only_looks_right_is_not_raised(changes):
    found = [seen(told(**changes), strength.errors("api")) for strength in (MILD, BUSY)]

    assert [one.why for one in found if one.after is None]


def test_an_alarm_on_all_functions_counts_where_that_is_said():
    assert would_alarm(told(Dimensions=[]), replace(BUSY, wider=True).errors("api")) is not None


@pytest.mark.parametrize(
    "alarm",
    [
        maths("100 * e / n", threshold=5),
        maths("e/n", threshold=0.5),
        maths("SUM([e, n])", threshold=6),
        maths("SUM(METRICS())", threshold=6),
        maths("IF(n > 3, 100 * (e / n), 0)", threshold=50),
        maths("IF(n > 3 && e > 1, 1, 0)", threshold=1),
        maths("FILL(e, 0)", threshold=2, EvaluationPeriods=3, DatapointsToAlarm=2),
        maths("RATE(FILL(n, 0))", threshold=0.05),
        maths("MAX([e, n]) - MIN([e, n])", threshold=2),
        maths("e ^ 2", threshold=4),
    ],
)
def test_metric_math_that_notices_is_raised(alarm):
    assert would_alarm(alarm, MILD.errors("api")) is not None


@pytest.mark.parametrize(
    "alarm",
    [
        maths("100 * e / n", threshold=51),
        maths("RATE(e)", threshold=0.001),  # as many in each period
        maths("n - e", threshold=3),
        maths("FILL(e, 1)", threshold=1),  # fires already
        maths("e / (n - n)", threshold=0),
    ],
)
def test_metric_math_that_does_not_notice_is_not_raised(alarm):
    assert would_alarm(alarm, MILD.errors("api")) is None


@pytest.mark.parametrize(
    "alarm",
    [
        maths("SUM(SEARCH('{AWS/Lambda,FunctionName} Errors', 'Sum'))", threshold=1),
        maths('SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName)', threshold=1),
        maths("ANOMALY_DETECTION_BAND(e, 2)", threshold=1),
        maths("SUM(e)", threshold=1),
        maths("e // n", threshold=1),
        maths("gone", threshold=1),
        maths("r + 1", threshold=1),
        told(Statistic=None, ExtendedStatistic="tm95"),
        told(Period=10, Namespace="Shop"),
        told(EvaluationWindow={"WallClockWindow": {}}),
        told(Threshold=None, ThresholdMetricId="band"),
        told(MetricName="ConcurrentExecutions"),
    ],
)
def test_what_is_not_understood_is_unverified(alarm):
    with pytest.raises(Unverified, match="by hand"):
        would_alarm(alarm, MILD.errors("api"))


@pytest.mark.parametrize(
    ("changes", "raised"),
    [
        ({}, True),
        ({"ExtendedStatistic": "p99"}, True),
        ({"Statistic": "Maximum", "ExtendedStatistic": None}, True),
        ({"Statistic": "Minimum", "ExtendedStatistic": None}, False),
        ({"Threshold": 15_000.0}, False),
        ({"Unit": "Seconds"}, False),
        ({"Unit": "Milliseconds"}, True),
    ],
)
def test_slowness_is_noticed_before_the_function_is_stopped(changes, raised):
    slow = {"MetricName": "Duration", "Statistic": None, "ExtendedStatistic": "p95", "Threshold": 5000.0}
    alarm = told(**{**slow, "EvaluationPeriods": 2, "ComparisonOperator": "GreaterThanThreshold", **changes})

    assert (would_alarm(alarm, MILD.slowness("api", timedelta(seconds=14))) is not None) is raised


@pytest.mark.parametrize(
    ("trouble", "metric", "changes", "raised"),
    [
        ("dead_letter", "ApproximateNumberOfMessagesVisible", {"Threshold": 1, "Statistic": "Maximum"}, True),
        ("dead_letter", "ApproximateNumberOfMessagesVisible", {"Threshold": 1, "Statistic": "Average"}, True),
        (
            "dead_letter",
            "ApproximateNumberOfMessagesVisible",
            {"Threshold": 2, "Statistic": "Maximum"},
            False,
        ),
        ("waiting", "ApproximateAgeOfOldestMessage", {"Threshold": 600, "Statistic": "Maximum"}, True),
        ("waiting", "ApproximateAgeOfOldestMessage", {"Threshold": 3600, "Statistic": "Maximum"}, False),
        ("waiting", "ApproximateAgeOfOldestMessage", {"Threshold": 10, "Unit": "Count"}, False),
    ],
)
def test_a_queue_without_a_reader_is_detected(trouble, metric, changes, raised):
    own = {
        "Namespace": "AWS/SQS",
        "MetricName": metric,
        "Dimensions": [{"Name": "QueueName", "Value": "jobs"}],
    }
    alarm = told(**{**own, "Period": 60, **changes})

    assert (would_alarm(alarm, getattr(MILD, trouble)("jobs")) is not None) is raised


def test_an_alarm_of_more_than_a_day_is_looked_at_once_an_hour():
    course = Course("Count", ((61, {}), (3000, {1.0: 1})))
    trouble = Trouble("it fails", 61, 3061, {("AWS/Lambda", "Errors"): course}, {"FunctionName": "api"})

    assert would_alarm(told(Period=86_400, EvaluationPeriods=2, DatapointsToAlarm=1), trouble) == timedelta(
        minutes=59
    )


def test_a_window_holds_what_was_published_in_it():
    course = Course("Count", ((5, {1.0: 2}), (5, {}), (5, {0.0: 1, 1.0: 1})))

    assert course.between(3, 12) == {1.0: 2 * 2 + 2, 0.0: 2}
    assert course.between(-5, 0) == course.between(5, 10) == course.between(15, 20) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Sum", 103),
        ("SampleCount", 4),
        ("Average", 25.75),
        ("Minimum", 1),
        ("Maximum", 100),
        ("p50", 1),
        ("p95", 100),
    ],
)
def test_a_statistic_is_that_of_all_samples(name, expected):
    assert statistic(name, {1.0: 3, 100.0: 1}) == expected
    assert statistic(name, {}) is None


def test_a_gap_stays_a_gap():
    known = {"a": [1.0, None, 3.0], "b": [1.0, 1.0, 0.0]}

    assert computed("a / b", known, timedelta(minutes=1)) == [1.0, None, None]
    assert computed("DIFF(a)", known, timedelta(minutes=1)) == [None, None, None]
    assert computed("SUM([a, b]) / PERIOD(a)", known, timedelta(seconds=2)) == [1.0, 0.5, 1.5]
    assert computed("-ABS(a - 4)", known, timedelta(minutes=1)) == [-3.0, None, -1.0]


def test_a_query_names_its_unit_and_period():
    stat = {"Metric": ERRORS, "Period": 60, "Stat": "p99", "Unit": "Count"}
    alarm = described_alarm({**GOOD, "Metrics": [{"Id": "e", "MetricStat": stat}]})

    metric = Metric("AWS/Lambda", "Errors", {"FunctionName": "api"}, "Count")
    assert alarm.queries == (Query("e", timedelta(minutes=1), metric),)
    assert alarm.metrics[0].statistic == "p99"


def test_a_period_below_the_minute_of_aws_own_metrics_raises_no_alarm() -> None:
    found = seen(told(Period=30), MILD.errors("api"))

    assert found.after is None
    assert "period of 30 s" in found.why

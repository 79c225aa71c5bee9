"""verification/resources/alarm.py"""

from __future__ import annotations

import pytest

from tests.probes.server import Reply
from verification.resources.alarm import Alarm, Metric, alarms_of

ERRORS = {
    "Namespace": "AWS/Lambda",
    "MetricName": "Errors",
    "Dimensions": [{"Name": "FunctionName", "Value": "api"}],
}
RULE = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
SIMPLE = {"Period": 60, "Statistic": "Sum", **ERRORS}
WATCHED = Metric("AWS/Lambda", "Errors", {"FunctionName": "api"})


@pytest.fixture
def put(env, unique):
    def put(**settings):
        env.client("cloudwatch").put_metric_alarm(AlarmName=unique, **RULE, **settings)
        (found,) = alarms_of(env, [unique])
        return found

    return put


def test_an_alarm_on_one_metric_watches_it(put):
    alarm = put(**SIMPLE, AlarmActions=["arn:aws:sns:us-east-1:123456789012:alarms"])

    assert list(alarm.metrics) == [WATCHED]
    assert list(alarm.actions) == ["arn:aws:sns:us-east-1:123456789012:alarms"]
    assert alarm.actions_enabled


def test_an_alarm_that_tells_nobody_has_no_action(put):
    alarm = put(**SIMPLE, ActionsEnabled=False)

    assert (list(alarm.actions), alarm.actions_enabled) == ([], False)


def test_an_alarm_on_metric_math_watches_each_of_its_metrics(put):
    count = {"Namespace": "AWS/Lambda", "MetricName": "Invocations"}
    alarm = put(
        Metrics=[
            {"Id": "e", "MetricStat": {"Metric": ERRORS, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
            {"Id": "n", "MetricStat": {"Metric": count, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
            {"Id": "rate", "Expression": "e / n", "ReturnData": True},
        ]
    )

    assert list(alarm.metrics) == [WATCHED, Metric("AWS/Lambda", "Invocations", {})]


def test_alarms_that_do_not_exist_are_left_out(env, put):
    alarm = put(**SIMPLE)

    assert [found.name for found in alarms_of(env, ["never-made", alarm.name])] == [alarm.name]


def test_no_name_is_not_every_alarm(scripted, stub):
    assert alarms_of(scripted, []) == []
    assert stub.asked == []


def test_many_alarms_are_asked_for_by_the_hundred(scripted, stub):
    stub.replies(Reply.json({"MetricAlarms": [{"AlarmName": "one"}]}))

    found = alarms_of(scripted, [f"alarm-{n}" for n in range(101)])

    assert found == [Alarm("one", [], [], actions_enabled=False)] * 2
    assert [b'"MaxRecords": 100' in request.body for request in stub.asked] == [True, True]


@pytest.mark.parametrize(
    ("namespace", "metric", "dimensions", "expected"),
    [
        ("AWS/Lambda", "Errors", {"FunctionName": "api"}, True),
        ("AWS/Lambda", "Errors", {}, False),
        ("AWS/Lambda", "Errors", {"FunctionName": "worker"}, False),
        ("AWS/Lambda", "Errors", {"FunctionName": "api", "Resource": "api"}, False),
        ("AWS/Lambda", "Duration", {"FunctionName": "api"}, False),
        ("AWS/SQS", "Errors", {"FunctionName": "api"}, False),
    ],
)
def test_an_alarm_watches_what_it_names(namespace, metric, dimensions, expected):
    alarm = Alarm("a", [WATCHED], [], actions_enabled=True)

    assert alarm.watches(namespace, metric, **dimensions) is expected

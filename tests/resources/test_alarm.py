"""readiness/aws/alarm.py"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from readiness.aws.alarm import Alarm, AlarmSwitch, Metric, alarms_of, every_alarm, is_named_by
from readiness.errors import Missing
from tests.probes.server import Reply

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
        env.client("cloudwatch").put_metric_alarm(AlarmName=unique, **{**RULE, **settings})
        (found,) = alarms_of(env, [unique])
        return found

    return put


def test_an_alarm_on_one_metric_watches_it(put):
    alarm = put(**SIMPLE, AlarmActions=["arn:aws:sns:us-east-1:123456789012:alarms"])

    assert list(alarm.metrics) == [WATCHED]
    assert list(alarm.actions) == ["arn:aws:sns:us-east-1:123456789012:alarms"]
    assert alarm.actions_enabled


def test_an_alarm_without_a_recipient_has_no_action(put):
    alarm = put(**SIMPLE, ActionsEnabled=False)

    assert (list(alarm.actions), alarm.actions_enabled) == ([], False)


def test_a_composite_alarm_acts_for_the_alarms_that_it_names(scripted, stub):
    rule = {
        "AlarmName": "any",
        "AlarmRule": 'ALARM("one")',
        "ActionsEnabled": True,
        "AlarmActions": ["arn:told"],
    }
    stub.replies(
        Reply.json({"MetricAlarms": [{"AlarmName": "one"}, {"AlarmName": "two"}]}),
        Reply.json({"CompositeAlarms": [rule]}),
    )

    assert [(alarm.name, alarm.actions_enabled) for alarm in every_alarm(scripted)] == [
        ("one", True),
        ("two", False),
    ]


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ('ALARM("errors")', True),
        ("ALARM(errors) AND NOT OK(others)", True),
        ('OK(others) OR ALARM( "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors" )', True),
        ('ALARM("more-errors")', False),
        ('ALARM("arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors-of-others")', False),
    ],
)
def test_a_rule_names_an_alarm_by_its_name_or_its_arn(rule, named):
    assert is_named_by([rule], "errors") is named


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


def test_an_alarm_on_metric_math_takes_as_long_as_its_longest_period(put):
    stat = {"Metric": ERRORS, "Period": 300, "Stat": "Sum"}
    alarm = put(Metrics=[{"Id": "e", "MetricStat": stat, "ReturnData": True}])

    assert alarm.span == timedelta(minutes=5)


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


@pytest.fixture
def switch(env, unique, put):
    put(**SIMPLE)
    return AlarmSwitch(env, unique)


def test_an_alarm_is_read_with_its_state(switch, env):
    env.client("cloudwatch").set_alarm_state(AlarmName=switch.name, StateValue="ALARM", StateReason="x")

    assert switch.alarm.threshold == 1
    assert switch.state.value == "ALARM"
    assert abs(switch.state.since - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_raised_alarm_is_waited_for_and_lowered(switch, env):
    env.client("cloudwatch").set_alarm_state(AlarmName=switch.name, StateValue="ALARM", StateReason="x")
    raised = switch.wait_until_raised(timedelta(seconds=5))
    switch.lower()

    assert (raised.value, switch.state.value) == ("ALARM", "OK")


def test_an_alarm_that_is_not_raised_says_what_it_is(switch):
    switch.lower()

    assert switch.wait_until_raised(timedelta(0)).value == "OK"


def test_an_alarm_that_does_not_exist_is_missing(env):
    with pytest.raises(Missing, match=r"never-made.* does not exist"):
        _ = AlarmSwitch(env, "never-made").alarm


@pytest.mark.parametrize(
    ("set_to", "read"), [({"TreatMissingData": "breaching"}, "breaching"), ({}, "missing")]
)
def test_what_no_data_means_is_read(put, set_to, read):
    assert put(**SIMPLE, **set_to).treat_missing_data == read

"""What a template declares of an alarm arrives in CloudWatch, which watches the metrics that it names."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.cloudformation.template import alarm, ref, resource
from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import Stack, deployed

pytestmark = pytest.mark.embedded


def put(stack: Stack, name: str, value: float, **dimensions: str) -> None:
    listed = [{"Name": key, "Value": text} for key, text in dimensions.items()]
    datum = {"MetricName": name, "Value": value, "Dimensions": listed}
    stack.cloud.client("cloudwatch").put_metric_data(Namespace="Demo", MetricData=[datum])


def state(stack: Stack, name: str) -> str:
    found = stack.cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found[0]["StateValue"])


def wait_for(stack: Stack, name: str, wanted: str) -> None:
    deadline = time.monotonic() + 10
    while state(stack, name) != wanted:
        assert time.monotonic() < deadline, f"{name} is {state(stack, name)}, not {wanted}"
        time.sleep(0.2)


def test_metric_math_alarm(full: Stack) -> None:
    name = full.id_of("Math")
    found = full.cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert [query["Id"] for query in found["Metrics"]] == ["rate", "errors", "calls"]
    assert "MetricName" not in found

    put(full, "Calls", 10)
    wait_for(full, name, "OK")
    put(full, "Errors", 6)
    wait_for(full, name, "ALARM")


def test_metrics_stands_for_the_metrics_of_an_alarm_and_not_its_expressions(cloud: Running) -> None:
    name = unique("Errors")
    queries = [
        {"Id": "all", "Expression": "SUM(METRICS())"},
        {"Id": "mine", "Expression": "10 * SUM(METRICS('er'))", "ReturnData": False},
        *(
            {
                "Id": f"{who}er",
                "ReturnData": False,
                "MetricStat": {
                    "Metric": {
                        "Namespace": "Demo",
                        "MetricName": name,
                        "Dimensions": [{"Name": "Who", "Value": who}],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
            for who in ("me", "you")
        ),
    ]
    rule = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "Metrics": queries}
    resources = {
        "Five": resource("CloudWatch::Alarm", **rule, Threshold=5),
        "Six": resource("CloudWatch::Alarm", **rule, Threshold=6),
    }
    with deployed(cloud, {"Resources": resources}) as stack:
        put(stack, name, 2, Who="me")
        put(stack, name, 3, Who="you")
        wait_for(stack, stack.id_of("Five"), "ALARM")

        assert state(stack, stack.id_of("Six")) == "OK"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Period": None}, "Period"),
        ({"Period": 90}, "Period"),
        ({"Statistic": None}, "Statistic"),
        ({"ExtendedStatistic": "p90"}, "ExtendedStatistic"),
        ({"EvaluationPeriods": None}, "evaluationPeriods"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm"),
        ({"EvaluationPeriods": 1441}, "86400"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "604800"),
    ],
)
def test_an_alarm_without_a_whole_rule_is_refused(cloud: Running, changes: dict[str, Any], why: str) -> None:
    rule = {name: value for name, value in {**alarm()["Properties"], **changes}.items() if value is not None}

    with pytest.raises(ClientError, match=f"ValidationError.*{why}"):
        cloud.client("cloudwatch").put_metric_alarm(AlarmName=unique("refused"), **rule)


def test_an_alarm_on_a_percentile_has_no_other_statistic(cloud: Running) -> None:
    rule = {name: value for name, value in alarm()["Properties"].items() if name != "Statistic"}
    on_percentile = {"Type": alarm()["Type"], "Properties": {**rule, "ExtendedStatistic": "p95"}}
    client, name = cloud.client("cloudwatch"), unique("slow")
    with deployed(cloud, {"Resources": {"Alarm": on_percentile}}) as stack:
        client.put_metric_alarm(AlarmName=name, **rule, ExtendedStatistic="p95")
        made = client.describe_alarms(AlarmNames=[name, stack.id_of("Alarm")])["MetricAlarms"]
        client.delete_alarms(AlarmNames=[name])

    assert [(one.get("Statistic"), one["ExtendedStatistic"]) for one in made] == [(None, "p95")] * 2


def test_a_stack_with_an_alarm_without_a_whole_rule_fails(cloud: Running) -> None:
    whole = alarm()
    broken = copy.deepcopy(whole)
    del broken["Properties"]["Statistic"]
    with deployed(cloud, {"Resources": {"Alarm": whole}}) as stack:
        assert stack.update({"Resources": {"Alarm": broken}}) == "UPDATE_ROLLBACK_COMPLETE"
        assert "Statistic" in stack.reasons()[0]


def test_alarm_watches_its_own_dimensions(cloud: Running) -> None:
    metric = unique("Errors")
    watched = {"Dimensions": [{"Name": "Who", "Value": "me"}], "MetricName": metric}
    resources = {
        "Topic": resource("SNS::Topic"),
        "Mine": alarm(**watched, AlarmActions=[ref("Topic")]),
        "Other": alarm(Dimensions=[{"Name": "Who", "Value": "you"}], MetricName=metric),
        "Silent": alarm(MetricName=unique("Never"), TreatMissingData="breaching"),
        "Unknown": alarm(MetricName=unique("Never"), TreatMissingData="missing"),
    }
    with deployed(cloud, {"Resources": resources}) as stack:
        queues, topics = cloud.client("sqs"), cloud.client("sns")
        url = queues.create_queue(QueueName=unique("told"))["QueueUrl"]
        target = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": target}
        plain = {
            **statement,
            "Effect": "Deny",
            "Action": "sqs:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement, plain]})
        queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        topics.subscribe(TopicArn=stack.id_of("Topic"), Protocol="sqs", Endpoint=target)
        wait_for(stack, stack.id_of("Other"), "OK")

        put(stack, metric, 5, Who="me")
        wait_for(stack, stack.id_of("Mine"), "ALARM")

        assert state(stack, stack.id_of("Other")) == "OK"
        wait_for(stack, stack.id_of("Silent"), "ALARM")
        assert state(stack, stack.id_of("Unknown")) == "INSUFFICIENT_DATA"
        message = queues.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]
        assert json.loads(json.loads(message["Body"])["Message"])["NewStateValue"] == "ALARM"


def test_queue_depth_is_a_metric(cloud: Running) -> None:
    dimensions = [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}]
    depth = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Statistic": "Maximum",
    }
    resources = {"Queue": resource("SQS::Queue"), "Deep": alarm(**depth, Dimensions=dimensions)}
    with deployed(cloud, {"Resources": resources}) as stack:
        cloud.client("sqs").send_message(QueueUrl=stack.id_of("Queue"), MessageBody="x")
        deadline = time.monotonic() + 20
        while state(stack, stack.id_of("Deep")) != "ALARM":
            assert time.monotonic() < deadline
            time.sleep(0.3)

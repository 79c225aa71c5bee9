"""Nested stacks, templates and denied reads."""

from __future__ import annotations

import pytest

from readiness.discovery import live
from readiness.discovery.graph import Relation
from readiness.errors import Unverified
from tests.answering import Answering
from tests.discovery.declared import arn, sentences

NESTED = arn("cloudformation", "stack/shop-Alarms/1")
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/shop-jobs"
STACKS = {
    "shop": [("Jobs", "AWS::SQS::Queue", QUEUE), ("Alarms", "AWS::CloudFormation::Stack", NESTED)],
    NESTED: [("OldAlarm", "AWS::CloudWatch::Alarm", "old")],
}
WATCHED = {
    "MetricName": "Age",
    "Namespace": "AWS/SQS",
    "Dimensions": [{"Name": "QueueName", "Value": "shop-jobs"}],
}
ANSWERS = {
    "cloudformation:ListStackResources": lambda asked: {
        "StackResourceSummaries": [
            {
                "LogicalResourceId": name,
                "ResourceType": type_,
                "PhysicalResourceId": id_,
                "LastUpdatedTimestamp": "2026-01-01",
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for name, type_, id_ in STACKS[asked["StackName"]]
        ]
    },
    "cloudformation:GetTemplate": {
        "TemplateBody": "Resources: {Jobs: {Type: 'AWS::SQS::Queue', Properties: {VisibilityTimeout: !Ref Time}}}"
    },
    "sqs:GetQueueAttributes": {"Attributes": {}},
    "cloudwatch:DescribeAlarms": {"MetricAlarms": [{"AlarmName": "old", **WATCHED}]},
}


def test_nested_stacks_belong_to_the_graph() -> None:
    env = Answering(ANSWERS)
    graph = live.read(env)

    assert [str(one) for one in graph.resources] == ["Jobs", "Alarms", "Alarms/OldAlarm"]
    assert graph.resources[0].properties == {"VisibilityTimeout": {"Ref": "Time"}}
    assert sentences(graph) == {"Alarms contains Alarms/OldAlarm", "Alarms/OldAlarm watches Jobs [Age]"}
    assert not graph.gaps
    assert set(env.calls) == set(ANSWERS)


def test_a_denied_read_is_a_gap_and_leaves_the_others() -> None:
    graph = live.read(Answering({**ANSWERS, "sqs:GetQueueAttributes": None}))

    (gap,) = graph.gaps
    assert (gap.what, gap.action) == ("Jobs", "sqs:GetQueueAttributes")
    assert "Alarms/OldAlarm watches Jobs [Age]" in sentences(graph)
    graph.require(Relation.WATCHES)
    with pytest.raises(Unverified, match="sqs:GetQueueAttributes") as problem:
        graph.require(Relation.DEAD_LETTERS_TO)
    assert problem.value.cause == "denied sqs:GetQueueAttributes"


def test_a_denied_template_leaves_the_resources() -> None:
    graph = live.read(Answering({**ANSWERS, "cloudformation:GetTemplate": None}))

    assert {gap.action for gap in graph.gaps} == {"cloudformation:GetTemplate"}
    assert len(graph.resources) == 3


def test_a_stack_that_cannot_be_read_is_unverified() -> None:
    with pytest.raises(Unverified, match="cloudformation:ListStackResources"):
        live.read(Answering({}))

"""What alarms watch and whom they tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (Relation.WATCHES, Relation.NOTIFIES, Relation.INVOKES)
_ALARMS: Final = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_AT_ONCE: Final = 100
"""Alarms that one request may name. Source: CloudWatch API Reference, DescribeAlarms, AlarmNames."""
_DIMENSIONS: Final[Mapping[str, Sequence[str]]] = {
    "ApiId": ("AWS::ApiGatewayV2::Api",),
    "BucketName": ("AWS::S3::Bucket",),
    "DeliveryStreamName": ("AWS::KinesisFirehose::DeliveryStream",),
    "DistributionId": ("AWS::CloudFront::Distribution",),
    "FunctionName": ("AWS::Lambda::Function",),
    "LogGroupName": ("AWS::Logs::LogGroup",),
    "QueueName": ("AWS::SQS::Queue",),
    "RuleName": ("AWS::Events::Rule",),
    "StateMachineArn": ("AWS::StepFunctions::StateMachine",),
    "StreamName": ("AWS::Kinesis::Stream",),
    "TableName": ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"),
    "TopicName": ("AWS::SNS::Topic",),
}
"""Source: the page on CloudWatch metrics in each service's guide."""


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Dimensions and actions of the stack's alarms."""
    names = [alarm.physical_id for alarm in graph.of(*_ALARMS)]
    for start in range(0, len(names), _AT_ONCE):
        answer = env.client("cloudwatch").describe_alarms(
            AlarmNames=names[start : start + _AT_ONCE],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=_AT_ONCE,
        )
        for found in (*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])):
            if alarm := graph.named(found["AlarmName"], _ALARMS):
                yield from attempt(str(alarm), partial(_alarm, env, graph, alarm, found))


def _alarm(env: Environment, graph: Graph, alarm: Resource, found: Mapping[str, Any]) -> Iterator[Edge]:
    for state in ("Alarm", "OK", "InsufficientData"):
        for action in found.get(f"{state}Actions", []):
            there = graph.at(action)
            relation = Relation.INVOKES if there.type == "AWS::Lambda::Function" else Relation.NOTIFIES
            yield Edge(alarm, relation, there, state)
    for watched in graph.mentioned(found.get("AlarmRule", "")):
        yield Edge(alarm, Relation.WATCHES, watched, "rule")
    for metric in _metrics(found):
        for watched in _watched(env, graph, metric):
            yield Edge(alarm, Relation.WATCHES, watched, metric["MetricName"])


def _metrics(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "MetricName" in found:
        yield found
    for query in found.get("Metrics", []):
        if "MetricStat" in query:
            yield query["MetricStat"]["Metric"]


def _watched(env: Environment, graph: Graph, metric: Mapping[str, Any]) -> Iterator[Resource]:
    for dimension in metric.get("Dimensions", []):
        name, value = dimension["Name"], dimension["Value"]
        if name in _DIMENSIONS and (resource := graph.named(value, _DIMENSIONS[name])):
            yield resource
        elif name == "LoadBalancer":
            balancers = graph.of("AWS::ElasticLoadBalancingV2::LoadBalancer")
            yield from (one for one in balancers if one.physical_id.endswith(f"loadbalancer/{value}"))
        elif name == "ApiName":
            yield from _rest_apis(env, graph, value)
    if not metric.get("Namespace", "AWS/").startswith("AWS/") and graph.of("AWS::Logs::MetricFilter"):
        filters = env.client("logs").describe_metric_filters(
            metricName=metric["MetricName"], metricNamespace=metric["Namespace"]
        )
        for found in filters["metricFilters"]:
            yield graph.at(found["logGroupName"], "AWS::Logs::LogGroup")


def _rest_apis(env: Environment, graph: Graph, name: str) -> Iterator[Resource]:
    """REST APIs are watched by name, which several may share."""
    for api in graph.of("AWS::ApiGateway::RestApi"):
        if env.client("apigateway").get_rest_api(restApiId=api.physical_id)["name"] == name:
            yield api

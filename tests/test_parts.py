"""verification/parts.py: parts of a stack whose template names nothing as ours does."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from readiness.discovery.graph import Edge, Graph, Relation, Resource, Unread
from readiness.errors import Unverified
from verification.application import ROOT
from verification.parts import PARTS, Parts

RENAMED = {name: f"Other{number}" for number, name in enumerate(PARTS)}
RESOURCES = {name: Resource(PARTS[name].type, RENAMED[name], f"live-{name}") for name in PARTS}
STAGE = Resource("AWS::ApiGatewayV2::Stage", "SomeStage", "live")
STRAY = [
    Resource("AWS::Lambda::Function", "Stray", "stray"),
    Resource("AWS::S3::Bucket", "StrayBucket", "stray-bucket"),
    Resource("AWS::CloudWatch::Alarm", "StrayAlarm", "stray-alarm"),
    Resource("AWS::SQS::Queue", "StrayQueue", "stray-queue"),
]


def edge(source: str, relation: Relation, target: str, label: str = "") -> Edge:
    return Edge(RESOURCES[source], relation, RESOURCES[target], label)


EDGES = [
    edge("HttpApi", Relation.ROUTES_TO, "ApiFunction", "GET /health"),
    edge("HttpApi", Relation.ROUTES_TO, "ApiFunction", "$default"),
    edge("WorkerFunction", Relation.READS_FROM, "JobsQueue"),
    edge("JobsQueue", Relation.DEAD_LETTERS_TO, "JobsDeadLetterQueue"),
    edge("ApiFunction", Relation.USES, "JobsTable"),
    edge("ApiFunction", Relation.USES, "JobsQueue"),
    edge("WorkerFunction", Relation.USES, "ProviderKeys"),
    edge("WorkerFunction", Relation.USES, "ImagesBucket"),
    edge("Distribution", Relation.SERVES, "ImagesBucket"),
    edge("SiteDistribution", Relation.SERVES, "SiteBucket"),
    Edge(STAGE, Relation.LOGS_TO, RESOURCES["AccessLogGroup"]),
    edge("ApiErrorsAlarm", Relation.NOTIFIES, "AlarmTopic"),
    edge("ApiErrorsAlarm", Relation.WATCHES, "ApiFunction", "Errors"),
    Edge(STRAY[2], Relation.WATCHES, RESOURCES["ApiFunction"], "Throttles"),
    edge("AlarmTopic", Relation.NOTIFIES, "AlarmInbox"),
    edge("Distribution", Relation.LOGS_TO, "CdnLogsBucket"),
]
GRAPH = Graph([*RESOURCES.values(), STAGE, *STRAY], EDGES)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_with_another_name_is_found_by_what_it_does(name):
    assert Parts(GRAPH, {}).candidates(name) == [RESOURCES[name]]


@pytest.mark.parametrize("name", [name for name, part in PARTS.items() if part.relation])
def test_a_part_is_not_guessed_where_the_relation_is_gone(name):
    without = [one for one in EDGES if RESOURCES[name] not in (one.source, one.target)]

    assert Parts(replace(GRAPH, edges=without), {}).candidates(name) == []


def test_a_relation_that_could_not_be_read_leaves_the_part_unknown():
    gap = Unread("Other4", "sqs:GetQueueAttributes", "denied", frozenset({Relation.DEAD_LETTERS_TO}))

    with pytest.raises(Unverified, match="Other4: denied"):
        Parts(replace(GRAPH, gaps=[gap]), {}).candidates("JobsDeadLetterQueue")


def test_an_operator_decides_between_several():
    two = [*EDGES, Edge(RESOURCES["WorkerFunction"], Relation.USES, STRAY[1])]
    graph = replace(GRAPH, edges=two)

    assert Parts(graph, {}).candidates("ImagesBucket") == [RESOURCES["ImagesBucket"], STRAY[1]]
    assert Parts(graph, {"ImagesBucket": "StrayBucket"}).candidates("ImagesBucket") == [STRAY[1]]
    assert Parts(graph, {"ImagesBucket": "NoSuchBucket"}).candidates("ImagesBucket") == []


def test_environments_may_name_every_part():
    declared = tomllib.loads((ROOT / "readiness.toml").read_text(encoding="utf-8"))["roles"]

    assert sorted(declared) == sorted(PARTS)

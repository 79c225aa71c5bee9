"""readiness/report/stack_map.py"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.outline import graph_of, outline
from readiness.report import stack_map
from readiness.verdict import Found, Outcome, Result

API = Resource("AWS::ApiGatewayV2::Api", "HttpApi", "a1b2c3")
FUNCTION = Resource("AWS::Lambda::Function", "ApiFunction", "shop-ApiFunction-1")
TABLE = Resource("AWS::DynamoDB::Table", "Orders", "shop-orders")
OTHERS = Resource("AWS::S3::Bucket", "somebody-elses", "somebody-elses", declared=False)
GRAPH = Graph(
    [API, FUNCTION, TABLE],
    [
        Edge(API, Relation.ROUTES_TO, FUNCTION, "GET /orders"),
        Edge(FUNCTION, Relation.USES, TABLE, "dynamodb:GetItem"),
        Edge(FUNCTION, Relation.USES, OTHERS, "s3:GetObject"),
    ],
)
FAILS = Result(
    "SEC-01", Outcome.FAIL, "one is open", findings=[Found(place="Orders", text="is open to all", remedy="")]
)
OPEN = Result("SEC-02", Outcome.UNVERIFIED, "shop-ApiFunction-1 could not be read")
LONGER = Result("SEC-03", Outcome.FAIL, "OrdersArchive and HttpApi-2 are old")
HOLDS = Result("SEC-04", Outcome.PASS, "HttpApi holds")


def nodes(svg):
    """Class and address of each node, by its label."""
    space = "{http://www.w3.org/2000/svg}"
    root = ET.fromstring(svg)
    found = [
        *root.iter(f"{space}a"),
        *(each for each in root.iter(f"{space}g") if each.get("class") != "arrow"),
    ]
    return {each.find(f"{space}text").text: (each.get("class"), each.get("href")) for each in found}


def test_an_outline_keeps_what_is_drawn():
    kept = graph_of(outline(GRAPH))

    assert list(kept.resources) == [*GRAPH.resources, OTHERS]
    assert list(kept.edges) == list(GRAPH.edges)


def test_a_resource_has_the_outcome_of_the_findings_that_name_it(build):
    found = nodes(stack_map.picture(build(FAILS, OPEN, LONGER, HOLDS, map=outline(GRAPH))))

    assert found["Orders"] == ("fail", "#SEC-01")
    assert found["ApiFunction"] == ("unverified", "#SEC-02")
    assert found["HttpApi"] == ("", None)
    assert found["somebody-elses"] == ("foreign", None)


def test_a_failure_is_graver_than_what_is_not_known(build):
    unknown = Result("SEC-02", Outcome.UNVERIFIED, "Orders could not be read")

    assert nodes(stack_map.picture(build(unknown, FAILS, map=outline(GRAPH))))["Orders"] == (
        "fail",
        "#SEC-01",
    )


def test_without_a_graph_there_is_no_map(build, page):
    assert stack_map.picture(build(FAILS)) == ""
    assert 'id="map"' not in page(FAILS)
    assert 'id="map"' in page(FAILS, map=outline(GRAPH))

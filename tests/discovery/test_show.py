"""The tree and the picture."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from readiness.discovery import show
from readiness.discovery.graph import Edge, Graph, Relation, Unread
from tests.discovery.declared import arn, resource

API = resource("ApiGatewayV2::Api", "Api", "a1")
FUNCTION = resource("Lambda::Function", "Run<me>", "run")
QUEUE = resource("SQS::Queue", "Jobs", "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs")
WORKER = resource("Lambda::Function", "Nested/Worker", "worker")
ERRORS = resource("CloudWatch::Alarm", "ErrorsAlarm", "errors")
DURATION = resource("CloudWatch::Alarm", "DurationAlarm", "duration")
TOPIC = resource("SNS::Topic", "Alarms", arn("sns", "alarms"))
KEY = resource("KMS::Key", "Key", "k1")
GRAPH = Graph(
    [API, FUNCTION, QUEUE, WORKER, ERRORS, DURATION, TOPIC, KEY],
    [
        Edge(API, Relation.ROUTES_TO, FUNCTION, "GET /a"),
        Edge(API, Relation.ROUTES_TO, FUNCTION, "POST /a"),
        Edge(FUNCTION, Relation.USES, QUEUE, "sqs:SendMessage"),
        Edge(WORKER, Relation.READS_FROM, QUEUE),
        Edge(WORKER, Relation.USES, QUEUE, "sqs:DeleteMessage"),
        *(Edge(alarm, Relation.WATCHES, WORKER) for alarm in (ERRORS, DURATION)),
        *(Edge(alarm, Relation.NOTIFIES, TOPIC) for alarm in (ERRORS, DURATION)),
    ],
    [Unread("Key", "kms:ListAliases", "denied " + "x" * 200)],
)
NAMESPACE = {"svg": "http://www.w3.org/2000/svg"}


def test_the_tree_begins_at_the_entry_points() -> None:
    lines = show.text(GRAPH).splitlines()

    assert [line.split()[:4] for line in lines[1:5]] == [
        ["Api", "HTTP", "API"],
        ["└─", "routes", "to", "Run<me>"],
        ["└─", "uses", "Jobs", "SQS"],
        ["└─", "feeds", "Nested/Worker", "Lambda"],
    ]
    assert any(
        line.split() == ["ErrorsAlarm,", "DurationAlarm", "<-", "Nested/Worker", "->", "Alarms"]
        for line in lines
    )
    assert "  1 KMS::Key" in lines
    assert max(map(len, lines)) <= 120


def test_a_circle_is_shown_once() -> None:
    circle = Graph(
        [FUNCTION, QUEUE], [Edge(FUNCTION, Relation.USES, QUEUE), Edge(FUNCTION, Relation.INVOKES, FUNCTION)]
    )
    back = Graph(circle.resources, [*circle.edges, Edge(QUEUE, Relation.DEAD_LETTERS_TO, FUNCTION)])

    assert show.text(back).count("uses Jobs") == 1
    ET.fromstring(show.svg(back))


def test_a_bucket_that_starts_its_own_reader_is_an_entry_point() -> None:
    files = resource("S3::Bucket", "Files", "files")
    graph = Graph(
        [FUNCTION, files],
        [Edge(files, Relation.INVOKES, FUNCTION), Edge(FUNCTION, Relation.USES, files, "s3:GetObject")],
    )
    root = ET.fromstring(show.svg(graph))
    (_, back) = root.iterfind("svg:g/svg:path", NAMESPACE)

    assert show.text(graph).splitlines()[1].split()[0] == "Files"
    assert back.get("marker-start")
    assert not back.get("marker-end")


def test_the_picture_stands_alone() -> None:
    picture = show.svg(GRAPH, {"Jobs": "fail"})
    root = ET.fromstring(picture)

    assert root.get("role") == "group"
    assert "Api routes to Run<me>." in root.findtext("svg:desc", namespaces=NAMESPACE)
    assert "<script" not in picture
    assert picture.count("http") == 1  # the namespace
    assert {link.get("href") for link in root.iterfind("svg:a", NAMESPACE)} == {
        *("#Api", "#Run%3Cme%3E", "#Jobs", "#Nested/Worker", "#ErrorsAlarm", "#Alarms"),
    }
    (failed,) = root.iterfind("svg:a[@class='fail']", NAMESPACE)
    assert "FAIL · SQS queue" in "".join(failed.itertext())
    titles = [
        group.findtext("svg:title", namespaces=NAMESPACE) for group in root.iterfind("svg:g", NAMESPACE)
    ]
    assert "Api routes to Run<me>: GET /a, POST /a" in titles


def test_work_leads_from_left_to_right() -> None:
    root = ET.fromstring(show.svg(GRAPH))
    at = {
        link.get("href"): float(link.find("svg:rect", NAMESPACE).get("x"))
        for link in root.iterfind("svg:a", NAMESPACE)
    }

    assert (
        at["#Api"]
        < at["#Run%3Cme%3E"]
        < at["#Jobs"]
        < at["#Nested/Worker"]
        < at["#ErrorsAlarm"]
        < at["#Alarms"]
    )


def test_an_empty_stack_has_a_picture() -> None:
    ET.fromstring(show.svg(Graph([])))
    assert show.text(Graph([]))

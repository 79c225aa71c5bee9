"""An HTTP API of the embedded AWS behaves as API Gateway's, through its own address."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack, deployed

pytestmark = pytest.mark.embedded

ORIGIN = "https://app.example"
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration:
        AllowOrigins: [https://app.example]
        AllowMethods: [GET, POST]
        AllowHeaders: [content-type, x-correlation-id]
        ExposeHeaders: [x-correlation-id]
        AllowCredentials: true
        MaxAge: 600
      DefaultRouteSettings: {ThrottlingBurstLimit: 200, ThrottlingRateLimit: 100}
      RouteSettings:
        GET /limited: {ThrottlingBurstLimit: 3, ThrottlingRateLimit: 1}
      AccessLogSettings:
        DestinationArn: !GetAtt AccessLog.Arn
        Format: '{"id":"$context.requestId","ip":"$context.identity.sourceIp","route":"$context.routeKey","status":"$context.status","none":"$context.authorizer.principalId","error":"$context.error.responseType"}'
      Tags: {Project: demo}
  AccessLog:
    Type: AWS::Logs::LogGroup
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Timeout: 10
      InlineCode: |
        import json, time
        def handler(event, context):
            path = event["rawPath"]
            if path == "/boom":
                raise ValueError("boom")
            if path == "/slow":
                time.sleep(2)
            if path == "/teapot":
                return {"statusCode": 502, "body": "mine"}
            return {
                "statusCode": 200,
                "headers": {"content-type": "application/json", "access-control-allow-origin": "https://mine.example"},
                "body": json.dumps(event),
            }
      Events:
        Echo: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /echo, Method: ANY}}
        Limited: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /limited, Method: GET}}
        Boom: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /boom, Method: GET}}
        Teapot: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /teapot, Method: GET}}
        Slow: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /slow, Method: GET, TimeoutInMillis: 500}}
        Item: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: "/items/{id}", Method: GET}}
  Plain:
    Type: AWS::Serverless::HttpApi
    Properties: {StageName: beta}
  PlainFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return {"path": event["rawPath"], "method": event["requestContext"]["http"]["method"]}
      Events:
        Any: {Type: HttpApi, Properties: {ApiId: !Ref Plain, Path: /hello, Method: ANY}}
Outputs:
  Endpoint: {Value: !GetAtt Api.ApiEndpoint}
  Id: {Value: !Ref Api}
  PlainEndpoint: {Value: !GetAtt Plain.ApiEndpoint}
  AccessLog: {Value: !Ref AccessLog}
"""


@pytest.fixture(scope="module")
def api(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, TEMPLATE) as stack:
        yield stack


def ask(api: Stack, method: str, path: str, **options: Any) -> requests.Response:
    return api.ask(method, api.outputs["Endpoint"] + path, **options)


def test_endpoint_opens_and_is_the_same_everywhere(api: Stack) -> None:
    gateway = api.cloud.client("apigatewayv2")
    endpoint, api_id = api.outputs["Endpoint"], api.outputs["Id"]

    assert endpoint.startswith("https://127.0.0.1:")
    assert gateway.get_api(ApiId=api_id)["ApiEndpoint"] == endpoint
    assert endpoint in {one["ApiEndpoint"] for one in gateway.get_apis()["Items"]}
    assert ask(api, "GET", "/echo").status_code == 200


def test_endpoint_answers_no_plain_http(api: Stack) -> None:
    url = api.outputs["Endpoint"].replace("https:", "http:") + "/echo"

    with pytest.raises(requests.ConnectionError):
        api.ask("GET", url)


def test_event_is_payload_format_two(api: Stack) -> None:
    answer = ask(
        api,
        "POST",
        "/echo?a=1&a=2&b=%20x",
        data=b"\x00\x01",
        headers={"Cookie": "k=v; z=1", "X-Upper": "Y", "Content-Type": "application/octet-stream"},
    )
    event = answer.json()
    context = event["requestContext"]

    assert event["version"] == "2.0"
    assert event["rawQueryString"] == "a=1&a=2&b=%20x"
    assert event["queryStringParameters"] == {"a": "1,2", "b": " x"}
    assert event["cookies"] == ["k=v", "z=1"]
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-upper"] == "Y"
    assert event["headers"]["x-forwarded-proto"] == "https"
    assert (event["isBase64Encoded"], event["body"]) == (True, "AAE=")
    assert context["requestId"] == answer.headers["apigw-requestid"]
    assert context["routeKey"] == "ANY /echo"
    assert "pathParameters" not in event
    assert ask(api, "GET", "/items/7").json()["pathParameters"] == {"id": "7"}


def test_source_address_is_the_peer_and_no_claim(api: Stack) -> None:
    class From(HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
            super().init_poolmanager(*arguments, **{**named, "source_address": ("127.0.0.9", 0)})

    with requests.Session() as session:
        session.mount("https://", From())
        url = api.outputs["Endpoint"] + "/echo"
        headers = {"X-Forwarded-For": "203.0.113.7"}
        event = session.get(url, headers=headers, verify=api.cloud.state.ca_bundle).json()

    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.9"
    assert event["headers"]["x-forwarded-for"] == "203.0.113.7, 127.0.0.9"


def test_unknown_route_is_not_found(api: Stack) -> None:
    answer = ask(api, "GET", "/nowhere")

    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


def test_crash_is_an_internal_server_error(api: Stack) -> None:
    answer = ask(api, "GET", "/boom")

    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_status_of_the_function_is_kept(api: Stack) -> None:
    answer = ask(api, "GET", "/teapot")

    assert (answer.status_code, answer.text) == (502, "mine")


def test_slow_integration_is_service_unavailable(api: Stack) -> None:
    started = time.monotonic()
    answer = ask(api, "GET", "/slow")

    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})
    assert time.monotonic() - started < 1.5


def test_body_over_ten_megabytes_is_refused(api: Stack) -> None:
    limit = 10 * 1024 * 1024

    assert ask(api, "POST", "/echo", data=b"x" * (limit + 1)).status_code == 413


def test_cors_of_an_allowed_origin(api: Stack) -> None:
    headers = ask(api, "GET", "/echo", headers={"Origin": ORIGIN}).headers

    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["access-control-expose-headers"] == "x-correlation-id"


def test_cors_of_another_origin(api: Stack) -> None:
    headers = ask(api, "GET", "/echo", headers={"Origin": "https://evil.example"}).headers

    assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_preflight_is_answered_by_the_gateway(api: Stack) -> None:
    wanted = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    answer = ask(
        api, "OPTIONS", "/echo", headers={**wanted, "Access-Control-Request-Headers": "Content-Type"}
    )

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "GET,POST"
    assert answer.headers["access-control-allow-headers"] == "content-type,x-correlation-id"
    assert answer.headers["access-control-max-age"] == "600"


@pytest.mark.parametrize(
    "wanted",
    [
        {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
        {"Origin": ORIGIN, "Access-Control-Request-Method": "DELETE"},
        {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-other",
        },
        {},
    ],
    ids=["origin", "method", "header", "none"],
)
def test_preflight_of_what_is_not_allowed(api: Stack, wanted: dict[str, str]) -> None:
    answer = ask(api, "OPTIONS", "/echo", headers=wanted)

    assert answer.status_code == 204
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_options_without_cors_reaches_the_function(api: Stack) -> None:
    answer = api.ask("OPTIONS", api.outputs["PlainEndpoint"] + "/beta/hello")

    assert answer.json()["method"] == "OPTIONS"


def test_named_stage_is_part_of_the_path(api: Stack) -> None:
    url = api.outputs["PlainEndpoint"]

    assert api.ask("GET", f"{url}/beta/hello").json()["path"] == "/beta/hello"
    assert api.ask("GET", f"{url}/hello").status_code == 404


def test_route_is_throttled_and_recovers(api: Stack) -> None:
    answers = [ask(api, "GET", "/limited") for _ in range(8)]
    refused = [one for one in answers if one.status_code == 429]

    assert 2 <= len(refused) <= 5
    assert refused[0].json() == {"message": "Too Many Requests"}
    assert ask(api, "GET", "/echo").status_code == 200
    time.sleep(1.2)
    assert ask(api, "GET", "/limited").status_code == 200


def test_a_gateway_that_refuses_for_good_begins_anew_when_that_is_switched_on_again(api: Stack) -> None:
    switch = f"{api.cloud.state.endpoint}/_embedded/switches/refusing-gateway"
    answered = []
    for _ in range(2):
        assert api.ask("PUT", switch).status_code == 200
        try:
            time.sleep(1.2)  # the route allows one request a second, and three at once
            answered.append([ask(api, "GET", "/limited").status_code for _ in range(6)])
            time.sleep(1.2)
            answered[-1].append(ask(api, "GET", "/limited").status_code)
        finally:
            assert api.ask("DELETE", switch).status_code == 200

    assert [(statuses[0], statuses[-1]) for statuses in answered] == [(200, 429)] * 2


def test_throttling_follows_the_live_stage(api: Stack) -> None:
    gateway = api.cloud.client("apigatewayv2")
    stage = {"ApiId": api.outputs["Id"], "StageName": "$default"}
    before = gateway.get_stage(**stage)["DefaultRouteSettings"]
    try:
        limits = {"ThrottlingBurstLimit": 0, "ThrottlingRateLimit": 0}
        gateway.update_stage(**stage, DefaultRouteSettings=limits)
        assert ask(api, "GET", "/echo").status_code == 429
    finally:
        gateway.update_stage(**stage, DefaultRouteSettings=before)
    time.sleep(0.1)
    assert ask(api, "GET", "/echo").status_code == 200


def test_metrics_count_every_answer(api: Stack) -> None:
    watch = api.cloud.client("cloudwatch")

    def total(name: str) -> float:
        now = time.time()
        dimensions = [{"Name": "ApiId", "Value": api.outputs["Id"]}]
        points = watch.get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=name,
            Dimensions=dimensions,
            StartTime=now - 600,
            EndTime=now + 60,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    before = {name: total(name) for name in ("Count", "4xx", "5xx")}
    for path in ("/echo", "/nowhere", "/boom"):
        ask(api, "GET", path)

    assert {name: total(name) - before[name] for name in before} == {"Count": 3, "4xx": 1, "5xx": 1}


def test_access_log_has_a_line_for_each_request(api: Stack) -> None:
    request_id = ask(api, "GET", "/nowhere").headers["apigw-requestid"]
    logs = api.cloud.client("logs")

    events = logs.filter_log_events(logGroupName=api.outputs["AccessLog"])["events"]
    lines = [json.loads(event["message"]) for event in events]

    wanted = {"id": request_id, "ip": "127.0.0.1", "route": "-", "status": "404", "none": "-"}
    assert {**wanted, "error": "RESOURCE_NOT_FOUND"} in lines


def test_what_the_gateway_did_not_refuse_has_no_type_of_error(api: Stack) -> None:
    request_id = ask(api, "GET", "/echo").headers["apigw-requestid"]
    logs = api.cloud.client("logs")

    events = logs.filter_log_events(logGroupName=api.outputs["AccessLog"])["events"]
    (line,) = [line for event in events if (line := json.loads(event["message"]))["id"] == request_id]

    assert line["error"] == "-"


def test_endpoints_answer_side_by_side(api: Stack) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: ask(api, "GET", "/echo").status_code, range(24)))

    assert set(statuses) == {200}


def test_endpoint_closes_with_its_api(cloud: Running) -> None:
    gateway = cloud.client("apigatewayv2")
    api = gateway.create_api(Name="short", ProtocolType="HTTP")
    port = int(api["ApiEndpoint"].rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port), timeout=5).close()

    gateway.delete_api(ApiId=api["ApiId"])
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail(f"port {port} is still open")

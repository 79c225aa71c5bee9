"""A request whose body comes after its headers is answered whatever the answer is, and the connection stays open."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.embedded.conftest import Running
from tests.embedded.stacks import deployed
from verification.embedded.server.pace import Pace
from verification.embedded.server.throttling import Throttling

SIGNATURE = b"AWS4-HMAC-SHA256 Credential=AKIA/20261128/us-east-1/lambda/aws4_request, SignedHeaders=host"
API = """
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: empty, ProtocolType: HTTP}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}
Outputs:
  Url: {Value: !GetAtt Api.ApiEndpoint}
"""


class Always(Pace):
    """Whatever may happen does."""

    def happens(self, part: float) -> bool:
        """Say yes."""
        return True


def answer_to_a_late_body(running: Running, url: str) -> int:
    """Send headers, the body 0.2 s later, and then a second request on the same connection."""
    address = urlsplit(url)
    trusted = ssl.create_default_context(cafile=running.state.ca_bundle)
    connection = http.client.HTTPSConnection(
        address.hostname or "", address.port, timeout=10, context=trusted
    )
    statuses = []
    for _ in range(2):
        connection.putrequest("POST", address.path or "/")
        connection.putheader("content-length", "4")
        connection.endheaders()
        time.sleep(0.2)
        connection.send(b"late")
        with connection.getresponse() as response:
            statuses.append(response.status)
            response.read()
            assert not response.will_close
    connection.close()
    assert statuses[0] == statuses[1]
    return statuses[0]


@pytest.mark.embedded
def test_an_api_without_the_route(cloud: Running) -> None:
    with deployed(cloud, API) as stack:
        assert answer_to_a_late_body(cloud, stack.outputs["Url"]) == 404


@pytest.mark.embedded
@pytest.mark.parametrize("path", ["/_embedded/switches/none", "/_embedded/switches"])
def test_the_switches(cloud: Running, path: str) -> None:
    assert answer_to_a_late_body(cloud, cloud.state.endpoint + path) in (404, 405)


def test_a_throttled_call() -> None:
    incoming = [
        {"type": "http.request", "body": b"first ", "more_body": True},
        {"type": "http.request", "body": b"second"},
    ]
    sent: list[Any] = []

    async def app(*_: Any) -> None:
        raise AssertionError("not throttled")

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        assert not incoming, "answered before the body was read"
        sent.append(message)

    scope = {"type": "http", "path": "/", "headers": [(b"authorization", SIGNATURE)]}
    asyncio.run(Throttling(app, Always(speed=1.0))(scope, receive, send))

    assert sent[0]["status"] == 400

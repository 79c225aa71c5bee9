"""Stand-ins for AWS on loopback: one that has resources, one that denies everything."""

from __future__ import annotations

import itertools
import json

import boto3
import pytest

from readiness.environment import Environment, Settings
from tests.probes.server import Reply, StubServer
from tests.stand_in import stand_in_for_aws

_XML = {"Content-Type": "text/xml"}
_JSON = {"Content-Type": "application/json"}
_counter = itertools.count(1)


@pytest.fixture(scope="session")
def session():
    """One for all environments, which share what botocore reads from disk."""
    return boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture(scope="session")
def reach(session):
    """The environment behind an endpoint."""
    settings = Settings("staging", "some-stack", "us-east-1")
    return lambda endpoint: Environment(settings, session, endpoint_url=endpoint)


@pytest.fixture(scope="session")
def env(reach):
    """A stand-in for AWS that speaks its protocols."""
    with stand_in_for_aws() as url:
        yield reach(url)


@pytest.fixture(scope="session")
def denying(reach):
    """An AWS whose verifier may do nothing."""
    server = StubServer()
    server.answer = _refuse
    yield reach(server.url)
    server.close()


@pytest.fixture
def stub():
    """A server that answers what a test tells it to."""
    server = StubServer()
    yield server
    server.close()


@pytest.fixture
def scripted(reach, stub):
    """An AWS that is the stub, for answers that moto does not model."""
    return reach(stub.url)


@pytest.fixture
def unique():
    """A name that no other test uses."""
    return f"thing-{next(_counter)}"


def _refuse(request):
    """Denied, in the protocol that the request speaks."""
    if "x-amz-target" in request.headers:
        body = json.dumps({"__type": "AccessDeniedException", "message": "not yours"})
        return Reply(400, body.encode(), _JSON)
    if request.path.startswith(("/v2/apis", "/2015-", "/2017-", "/2019-")):  # API Gateway and Lambda
        body = json.dumps({"message": "not yours"})
        return Reply(403, body.encode(), {**_JSON, "x-amzn-errortype": "AccessDeniedException"})
    error = "<Error><Code>{}</Code><Message>not yours</Message></Error>"
    if b"Action=GetTopicAttributes" in request.body or b"Action=ListSubscriptions" in request.body:
        text = f"<ErrorResponse>{error.format('AuthorizationError')}</ErrorResponse>"
    elif request.method == "POST" or "/distribution/" in request.path:
        text = f"<ErrorResponse>{error.format('AccessDenied')}</ErrorResponse>"
    else:
        text = error.format("AccessDenied")
    return Reply(403, text.encode(), _XML)

"""verification/resources/caller.py"""

from __future__ import annotations

import ipaddress
import json

import pytest

from readiness.aws.function import Function
from readiness.errors import Unverified
from readiness.ledger import Ledger
from tests.probes.server import Reply as Served
from verification.costs import PRICES_OF_RUN
from verification.resources.caller import Caller, Reply, unused_address

ADDRESS = "198.18.0.7"


@pytest.fixture
def caller(scripted):
    return Caller(Function(scripted, "some-function"), ADDRESS)


def answered(status=200, headers=None, body="{}"):
    return Served.json({"statusCode": status, "headers": headers or {}, "body": body})


def test_a_request_has_the_form_in_which_the_gateway_hands_it_over(caller, stub):
    stub.replies(answered())

    caller.post("/enhance", {"prompt": "x"}, {"X-Correlation-ID": "mine"})

    event = json.loads(stub.asked[0].body)
    assert (event["version"], event["rawPath"], event["routeKey"]) == ("2.0", "/enhance", "POST /enhance")
    assert event["requestContext"]["http"]["sourceIp"] == ADDRESS
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["headers"] == {
        "content-type": "application/json",
        "x-correlation-id": "mine",
        "x-forwarded-for": ADDRESS,
    }
    assert json.loads(event["body"]) == {"prompt": "x"}


def test_the_gateway_appends_the_address_to_a_forged_one(caller, stub):
    stub.replies(answered())

    caller.post("/enhance", {}, {"X-Forwarded-For": "192.0.2.1"})

    assert json.loads(stub.asked[0].body)["headers"]["x-forwarded-for"] == f"192.0.2.1, {ADDRESS}"


def test_the_answer_is_read(caller, stub):
    error = {"error": {"code": "address_limit"}}
    stub.replies(answered(429, {"Retry-After": "60"}, json.dumps(error)))

    reply = caller.post("/enhance", {})

    assert (reply.status, reply.headers, reply.document) == (429, {"retry-after": "60"}, error)
    assert (reply.error_code, reply.let_through) == ("address_limit", False)


@pytest.mark.parametrize(
    "content",
    [None, [], {}, {"statusCode": 200}, {"statusCode": 200, "headers": {}, "body": "<html>"}],
    ids=str,
)
def test_what_is_no_answer_is_unverified(caller, stub, content):
    stub.replies(Served.json(content))

    with pytest.raises(Unverified, match=r"some-function.*gave no answer for the gateway"):
        caller.post("/enhance", {})


@pytest.mark.parametrize(("status", "through"), [(200, True), (202, True), (429, False)])
def test_a_limit_lets_through_or_refuses(status, through):
    assert Reply(status, {}, {}).let_through is through


@pytest.mark.parametrize("status", [400, 403, 422, 500, 503])
def test_any_other_answer_tells_nothing_of_the_limit(status):
    with pytest.raises(Unverified, match=rf"expected 200 or 429, got .*{status}"):
        _ = Reply(status, {}, {}).let_through


@pytest.mark.parametrize("document", [None, [], "x", {}, {"error": "x"}, {"error": {}}], ids=str)
def test_what_names_no_error_has_no_code(document):
    assert Reply(429, {}, document).error_code == ""


def test_the_address_is_unused():
    addresses = {ipaddress.ip_address(unused_address()) for _ in range(100)}

    assert all(address in ipaddress.ip_network("198.18.0.0/15") for address in addresses)
    assert len(addresses) > 90


def test_what_was_let_through_is_counted(scripted, stub, tmp_path):
    ledger = Ledger(tmp_path / "ledger", 1.0, PRICES_OF_RUN)
    caller = Caller(Function(scripted, "some-function"), ADDRESS, ledger)
    stub.replies(answered(200), answered(429))

    caller.post("/enhance", {"prompt": "x"})
    caller.post("/enhance", {"prompt": "x"})

    assert ledger.summary()["enhancements"] == 1

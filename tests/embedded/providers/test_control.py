from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.embedded.providers.conftest import Client
from verification.embedded.server.providers.bedrock import MARKER
from verification.embedded.server.providers.control import ControlPanel
from verification.embedded.server.providers.ledger import VENDORS, Ledger

ROOT = "https://127.0.0.1:20000/_embedded/providers"


async def behind(scope: Any, receive: Any, send: Any) -> None:
    """The app behind the control; its answer asks for the delivery that the test put into the query."""
    await receive()
    marker = [(MARKER.encode(), scope["query_string"])] if scope["query_string"] else []
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-behind", b"1"), *marker]})
    await send({"type": "http.response.body", "body": b"0123456789", "more_body": False})


@pytest.fixture
def control(ledger: Ledger) -> Client:
    return Client(ControlPanel(behind, ledger), {})


def test_reports_every_vendor(control: Client) -> None:
    report = control("GET", ROOT).json()
    assert tuple(report) == VENDORS
    assert {"fault", "count", "calls", "paid", "outcomes", "prompts", "latency_ms"} <= set(report["bfl"])
    assert control("GET", f"{ROOT}/bfl").json() == report["bfl"]


def test_sets_and_clears(control: Client, ledger: Ledger) -> None:
    reply = control("POST", f"{ROOT}/openai", {"fault": "rate_limited", "count": 3, "latency_ms": 5})
    assert (reply.status, reply.json()["fault"], reply.json()["count"]) == (200, "rate_limited", 3)
    assert control("POST", f"{ROOT}/openai", {"revoked": ["sk-1"]}).json()["fault"] == "rate_limited"
    assert control("POST", f"{ROOT}/openai", {"fault": None, "count": None}).json()["fault"] is None
    assert ledger["openai"].latency_ms == 5
    assert not ledger["openai"].accepts("sk-1")
    assert control("DELETE", ROOT).json()["openai"]["revoked"] == 0


def test_the_date_and_the_ends_of_models(control: Client, ledger: Ledger) -> None:
    ends = {"some-model": "2027-01-20", "other-model": None}
    report = control("POST", f"{ROOT}/bfl", {"today": "2027-01-19", "ends": ends}).json()
    assert (report["today"], report["ends"]) == ("2027-01-19", ends)
    assert not ledger["bfl"].ended("some-model")
    control("POST", f"{ROOT}/bfl", {"today": "2027-01-20"})
    assert [ledger["bfl"].ended(model) for model in ends] == [True, False]
    report = control("POST", f"{ROOT}/bfl", {"today": None, "ends": {}}).json()
    assert (report["today"], report["ends"]) == (datetime.now(UTC).date().isoformat(), {})


def test_a_revoked_key_is_never_shown(control: Client) -> None:
    body = json.dumps(control("POST", f"{ROOT}/openai", {"revoked": ["sk-very-secret"]}).json())
    assert "sk-very-secret" not in body + control("GET", ROOT).body.decode()


@pytest.mark.parametrize(
    "body",
    [
        {"fault": "explode"},
        {"fault": 5},
        {"fault": "slow", "count": 0},
        {"fault": "slow", "count": "1"},
        {"fault": "slow", "count": True},
        {"count": 3},
        {"latency_ms": -1},
        {"latency_ms": "20"},
        {"latency_ms": None},
        {"revoked": "sk-1"},
        {"unsubscribed": [1]},
        {"today": "soon"},
        {"ends": ["gpt-image-2"]},
        {"ends": {"gpt-image-2": 7}},
        {"flaut": "slow"},
        [],
    ],
)
def test_a_mistaken_setting_changes_nothing(control: Client, ledger: Ledger, body: object) -> None:
    """A typo must not make a fault test pass for want of a fault."""
    before = ledger.report()
    reply = control("POST", f"{ROOT}/openai", body)
    assert reply.status == 400
    assert reply.json()["error"]
    assert ledger.report() == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nobody", 404), ("POST", "", 405), ("PUT", "/bfl", 405), ("DELETE", "/bfl", 405)],
)
def test_wrong_routes(control: Client, method: str, path: str, status: int) -> None:
    assert control(method, ROOT + path, {}).status == status


@pytest.mark.parametrize("peer", ["10.0.0.1", "192.168.1.1", "nowhere", ""])
def test_only_loopback_is_heard(ledger: Ledger, peer: str) -> None:
    control = Client(ControlPanel(behind, ledger), {}, peer)
    assert control("POST", f"{ROOT}/openai", {"fault": "slow"}).status == 403
    assert ledger["openai"].fault is None
    assert control("GET", "https://127.0.0.1/other").status == 200


@pytest.mark.parametrize("path", ["/", "/_embedded/reset", "/_embedded/providersx", "/model/x/invoke"])
def test_other_paths_pass_through(control: Client, path: str) -> None:
    reply = control("GET", f"https://127.0.0.1:20000{path}")
    assert (reply.status, reply.headers["x-behind"], reply.body) == (200, "1", b"0123456789")


def test_bedrocks_answer_is_cut(control: Client) -> None:
    reply = control("POST", "https://127.0.0.1:20000/model/x/invoke?cut", b"{}")
    assert (reply.body, reply.complete) == (b"01234", False)


def test_bedrocks_answer_is_withheld(control: Client) -> None:
    reply = control("POST", "https://127.0.0.1:20000/model/x/invoke?never", b"{}", leave_after=0.1)
    assert (reply.status, reply.body) == (0, b"")

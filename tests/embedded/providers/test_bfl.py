from __future__ import annotations

import io
import time
from typing import Any

import pytest
from PIL import Image

from tests.embedded.providers.conftest import Client, Reply
from verification.embedded.server.providers import keys
from verification.embedded.server.providers.ledger import Ledger

BASE = "https://api.bfl.ai/v1"


def submit(ask: Client, body: object, model: str = "flux-2-pro") -> Reply:
    return ask("POST", f"{BASE}/{model}", body, headers=ask.key("bfl"))


def poll(ask: Client, url: str) -> tuple[list[str], dict[str, Any]]:
    """Every state that was seen, and the last document."""
    states: list[str] = []
    for _ in range(100):
        document: dict[str, Any] = ask("GET", url, headers=ask.key("bfl")).json()
        states.append(document["status"])
        if document["status"] not in ("Pending", "Generating"):
            return states, document
        time.sleep(0.02)
    raise AssertionError(states)


@pytest.mark.parametrize(
    ("model", "body", "kind", "size"),
    [
        ("flux-2-pro", {"prompt": "a fox"}, "JPEG", (1024, 1024)),
        ("flux-2-pro", {"prompt": "a fox", "output_format": "png", "seed": 7}, "PNG", (1024, 1024)),
        (
            "flux-2-klein-9b",
            {"prompt": "a fox", "width": 1440, "height": 256, "prompt_upsampling": True},
            "JPEG",
            (1440, 256),
        ),
        ("flux-2-pro", {"prompt": "a fox", "width": "512", "wings": "ignored"}, "JPEG", (512, 1024)),
        (
            "flux-2-flex",
            {"prompt": "a fox", "steps": 50, "guidance": 5, "output_format": "png"},
            "PNG",
            (1024, 1024),
        ),
        ("flux-2-max", {"prompt": "a fox", "width": 1040, "output_format": "png"}, "PNG", (1040, 1024)),
    ],
)
def test_submit_poll_download(
    ask: Client, *, ledger: Ledger, model: str, body: dict[str, Any], kind: str, size: tuple[int, int]
) -> None:
    reply = submit(ask, body, model)
    document = reply.json()
    assert reply.status == 200
    assert document["id"] in document["polling_url"]
    states, ready = poll(ask, document["polling_url"])
    assert (states[0], states[-1]) == ("Pending", "Ready")
    fetched = ask("GET", ready["result"]["sample"])
    picture = Image.open(io.BytesIO(fetched.body))
    picture.load()
    assert (picture.format, picture.size) == (kind, size)
    assert fetched.headers["content-type"] == f"image/{kind.lower()}"
    assert ledger["bfl"].paid == 1
    assert poll(ask, document["polling_url"])[1]["result"]["sample"] == ready["result"]["sample"]
    assert ledger["bfl"].paid == 1


@pytest.mark.parametrize(
    ("model", "body", "field"),
    [
        ("flux-2-pro", {"prompt": 7}, "prompt"),
        ("flux-2-pro", {"width": 1024}, "prompt"),
        ("flux-2-pro", {"prompt": "x", "width": 63}, "width"),
        ("flux-2-pro", {"prompt": "x", "width": 4112}, "width"),
        ("flux-2-pro", {"prompt": "x", "width": 1000}, "width"),
        ("flux-2-pro", {"prompt": "x", "height": 512.5}, "height"),
        ("flux-2-pro", {"prompt": "x", "height": "tall"}, "height"),
        ("flux-2-pro", {"prompt": "x", "height": True}, "height"),
        ("flux-2-pro", {"prompt": "x", "safety_tolerance": 6}, "safety_tolerance"),
        ("flux-2-pro", {"prompt": "x", "output_format": "webp"}, "output_format"),
        ("flux-2-pro", {"prompt": "x", "seed": "abc"}, "seed"),
        ("flux-2-pro", {"prompt": "x", "prompt_upsampling": "perhaps"}, "prompt_upsampling"),
        ("flux-2-pro", {"prompt": "x", "steps": 30}, "steps"),
        ("flux-2-klein-9b", {"prompt": "x", "guidance": 5}, "guidance"),
        ("flux-2-flex", {"prompt": "x", "steps": 51}, "steps"),
        ("flux-2-flex", {"prompt": "x", "guidance": 1.4}, "guidance"),
    ],
)
def test_refused(ask: Client, ledger: Ledger, model: str, body: object, field: str) -> None:
    reply = submit(ask, body, model)
    assert (reply.status, reply.json()["detail"][0]["loc"]) == (422, ["body", field])
    assert ledger["bfl"].outcomes == {"refused": 1}


@pytest.mark.parametrize("body", [b"", b"[]", b"{"])
def test_no_object_is_refused(ask: Client, body: bytes) -> None:
    headers = ask.key("bfl") | {"content-type": "application/json"}
    assert ask("POST", f"{BASE}/flux-2-flex", body, headers=headers).status == 422


def test_webhooks_are_refused(ask: Client) -> None:
    assert submit(ask, {"prompt": "x", "webhook_url": "https://example.com/"}).status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "flux-2-flex", 405),
        ("POST", "flux-9", 404),
        ("POST", "flux-dev", 404),
        ("POST", "get_result", 405),
        ("GET", "get_result", 422),
    ],
)
def test_wrong_routes(ask: Client, method: str, path: str, status: int) -> None:
    assert ask(method, f"{BASE}/{path}", headers=ask.key("bfl")).status == status


def test_a_task_belongs_to_its_key(ask: Client) -> None:
    url = submit(ask, {"prompt": "x"}).json()["polling_url"]
    ask.keyring["bfl"] = keys.example("bfl")
    reply = ask("GET", url, headers=ask.key("bfl"))
    assert (reply.status, reply.json()["status"]) == (404, "Task not found")


def test_an_unknown_task(ask: Client) -> None:
    assert (
        ask("GET", f"{BASE}/get_result?id=none", headers=ask.key("bfl")).json()["status"] == "Task not found"
    )


def test_polling_needs_a_key(ask: Client) -> None:
    assert ask("GET", submit(ask, {"prompt": "x"}).json()["polling_url"]).status == 403


def test_moderation_shows_in_the_poll(ask: Client, ledger: Ledger) -> None:
    ledger["bfl"].set({"fault": "moderated", "count": 1})
    reply = submit(ask, {"prompt": "x"})
    assert reply.status == 200
    states, document = poll(ask, reply.json()["polling_url"])
    assert (states[-1], document["result"]) == ("Request Moderated", None)
    assert ledger["bfl"].paid == 0


def test_wrong_type_shows_in_the_download(ask: Client, ledger: Ledger) -> None:
    ledger["bfl"].set({"fault": "wrong_type", "count": 1})
    url = poll(ask, submit(ask, {"prompt": "x"}).json()["polling_url"])[1]["result"]["sample"]
    fetched = ask("GET", url)
    assert (fetched.status, fetched.headers["content-type"]) == (200, "image/jpeg")
    assert fetched.body.isascii()


def test_slow_stays_pending(ask: Client, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verification.embedded.server.providers.bfl.SLOWNESS_SECONDS", 0.4)
    ledger["bfl"].set({"fault": "slow", "count": 1})
    start = time.monotonic()
    url = submit(ask, {"prompt": "x"}).json()["polling_url"]
    assert time.monotonic() - start < 0.3
    poll(ask, url)
    assert time.monotonic() - start >= 0.6


def test_a_model_that_has_ended_is_not_there(ask: Client, ledger: Ledger) -> None:
    ledger["bfl"].set({"today": "2027-01-20", "ends": {"flux-2-pro": "2027-01-20"}})
    assert submit(ask, {"prompt": "x"}).status == 404
    assert submit(ask, {"prompt": "x"}, "flux-2-klein-9b").status == 200


def test_a_reset_forgets_tasks_and_images(ask: Client, ledger: Ledger) -> None:
    url = submit(ask, {"prompt": "x"}).json()["polling_url"]
    sample = poll(ask, url)[1]["result"]["sample"]
    ledger.reset()
    assert ask("GET", url, headers=ask.key("bfl")).status == 404
    assert ask("GET", sample).status == 404

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.embedded.providers.conftest import Client, Reply
from verification.embedded.server.providers.ledger import Ledger

URL = "https://external.api.recraft.ai/v1/images/generations"
GOOD: dict[str, Any] = {"prompt": "a fox", "model": "recraftv3"}


def post(ask: Client, body: object) -> Reply:
    return ask("POST", URL, body, headers=ask.key("recraft"))


@pytest.mark.parametrize(
    ("body", "kind", "size", "count"),
    [
        (GOOD, "WEBP", (1024, 1024), 1),
        (GOOD | {"image_format": "png"}, "PNG", (1024, 1024), 1),
        (GOOD | {"size": "1365x1024", "n": 6, "image_format": "png"}, "PNG", (1365, 1024), 6),
        (
            GOOD | {"size": "16:9", "style": "digital_illustration", "substyle": "hand_drawn"},
            "WEBP",
            (1820, 1024),
            1,
        ),
        (
            GOOD | {"response_format": "b64_json", "image_format": "png", "random_seed": 7},
            "PNG",
            (1024, 1024),
            1,
        ),
        (GOOD | {"controls": {"colors": [{"rgb": [0, 128, 255]}], "no_text": True}}, "WEBP", (1024, 1024), 1),
        ({"prompt": "x" * 1000}, "WEBP", (1024, 1024), 1),
        (
            GOOD | {"model": "recraftv4_1", "image_format": "png", "response_format": "b64_json"},
            "PNG",
            (1024, 1024),
            1,
        ),
        ({"prompt": "x" * 10000, "model": "recraftv4", "size": "1344x768"}, "WEBP", (1344, 768), 1),
    ],
)
def test_accepted(ask: Client, body: dict[str, Any], kind: str, size: tuple[int, int], count: int) -> None:
    reply = post(ask, body)
    document = reply.json()
    assert (reply.status, len(document["data"])) == (200, count)
    assert document["credits"] > 0
    for entry in document["data"]:
        image = ask("GET", entry["url"]).body if "url" in entry else base64.b64decode(entry["b64_json"])
        picture = Image.open(io.BytesIO(image))
        picture.load()
        assert (picture.format, picture.size) == (kind, size)


def test_vectors_are_svg(ask: Client) -> None:
    url = post(ask, GOOD | {"style": "vector_illustration"}).json()["data"][0]["url"]
    fetched = ask("GET", url)
    assert fetched.headers["content-type"] == "image/svg+xml"
    assert fetched.body.startswith(b"<svg")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": ""},
        {"prompt": "  "},
        {"prompt": 7},
        {"prompt": "x" * 1001},
        {"prompt": "x" * 10001, "model": "recraftv4"},
        GOOD | {"model": "recraftv9"},
        GOOD | {"size": "1000x1000"},
        GOOD | {"size": "7:3"},
        GOOD | {"size": 1024},
        GOOD | {"size": ["1024x1024"]},
        GOOD | {"n": 0},
        GOOD | {"n": 7},
        GOOD | {"n": "1"},
        GOOD | {"style": "noir"},
        GOOD | {"style": "icon"},
        GOOD | {"style": "realistic_image", "style_id": "01234567-89ab-cdef-0123-456789abcdef"},
        GOOD | {"style_id": "not-a-uuid"},
        GOOD | {"style_id": 7},
        GOOD | {"response_format": "png"},
        GOOD | {"image_format": "jpeg"},
        GOOD | {"random_seed": -1},
        GOOD | {"random_seed": 2**32},
        GOOD | {"seed": 7},
        GOOD | {"steps": 30},
        GOOD | {"controls": {"artistic_level": 6}},
        GOOD | {"controls": {"colors": [{"rgb": [0, 0, 256]}]}},
        GOOD | {"controls": {"colors": "red"}},
        GOOD | {"controls": {"unknown": 1}},
        GOOD | {"model": "recraftv4", "style": "realistic_image"},
        [],
    ],
)
def test_refused(ask: Client, ledger: Ledger, body: object) -> None:
    reply = post(ask, body)
    assert (reply.status, reply.json()["code"]) == (400, "invalid_request_parameter")
    assert ledger["recraft"].outcomes == {"refused": 1}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "images/generations", 405), ("POST", "users/me", 405), ("GET", "x", 404)],
)
def test_wrong_routes(ask: Client, method: str, path: str, status: int) -> None:
    url = f"https://external.api.recraft.ai/v1/{path}"
    assert ask(method, url, headers=ask.key("recraft")).status == status


def test_other_content_types_are_refused(ask: Client) -> None:
    headers = ask.key("recraft") | {"content-type": "text/plain"}
    assert ask("POST", URL, b"{}", headers=headers).status == 415


def test_the_user_shows_the_balance(ask: Client) -> None:
    reply = ask("GET", "https://external.api.recraft.ai/v1/users/me", headers=ask.key("recraft"))
    assert reply.json()["credits"] > 0


def test_an_unknown_style_and_a_model_that_has_ended(ask: Client, ledger: Ledger) -> None:
    assert post(ask, GOOD | {"style_id": "01234567-89ab-cdef-0123-456789abcdef"}).status == 404
    ledger["recraft"].set({"ends": {"recraftv3": "2026-01-01"}})
    assert post(ask, GOOD).status == 400


def test_moderation_and_wrong_vectors(ask: Client, ledger: Ledger) -> None:
    ledger["recraft"].set({"fault": "moderated", "count": 1})
    assert post(ask, GOOD).status == 400
    assert ledger["recraft"].paid == 0
    ledger["recraft"].set({"fault": "wrong_type", "count": 1})
    url = post(ask, GOOD | {"style": "vector_illustration"}).json()["data"][0]["url"]
    assert b"<svg" not in ask("GET", url).body

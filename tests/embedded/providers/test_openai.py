from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.embedded.providers.conftest import Client, Reply
from verification.embedded.server.providers.ledger import Ledger
from verification.embedded.server.providers.lives import LIVES

URL = "https://api.openai.com/v1/images/generations"
GPT: dict[str, Any] = {"model": "gpt-image-2", "prompt": "a fox"}
FIRST: dict[str, Any] = {"model": "gpt-image-1.5", "prompt": "a fox"}
NEWER: dict[str, Any] = {"model": "gpt-image-2.6-flare", "prompt": "a fox"}
BEFORE = {"today": "2026-11-28"}


def post(ask: Client, body: object, **headers: str) -> Reply:
    return ask("POST", URL, body, headers=ask.key("openai") | headers)


@pytest.mark.parametrize(
    ("body", "kind", "size"),
    [
        (GPT, "PNG", (1024, 1024)),
        (GPT | {"size": "1536x1024", "quality": "high", "output_format": "jpeg"}, "JPEG", (1536, 1024)),
        (GPT | {"size": "1024x640"}, "PNG", (1024, 640)),
        (GPT | {"output_format": "webp", "output_compression": 50}, "WEBP", (1024, 1024)),
        (GPT | {"moderation": "low", "n": 3, "stream": False, "user": "u1"}, "PNG", (1024, 1024)),
        (GPT | {"size": None, "quality": None}, "PNG", (1024, 1024)),
        (GPT | {"prompt": "x" * 32_000, "background": "opaque"}, "PNG", (1024, 1024)),
        (FIRST | {"background": "transparent"}, "PNG", (1024, 1024)),
        (NEWER | {"quality": "xhigh", "complexity": "low", "background": "transparent"}, "PNG", (1024, 1024)),
    ],
)
def test_accepted(
    ask: Client, ledger: Ledger, body: dict[str, Any], kind: str, size: tuple[int, int]
) -> None:
    """Images of the size and the format asked for, always inline."""
    ledger["openai"].set(BEFORE)
    reply = post(ask, body)
    assert reply.status == 200
    assert reply.headers["x-request-id"].startswith("req_")
    data = reply.json()["data"]
    assert len(data) == body.get("n", 1)
    for entry in data:
        picture = Image.open(io.BytesIO(base64.b64decode(entry["b64_json"])))
        picture.load()
        assert (picture.format, picture.size) == (kind, size)


def test_gpt_image_never_answers_by_url(ask: Client) -> None:
    document = post(ask, GPT).json()
    assert set(document["data"][0]) == {"b64_json"}
    assert document["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({"model": "gpt-image-2"}, 400, "prompt", "missing_required_parameter"),
        ({"prompt": "a fox"}, 400, "model", "missing_required_parameter"),
        (GPT | {"prompt": ""}, 400, "prompt", "empty_string"),
        (GPT | {"prompt": 7}, 400, "prompt", "invalid_type"),
        (GPT | {"prompt": "x" * 32001}, 400, "prompt", "string_above_max_length"),
        (GPT | {"model": "gpt-image-9"}, 400, "model", "invalid_value"),
        (GPT | {"model": 3}, 400, "model", "invalid_type"),
        (GPT | {"size": "512x512"}, 400, "size", "invalid_value"),
        (GPT | {"size": "1024x1000"}, 400, "size", "invalid_value"),
        (GPT | {"size": "3840x640"}, 400, "size", "invalid_value"),
        (GPT | {"size": 1024}, 400, "size", "invalid_type"),
        (FIRST | {"size": "1024x640"}, 400, "size", "invalid_value"),
        (GPT | {"n": 0}, 400, "n", "integer_below_min_value"),
        (GPT | {"n": "1"}, 400, "n", "invalid_type"),
        (GPT | {"n": True}, 400, "n", "invalid_type"),
        (GPT | {"n": 1.0}, 400, "n", "invalid_type"),
        (GPT | {"seed": 7}, 400, "seed", "unknown_parameter"),
        (GPT | {"steps": 30}, 400, "steps", "unknown_parameter"),
        (GPT | {"response_format": "b64_json"}, 400, "response_format", "unknown_parameter"),
        (GPT | {"style": "vivid"}, 400, "style", "unknown_parameter"),
        (GPT | {"complexity": "low"}, 400, "complexity", "unknown_parameter"),
        (NEWER | {"complexity": "none"}, 400, "complexity", "invalid_value"),
        (GPT | {"quality": "xhigh"}, 400, "quality", "invalid_value"),
        (GPT | {"background": "transparent"}, 400, "background", "invalid_value"),
        (GPT | {"quality": "hd"}, 400, "quality", "invalid_value"),
        (GPT | {"output_format": "gif"}, 400, "output_format", "invalid_value"),
        (GPT | {"output_compression": 101}, 400, "output_compression", "integer_above_max_value"),
        (GPT | {"output_compression": 50}, 400, "output_compression", "invalid_parameter"),
        (
            NEWER | {"background": "transparent", "output_format": "jpeg"},
            400,
            "background",
            "invalid_parameter",
        ),
        (GPT | {"n": 11}, 400, "n", "integer_above_max_value"),
        (GPT | {"stream": True}, 400, "stream", "unsupported_parameter"),
        ([], 400, None, None),
        ("text", 400, None, None),
    ],
)
def test_refused(
    ask: Client, *, ledger: Ledger, body: object, status: int, param: str | None, code: str | None
) -> None:
    """Each in OpenAI's own words: the parameter and the code."""
    ledger["openai"].set(BEFORE)
    reply = post(ask, body)
    error = reply.json()["error"]
    assert (reply.status, error["param"], error["code"]) == (status, param, code)
    assert set(error) == {"message", "type", "param", "code"}
    assert ledger["openai"].outcomes == {"refused": 1}
    assert ledger["openai"].paid == 0


@pytest.mark.parametrize("body", [b"", b"{", b'{"prompt": NaN}', b"\xff"])
def test_what_is_no_json_is_refused(ask: Client, body: bytes) -> None:
    assert post(ask, body, **{"content-type": "application/json"}).status == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_other_content_types_are_refused(ask: Client, kind: str) -> None:
    reply = post(ask, b'{"prompt": "a fox"}', **{"content-type": kind})
    assert (reply.status, reply.json()["error"]["code"]) == (400, "unsupported_content_type")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "images/generations", 405),
        ("POST", "models", 405),
        ("POST", "images/generate", 404),
        ("GET", "x", 404),
    ],
)
def test_wrong_routes(ask: Client, method: str, path: str, status: int) -> None:
    assert ask(method, f"https://api.openai.com/v1/{path}", headers=ask.key("openai")).status == status


def test_the_key_shines_through_the_error(ask: Client) -> None:
    """As at the vendor's: whoever logs the body logs parts of the key."""
    ask.keyring["openai"] = "sk-wrong-but-long-enough"
    error = post(ask, GPT).json()["error"]
    assert error["code"] == "invalid_api_key"
    assert "sk-wrong" in error["message"]
    assert "but-long" not in error["message"]


def test_moderation(ask: Client, ledger: Ledger) -> None:
    ledger["openai"].set({"fault": "moderated"})
    reply = post(ask, GPT)
    assert (reply.status, reply.json()["error"]["code"]) == (400, "moderation_blocked")
    assert ledger["openai"].paid == 0


def described(ask: Client, model: str) -> Reply:
    return ask("GET", f"https://api.openai.com/v1/models/{model}", headers=ask.key("openai"))


@pytest.mark.parametrize(
    ("model", "last", "first_without"),
    [
        ("gpt-image-1.5", "2026-11-30", "2026-12-01"),
        ("gpt-image-1-mini", "2026-11-30", "2026-12-01"),
    ],
)
def test_a_model_is_served_until_its_day(
    ask: Client, ledger: Ledger, model: str, last: str, first_without: str
) -> None:
    ledger["openai"].set({"today": last})
    assert described(ask, model).json()["shutdown_date"] == first_without
    assert post(ask, {"model": model, "prompt": "a fox"}).status == 200
    ledger["openai"].set({"today": first_without})
    assert described(ask, model).status == 404
    reply = post(ask, {"model": model, "prompt": "a fox"})
    assert (reply.status, reply.json()["error"]["type"]) == (400, "image_generation_user_error")
    assert reply.json()["error"]["message"] == f"The model '{model}' does not exist."
    listed = ask("GET", "https://api.openai.com/v1/models", headers=ask.key("openai")).json()["data"]
    assert model not in {entry["id"] for entry in listed}


@pytest.mark.parametrize("model", sorted(LIVES["openai"]))
def test_what_had_ended_before_is_refused(ask: Client, ledger: Ledger, model: str) -> None:
    ledger["openai"].set({"today": "2026-12-01"})
    assert post(ask, {"model": model, "prompt": "a fox"}).status == 400
    assert described(ask, model).json()["error"]["code"] == "model_not_found"


def test_an_end_can_be_set(ask: Client, ledger: Ledger) -> None:
    assert described(ask, "gpt-image-2").json()["shutdown_date"] is None
    ledger["openai"].set({"today": "2026-11-28", "ends": {"gpt-image-2": "2027-01-20"}})
    assert described(ask, "gpt-image-2").json()["shutdown_date"] == "2027-01-20"
    ledger["openai"].set({"ends": {"gpt-image-2": "2026-11-28"}})
    assert described(ask, "gpt-image-2").status == 404

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.embedded.providers.conftest import Client, Reply
from verification.embedded.server.providers.ledger import Ledger

URL = "https://api.openai.com/v1/images/generations"
D3: dict[str, Any] = {"model": "dall-e-3", "prompt": "a fox"}
GPT: dict[str, Any] = {"model": "gpt-image-1", "prompt": "a fox"}


def post(ask: Client, body: object, **headers: str) -> Reply:
    return ask("POST", URL, body, headers=ask.key("openai") | headers)


@pytest.mark.parametrize(
    ("body", "kind", "size"),
    [
        (D3, "PNG", (1024, 1024)),
        (
            D3 | {"size": "1792x1024", "quality": "hd", "style": "natural", "n": 1, "user": "u1"},
            "PNG",
            (1792, 1024),
        ),
        (D3 | {"size": "1024x1792"}, "PNG", (1024, 1792)),
        ({"prompt": "a fox", "size": "256x256", "n": 2}, "PNG", (256, 256)),
        (GPT, "PNG", (1024, 1024)),
        (GPT | {"size": "1536x1024", "quality": "high", "output_format": "jpeg"}, "JPEG", (1536, 1024)),
        (
            GPT | {"output_format": "webp", "output_compression": 50, "background": "transparent"},
            "WEBP",
            (1024, 1024),
        ),
        (GPT | {"moderation": "low", "n": 3, "stream": False}, "PNG", (1024, 1024)),
        ({"prompt": "a fox", "background": "opaque"}, "PNG", (1024, 1024)),
        (D3 | {"size": None, "style": None}, "PNG", (1024, 1024)),
        (D3 | {"prompt": "x" * 4000}, "PNG", (1024, 1024)),
    ],
)
def test_accepted(ask: Client, body: dict[str, Any], kind: str, size: tuple[int, int]) -> None:
    """Images of the size and the format asked for, by URL or inline."""
    reply = post(ask, body)
    assert reply.status == 200
    assert reply.headers["x-request-id"].startswith("req_")
    data = reply.json()["data"]
    assert len(data) == body.get("n", 1)
    for entry in data:
        if "url" in entry:
            fetched = ask("GET", entry["url"])
            assert (fetched.status, fetched.headers["content-type"]) == (200, "image/png")
            image = fetched.body
        else:
            image = base64.b64decode(entry["b64_json"])
        picture = Image.open(io.BytesIO(image))
        picture.load()
        assert (picture.format, picture.size) == (kind, size)


def test_dall_e_answers_by_url_unless_asked(ask: Client) -> None:
    entry = post(ask, D3).json()["data"][0]
    assert set(entry) == {"url", "revised_prompt"}
    assert "b64_json" in post(ask, D3 | {"response_format": "b64_json"}).json()["data"][0]


def test_gpt_image_never_answers_by_url(ask: Client) -> None:
    document = post(ask, GPT).json()
    assert set(document["data"][0]) == {"b64_json"}
    assert document["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({"model": "dall-e-3"}, 400, "prompt", "missing_required_parameter"),
        (D3 | {"prompt": ""}, 400, "prompt", "empty_string"),
        (D3 | {"prompt": 7}, 400, "prompt", "invalid_type"),
        (D3 | {"prompt": "x" * 4001}, 400, "prompt", "string_above_max_length"),
        ({"model": "dall-e-2", "prompt": "x" * 1001}, 400, "prompt", "string_above_max_length"),
        (GPT | {"prompt": "x" * 32001}, 400, "prompt", "string_above_max_length"),
        (D3 | {"model": "dall-e-9"}, 400, "model", "invalid_value"),
        (D3 | {"model": 3}, 400, "model", "invalid_type"),
        (D3 | {"size": "512x512"}, 400, "size", "invalid_value"),
        (D3 | {"size": "1536x1024"}, 400, "size", "invalid_value"),
        (D3 | {"size": 1024}, 400, "size", "invalid_type"),
        (D3 | {"n": 2}, 400, "n", "integer_above_max_value"),
        (D3 | {"n": 0}, 400, "n", "integer_below_min_value"),
        (D3 | {"n": "1"}, 400, "n", "invalid_type"),
        (D3 | {"n": True}, 400, "n", "invalid_type"),
        (D3 | {"n": 1.0}, 400, "n", "invalid_type"),
        (D3 | {"quality": "ultra"}, 400, "quality", "invalid_value"),
        (D3 | {"style": "noir"}, 400, "style", "invalid_value"),
        (D3 | {"response_format": "png"}, 400, "response_format", "invalid_value"),
        (D3 | {"seed": 7}, 400, "seed", "unknown_parameter"),
        (D3 | {"steps": 30}, 400, "steps", "unknown_parameter"),
        (D3 | {"output_format": "png"}, 400, "output_format", "unknown_parameter"),
        ({"model": "dall-e-2", "prompt": "x", "style": "vivid"}, 400, "style", "unknown_parameter"),
        (GPT | {"response_format": "b64_json"}, 400, "response_format", "unknown_parameter"),
        (GPT | {"style": "vivid"}, 400, "style", "unknown_parameter"),
        (GPT | {"size": "1792x1024"}, 400, "size", "invalid_value"),
        (GPT | {"quality": "hd"}, 400, "quality", "invalid_value"),
        (GPT | {"output_format": "gif"}, 400, "output_format", "invalid_value"),
        (GPT | {"output_compression": 101}, 400, "output_compression", "integer_above_max_value"),
        (GPT | {"output_compression": 50}, 400, "output_compression", "invalid_parameter"),
        (
            GPT | {"background": "transparent", "output_format": "jpeg"},
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
    error = post(ask, D3).json()["error"]
    assert error["code"] == "invalid_api_key"
    assert "sk-wrong" in error["message"]
    assert "but-long" not in error["message"]


@pytest.mark.parametrize(("body", "code"), [(D3, "content_policy_violation"), (GPT, "moderation_blocked")])
def test_moderation(ask: Client, ledger: Ledger, body: dict[str, Any], code: str) -> None:
    ledger["openai"].set({"fault": "moderated"})
    reply = post(ask, body)
    assert (reply.status, reply.json()["error"]["code"]) == (400, code)
    assert ledger["openai"].paid == 0


def test_a_retired_model_is_not_found(ask: Client, ledger: Ledger) -> None:
    """Vendors retire models; the application must survive it."""
    ledger["openai"].set({"retired": ["dall-e-3"]})
    assert (post(ask, D3).status, post(ask, D3).json()["error"]["code"]) == (404, "model_not_found")
    listed = ask("GET", "https://api.openai.com/v1/models", headers=ask.key("openai")).json()["data"]
    assert "dall-e-3" not in {entry["id"] for entry in listed}
    one = ask("GET", "https://api.openai.com/v1/models/dall-e-3", headers=ask.key("openai"))
    assert one.status == 404


def test_image_urls_expire(ask: Client, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verification.embedded.server.providers.openai.OpenAI.url_lifetime_seconds", -1.0)
    url = post(ask, D3).json()["data"][0]["url"]
    assert ask("GET", url).status == 403
    assert ask("GET", url.replace("img-", "img-x")).status == 404
    assert ask("PUT", url).status == 405

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.embedded.providers.conftest import Client, Reply
from verification.embedded.server.providers.ledger import Ledger
from verification.embedded.server.providers.lives import LIVES

BASE = "https://generativelanguage.googleapis.com/v1beta/models"
CONTENTS: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "a fox"}]}]}
BOTH: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"]}
NB, LITE, PRO = "gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image", "gemini-3-pro-image"


def generate(ask: Client, model: str, body: object) -> Reply:
    return ask("POST", f"{BASE}/{model}:generateContent", body, headers=ask.key("google"))


@pytest.mark.parametrize(
    ("model", "config", "kind", "size", "parts"),
    [
        (NB, BOTH, "JPEG", (1024, 1024), 2),
        (NB, {}, "JPEG", (1024, 1024), 2),
        (NB, {"responseModalities": ["IMAGE"]}, "JPEG", (1024, 1024), 1),
        (PRO, {"imageConfig": {"imageSize": "2K"}}, "JPEG", (2048, 2048), 2),
        (LITE, {"responseModalities": ["IMAGE"], "imageConfig": {"imageSize": "1K"}}, "PNG", (1024, 1024), 1),
        (
            LITE,
            {"responseModalities": ["Text", "Image"], "imageConfig": {"aspectRatio": "16:9"}},
            "PNG",
            (1344, 768),
            2,
        ),
        (
            LITE,
            {"response_modalities": ["IMAGE"], "image_config": {"aspect_ratio": "2:3"}},
            "PNG",
            (832, 1248),
            1,
        ),
        (LITE, {"temperature": 1.5, "topP": 0.9, "seed": 7, "candidateCount": 1}, "PNG", (1024, 1024), 2),
    ],
)
def test_images_accepted(
    ask: Client, *, model: str, config: dict[str, Any], kind: str, size: tuple[int, int], parts: int
) -> None:
    reply = generate(ask, model, CONTENTS | {"generationConfig": config})
    assert reply.status == 200
    candidate = reply.json()["candidates"][0]
    assert candidate["finishReason"] == "STOP"
    assert len(candidate["content"]["parts"]) == parts
    inline = candidate["content"]["parts"][-1]["inlineData"]
    picture = Image.open(io.BytesIO(base64.b64decode(inline["data"])))
    picture.load()
    assert (inline["mimeType"], picture.format, picture.size) == (f"image/{kind.lower()}", kind, size)


def test_the_key_may_stand_in_the_query(ask: Client) -> None:
    assert ask("GET", f"{BASE}?key={ask.keyring['google']}").status == 200


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (LITE, {}),
        (LITE, {"contents": []}),
        (LITE, {"contents": "a fox"}),
        (LITE, {"contents": [{"parts": []}]}),
        (LITE, {"contents": [{"parts": [{}]}]}),
        (LITE, {"contents": [{"parts": [{"text": ""}]}]}),
        (LITE, {"contents": [{"parts": [{"text": 7}]}]}),
        (LITE, {"contents": [{"parts": [{"txt": "a fox"}]}]}),
        (LITE, {"contents": [{"role": "system", "parts": [{"text": "x"}]}]}),
        (LITE, {"prompt": "a fox"}),
        (LITE, CONTENTS | {"generationConfig": {"size": "1024x1024"}}),
        (LITE, CONTENTS | {"generationConfig": {"responseModalities": "IMAGE"}}),
        (LITE, CONTENTS | {"generationConfig": {"responseModalities": ["VIDEO"]}}),
        (LITE, CONTENTS | {"generationConfig": {"responseModalities": ["TEXT"]}}),
        (LITE, CONTENTS | {"generationConfig": {"imageConfig": {"aspectRatio": "7:3"}}}),
        (LITE, CONTENTS | {"generationConfig": {"imageConfig": {"imageSize": "2K"}}}),
        (LITE, CONTENTS | {"generationConfig": {"temperature": 2.1}}),
        (LITE, CONTENTS | {"generationConfig": {"seed": 2**31}}),
        (LITE, CONTENTS | {"generationConfig": {"seed": "7"}}),
        (LITE, CONTENTS | {"generationConfig": {"seed": 1.5}}),
        (LITE, CONTENTS | {"generationConfig": {"maxOutputTokens": 0}}),
        (NB, CONTENTS | {"generationConfig": {"imageConfig": {"imageSize": "512"}}}),
        *(
            (NB, CONTENTS | {"generationConfig": {name: 1}})
            for name in ("seed", "temperature", "topP", "topK")
        ),
    ],
)
def test_refused(ask: Client, ledger: Ledger, model: str, body: object) -> None:
    reply = generate(ask, model, body)
    assert (reply.status, reply.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert ledger["google"].outcomes == {"refused": 1}


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("gemini-9", "generateContent"),
        (LITE, "predict"),
        (LITE, "embed"),
        *((model, "generateContent") for model in LIVES["google"]),
        ("imagen-4.0-generate-001", "predict"),
    ],
)
def test_unknown_models_and_methods(ask: Client, model: str, method: str) -> None:
    reply = ask("POST", f"{BASE}/{model}:{method}", CONTENTS, headers=ask.key("google"))
    assert (reply.status, reply.json()["error"]["status"]) == (404, "NOT_FOUND")


def test_wrong_routes(ask: Client) -> None:
    key = ask.key("google")
    assert ask("GET", f"{BASE}/{LITE}:generateContent", headers=key).status == 404
    assert ask("GET", "https://generativelanguage.googleapis.com/v3/models", headers=key).status == 404
    assert ask("GET", f"{BASE}/{LITE}", headers=key).json()["name"] == f"models/{LITE}"
    assert ask("GET", f"{BASE}/none", headers=key).status == 404


def test_other_content_types_are_refused(ask: Client) -> None:
    headers = ask.key("google") | {"content-type": "text/plain"}
    assert ask("POST", f"{BASE}/{LITE}:generateContent", b"{}", headers=headers).status == 400


def test_an_invalid_key_is_a_bad_request_with_a_reason(ask: Client) -> None:
    """Not a 401: a client that waits for one never learns that its key is bad."""
    ask.keyring["google"] = "AIzaShort"
    reply = generate(ask, LITE, CONTENTS)
    assert (reply.status, reply.json()["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")


def test_moderation(ask: Client, ledger: Ledger) -> None:
    ledger["google"].set({"fault": "moderated"})
    reply = generate(ask, LITE, CONTENTS)
    assert reply.status == 200
    assert "candidates" not in reply.json()
    assert reply.json()["promptFeedback"]["blockReason"] == "PROHIBITED_CONTENT"


def test_a_model_ends_on_its_day(ask: Client, ledger: Ledger) -> None:
    """Nothing tells it beforehand."""
    flash = "gemini-3.1-flash-image"
    described = f"{BASE}/{flash}"
    ledger["google"].set({"today": "2026-10-28"})
    assert generate(ask, flash, CONTENTS).status == 200
    assert set(ask("GET", described, headers=ask.key("google")).json()) == {
        *("name", "version", "supportedGenerationMethods")
    }
    ledger["google"].set({"today": "2026-10-29"})
    assert generate(ask, flash, CONTENTS).status == 404
    assert ask("GET", described, headers=ask.key("google")).status == 404

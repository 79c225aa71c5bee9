from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.embedded.providers.conftest import Client, Reply
from verification.embedded.server.providers.ledger import Ledger

BASE = "https://generativelanguage.googleapis.com/v1beta/models"
CONTENTS: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "a fox"}]}]}
BOTH: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"]}
G20, G25, TEXT = "gemini-2.0-flash-preview-image-generation", "gemini-2.5-flash-image", "gemini-2.0-flash"


def generate(ask: Client, model: str, body: object) -> Reply:
    return ask("POST", f"{BASE}/{model}:generateContent", body, headers=ask.key("google"))


def predict(ask: Client, body: object, model: str = "imagen-4.0-generate-001") -> Reply:
    return ask("POST", f"{BASE}/{model}:predict", body, headers=ask.key("google"))


@pytest.mark.parametrize(
    ("model", "config", "size", "parts"),
    [
        (G20, BOTH, (1024, 1024), 2),
        (G25, {}, (1024, 1024), 2),
        (G25, {"responseModalities": ["IMAGE"]}, (1024, 1024), 1),
        (
            G25,
            {"responseModalities": ["Text", "Image"], "imageConfig": {"aspectRatio": "16:9"}},
            (1344, 768),
            2,
        ),
        (G25, {"response_modalities": ["IMAGE"], "image_config": {"aspect_ratio": "2:3"}}, (832, 1248), 1),
        (G25, {"temperature": 1.5, "topP": 0.9, "seed": 7, "candidateCount": 1}, (1024, 1024), 2),
        ("gemini-3-pro-image-preview", {"imageConfig": {"imageSize": "2K"}}, (2048, 2048), 2),
    ],
)
def test_images_accepted(
    ask: Client, model: str, config: dict[str, Any], size: tuple[int, int], parts: int
) -> None:
    reply = generate(ask, model, CONTENTS | {"generationConfig": config})
    assert reply.status == 200
    candidate = reply.json()["candidates"][0]
    assert candidate["finishReason"] == "STOP"
    assert len(candidate["content"]["parts"]) == parts
    inline = candidate["content"]["parts"][-1]["inlineData"]
    picture = Image.open(io.BytesIO(base64.b64decode(inline["data"])))
    picture.load()
    assert (inline["mimeType"], picture.format, picture.size) == ("image/png", "PNG", size)


def test_text_accepted(ask: Client) -> None:
    body = CONTENTS | {"systemInstruction": {"parts": [{"text": "Improve the prompt."}]}}
    parts = generate(ask, TEXT, body).json()["candidates"][0]["content"]["parts"]
    assert parts[0]["text"].startswith("a fox")


def test_the_key_may_stand_in_the_query(ask: Client) -> None:
    assert ask("GET", f"{BASE}?key={ask.keyring['google']}").status == 200


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (G25, {}),
        (G25, {"contents": []}),
        (G25, {"contents": "a fox"}),
        (G25, {"contents": [{"parts": []}]}),
        (G25, {"contents": [{"parts": [{}]}]}),
        (G25, {"contents": [{"parts": [{"text": ""}]}]}),
        (G25, {"contents": [{"parts": [{"text": 7}]}]}),
        (G25, {"contents": [{"parts": [{"txt": "a fox"}]}]}),
        (G25, {"contents": [{"role": "system", "parts": [{"text": "x"}]}]}),
        (G25, {"prompt": "a fox"}),
        (G25, CONTENTS | {"generationConfig": {"size": "1024x1024"}}),
        (G25, CONTENTS | {"generationConfig": {"responseModalities": "IMAGE"}}),
        (G25, CONTENTS | {"generationConfig": {"responseModalities": ["VIDEO"]}}),
        (G25, CONTENTS | {"generationConfig": {"responseModalities": ["TEXT"]}}),
        (G25, CONTENTS | {"generationConfig": {"imageConfig": {"aspectRatio": "7:3"}}}),
        (G25, CONTENTS | {"generationConfig": {"imageConfig": {"imageSize": "2K"}}}),
        (G25, CONTENTS | {"generationConfig": {"temperature": 2.1}}),
        (G25, CONTENTS | {"generationConfig": {"seed": 2**31}}),
        (G25, CONTENTS | {"generationConfig": {"seed": "7"}}),
        (G25, CONTENTS | {"generationConfig": {"seed": 1.5}}),
        (G20, CONTENTS),
        (G20, CONTENTS | {"generationConfig": {"responseModalities": ["IMAGE"]}}),
        (G20, CONTENTS | {"generationConfig": BOTH | {"imageConfig": {"aspectRatio": "1:1"}}}),
        (TEXT, CONTENTS | {"generationConfig": BOTH}),
        (TEXT, CONTENTS | {"generationConfig": {"maxOutputTokens": 0}}),
    ],
)
def test_refused(ask: Client, ledger: Ledger, model: str, body: object) -> None:
    reply = generate(ask, model, body)
    assert (reply.status, reply.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert ledger["google"].outcomes == {"refused": 1}


@pytest.mark.parametrize(
    ("parameters", "kind", "size", "count"),
    [
        ({}, "PNG", (1024, 1024), 4),
        ({"sampleCount": 1}, "PNG", (1024, 1024), 1),
        ({"sampleCount": 1, "aspectRatio": "16:9", "personGeneration": "allow_adult"}, "PNG", (1408, 768), 1),
        ({"sampleCount": 1, "outputOptions": {"mimeType": "image/jpeg"}}, "JPEG", (1024, 1024), 1),
        ({"sampleCount": 1, "sampleImageSize": "2K"}, "PNG", (2048, 2048), 1),
    ],
)
def test_imagen_accepted(
    ask: Client, parameters: dict[str, Any], kind: str, size: tuple[int, int], count: int
) -> None:
    reply = predict(ask, {"instances": [{"prompt": "a fox"}], "parameters": parameters})
    predictions = reply.json()["predictions"]
    assert (reply.status, len(predictions)) == (200, count)
    picture = Image.open(io.BytesIO(base64.b64decode(predictions[0]["bytesBase64Encoded"])))
    picture.load()
    assert (picture.format, picture.size) == (kind, size)


@pytest.mark.parametrize("model", ["imagen-3.0-generate-002", "imagen-4.0-fast-generate-001"])
def test_imagen_models(ask: Client, model: str) -> None:
    body = {"instances": [{"prompt": "a fox"}], "parameters": {"sampleCount": 1}}
    assert predict(ask, body, model).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"instances": []},
        {"instances": [{}]},
        {"instances": [{"prompt": ""}]},
        {"instances": [{"prompt": "a"}, {"prompt": "b"}]},
        {"instances": [{"prompt": "a", "seed": 1}]},
        {"instances": [{"prompt": "word " * 481}]},
        {"instances": [{"prompt": "a"}], "parameters": {"sampleCount": 5}},
        {"instances": [{"prompt": "a"}], "parameters": {"sampleCount": 0}},
        {"instances": [{"prompt": "a"}], "parameters": {"sampleCount": "1"}},
        {"instances": [{"prompt": "a"}], "parameters": {"aspectRatio": "2:3"}},
        {"instances": [{"prompt": "a"}], "parameters": {"seed": 7}},
        {"instances": [{"prompt": "a"}], "parameters": {"negativePrompt": "b"}},
        {"instances": [{"prompt": "a"}], "parameters": {"personGeneration": "yes"}},
        {"instances": [{"prompt": "a"}], "parameters": {"outputOptions": {"mimeType": "image/webp"}}},
        {"instances": [{"prompt": "a"}], "parameters": {"sampleImageSize": "4K"}},
        {"instances": [{"prompt": "a"}], "parameters": []},
        {"instances": [{"prompt": "a"}], "options": {}},
    ],
)
def test_imagen_refused(ask: Client, ledger: Ledger, body: object) -> None:
    reply = predict(ask, body)
    assert (reply.status, reply.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert ledger["google"].paid == 0


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("gemini-9", "generateContent"),
        (G25, "predict"),
        ("imagen-4.0-generate-001", "generateContent"),
        (G25, "embed"),
    ],
)
def test_unknown_models_and_methods(ask: Client, model: str, method: str) -> None:
    reply = ask("POST", f"{BASE}/{model}:{method}", CONTENTS, headers=ask.key("google"))
    assert (reply.status, reply.json()["error"]["status"]) == (404, "NOT_FOUND")


def test_wrong_routes(ask: Client) -> None:
    key = ask.key("google")
    assert ask("GET", f"{BASE}/{G25}:generateContent", headers=key).status == 404
    assert ask("GET", "https://generativelanguage.googleapis.com/v3/models", headers=key).status == 404
    assert ask("GET", f"{BASE}/{G25}", headers=key).json()["name"] == f"models/{G25}"
    assert ask("GET", f"{BASE}/none", headers=key).status == 404


def test_other_content_types_are_refused(ask: Client) -> None:
    headers = ask.key("google") | {"content-type": "text/plain"}
    assert ask("POST", f"{BASE}/{G25}:generateContent", b"{}", headers=headers).status == 400


def test_an_invalid_key_is_a_bad_request_with_a_reason(ask: Client) -> None:
    """Not a 401: a client that waits for one never learns that its key is bad."""
    ask.keyring["google"] = "AIzaShort"
    reply = generate(ask, G25, CONTENTS)
    assert (reply.status, reply.json()["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")


def test_moderation(ask: Client, ledger: Ledger) -> None:
    ledger["google"].set({"fault": "moderated"})
    reply = generate(ask, G25, CONTENTS)
    assert reply.status == 200
    assert "candidates" not in reply.json()
    assert reply.json()["promptFeedback"]["blockReason"] == "PROHIBITED_CONTENT"
    assert predict(ask, {"instances": [{"prompt": "a"}]}).json() == {}


def test_a_retired_model_is_not_found(ask: Client, ledger: Ledger) -> None:
    ledger["google"].set({"retired": [G20]})
    assert generate(ask, G20, CONTENTS | {"generationConfig": BOTH}).status == 404

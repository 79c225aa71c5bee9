"""The models of Bedrock without MiniStack; what MiniStack adds is tested in test_seam.py."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from verification.embedded.server.providers.bedrock import MARKER, Bedrock, resource_arn
from verification.embedded.server.providers.ledger import Ledger

CANVAS = "amazon.nova-canvas-v1:0"
SD35 = "stability.sd3-5-large-v1:0"
LITE = "amazon.nova-lite-v1:0"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
SONNET = "anthropic.claude-sonnet-4-20250514-v1:0"

NOVA: dict[str, Any] = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox"}}
CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": "a fox"}]}]}
CLAUDE: dict[str, Any] = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "a fox"}],
}


class Runtime:
    """Calls the models as MiniStack does."""

    def __init__(self, ledger: Ledger) -> None:
        self.models = Bedrock(ledger)

    def __call__(
        self,
        model: str,
        body: object,
        *,
        operation: str = "invoke",
        region: str | None = None,
        **headers: str,
    ) -> tuple[int, dict[str, str], Any]:
        place = region or ("us-west-2" if model.startswith("stability.") else "us-east-1")
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        path = f"/model/{model.replace(':', '%3A')}/{operation}"
        answer = asyncio.run(self.models.handle(path, headers, raw, place))
        assert answer is not None
        status, sent, payload = answer
        return status, sent, json.loads(payload)


@pytest.fixture
def invoke(ledger: Ledger) -> Runtime:
    return Runtime(ledger)


def config(**values: Any) -> dict[str, Any]:
    return NOVA | {"imageGenerationConfig": values}


@pytest.mark.parametrize(
    ("model", "body", "kind", "size", "count"),
    [
        (CANVAS, NOVA, "PNG", (1024, 1024), 1),
        (CANVAS, config(width=320, height=1280, numberOfImages=5, quality="premium"), "PNG", (320, 1280), 5),
        (CANVAS, config(cfgScale=10, seed=858_993_459, width=2048, height=2032), "PNG", (2048, 2032), 1),
        (SD35, {"prompt": "a fox"}, "PNG", (1024, 1024), 1),
        (SD35, {"prompt": "a fox", "aspect_ratio": "9:21", "output_format": "jpeg"}, "JPEG", (640, 1536), 1),
        ("stability.stable-image-ultra-v1:1", {"prompt": "a fox", "seed": 7}, "PNG", (1024, 1024), 1),
        (
            "stability.stable-image-core-v1:1",
            {"prompt": "a fox", "negative_prompt": "x"},
            "PNG",
            (1024, 1024),
            1,
        ),
    ],
)
def test_images(
    invoke: Runtime, *, model: str, body: dict[str, Any], kind: str, size: tuple[int, int], count: int
) -> None:
    status, _, document = invoke(model, body)
    assert (status, len(document["images"])) == (200, count)
    for image in document["images"]:
        picture = Image.open(io.BytesIO(base64.b64decode(image)))
        picture.load()
        assert (picture.format, picture.size) == (kind, size)


def test_seeds(invoke: Runtime) -> None:
    assert invoke(CANVAS, config(seed=7)) == invoke(CANVAS, config(seed=7))
    assert invoke(CANVAS, config(seed=7)) != invoke(CANVAS, config(seed=8))
    document = invoke(SD35, {"prompt": "x", "seed": 7})[2]
    assert (document["seeds"], document["finish_reasons"]) == ([7], [None])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": "a fox"},
        {"taskType": "TEXT_IMAGE"},
        NOVA | {"taskType": "INPAINTING"},
        NOVA | {"taskType": "NONE"},
        NOVA | {"extra": 1},
        NOVA | {"textToImageParams": {}},
        NOVA | {"textToImageParams": {"text": ""}},
        NOVA | {"textToImageParams": {"text": "x" * 1025}},
        NOVA | {"textToImageParams": {"text": 7}},
        NOVA | {"textToImageParams": {"text": "x", "negativeText": ""}},
        NOVA | {"textToImageParams": {"text": "x", "style": "NOIR"}},
        NOVA | {"textToImageParams": "a fox"},
        config(width=304),
        config(width=4112),
        config(width=1000),
        config(width="1024"),
        config(width=1280, height=304),
        config(width=2048, height=2048),
        config(width=4096, height=992),
        config(seed=858_993_460),
        config(seed=-1),
        config(seed=1.5),
        config(cfgScale=1.0),
        config(cfgScale=10.1),
        config(cfgScale="7"),
        config(quality="hd"),
        config(numberOfImages=0),
        config(numberOfImages=6),
        config(steps=30),
        [],
        b"",
        b"{",
    ],
)
def test_nova_canvas_refuses(invoke: Runtime, ledger: Ledger, body: object) -> None:
    status, headers, document = invoke(CANVAS, body)
    assert (status, headers["x-amzn-ErrorType"], list(document)) == (400, "ValidationException", ["message"])
    assert ledger["bedrock"].paid == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": ""},
        {"prompt": 7},
        {"prompt": "x" * 10001},
        {"prompt": "x", "aspect_ratio": "4:3"},
        {"prompt": "x", "width": 1024},
        {"prompt": "x", "steps": 30},
        {"prompt": "x", "seed": 4_294_967_295},
        {"prompt": "x", "seed": "7"},
        {"prompt": "x", "output_format": "gif"},
        {"prompt": "x", "mode": "video"},
        {"prompt": "x", "mode": "image-to-image"},
        {"text_prompts": [{"text": "x"}]},
    ],
)
def test_stable_diffusion_refuses(invoke: Runtime, body: object) -> None:
    assert invoke(SD35, body)[0] == 400


@pytest.mark.parametrize(
    ("model", "region"),
    [(SD35, "us-east-1"), (CANVAS, "us-west-2"), (LITE, "sa-east-1"), ("none.model-v1:0", "us-east-1")],
)
def test_models_that_the_region_lacks(invoke: Runtime, model: str, region: str) -> None:
    """A deployment in us-east-1 that calls Stability there fails on AWS as well."""
    status, headers, document = invoke(model, NOVA, region=region)
    assert (status, headers["x-amzn-ErrorType"]) == (400, "ValidationException")
    assert "identifier is invalid" in document["message"]


def test_newer_claude_needs_an_inference_profile(invoke: Runtime) -> None:
    assert "on-demand" in invoke(SONNET, CLAUDE)[2]["message"]
    assert invoke(f"us.{SONNET}", CLAUDE)[0] == 200


@pytest.mark.parametrize("model", [LITE, "amazon.nova-micro-v1:0", f"us.{LITE}", HAIKU])
def test_converse(invoke: Runtime, model: str) -> None:
    body = CHAT | {"inferenceConfig": {"maxTokens": 200, "temperature": 0.7}}
    status, _, document = invoke(model, body, operation="converse")
    assert (status, document["stopReason"]) == (200, "end_turn")
    assert document["output"]["message"]["content"][0]["text"].startswith("a fox")
    assert document["usage"]["totalTokens"] > 0


def test_invoke_text_models(invoke: Runtime) -> None:
    assert "a fox" in invoke(LITE, CHAT)[2]["output"]["message"]["content"][0]["text"]
    assert "a fox" in invoke(HAIKU, CLAUDE)[2]["content"][0]["text"]


@pytest.mark.parametrize(
    ("model", "body", "operation"),
    [
        (LITE, {}, "converse"),
        (LITE, {"messages": []}, "converse"),
        (LITE, {"messages": [{"role": "system", "content": [{"text": "x"}]}]}, "converse"),
        (LITE, {"messages": [{"role": "assistant", "content": [{"text": "x"}]}]}, "converse"),
        (LITE, {"messages": [{"role": "user", "content": []}]}, "converse"),
        (LITE, {"messages": [{"role": "user", "content": [{"text": " "}]}]}, "converse"),
        (LITE, CHAT | {"inferenceConfig": {"maxTokens": 0}}, "converse"),
        (LITE, CHAT | {"inferenceConfig": {"temperature": 2}}, "converse"),
        (LITE, CHAT | {"inferenceConfig": {"max_tokens": 9}}, "converse"),
        (CANVAS, CHAT, "converse"),
        (LITE, {"prompt": "x"}, "invoke"),
        (LITE, CHAT | {"schemaVersion": "v2"}, "invoke"),
        (HAIKU, {"prompt": "x", "max_tokens_to_sample": 9}, "invoke"),
        (HAIKU, CLAUDE | {"anthropic_version": "2023-06-01"}, "invoke"),
        (HAIKU, CLAUDE | {"max_tokens": "100"}, "invoke"),
        (HAIKU, CLAUDE | {"model": HAIKU}, "invoke"),
        (HAIKU, {name: CLAUDE[name] for name in ("anthropic_version", "messages")}, "invoke"),
        (CANVAS, NOVA, "invoke-with-response-stream"),
    ],
)
def test_text_refused(invoke: Runtime, model: str, body: object, operation: str) -> None:
    assert invoke(model, body, operation=operation)[0] == 400


def test_other_content_types_are_refused(invoke: Runtime) -> None:
    assert invoke(CANVAS, NOVA, **{"content-type": "text/plain"})[0] == 400
    assert invoke(CANVAS, NOVA, accept="image/png")[0] == 400


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("unauthorized", 403, "AccessDeniedException"),
        ("rate_limited", 429, "ThrottlingException"),
        ("server_error", 500, "InternalServerException"),
        ("moderated", 400, "ValidationException"),
    ],
)
def test_refusing_faults(invoke: Runtime, ledger: Ledger, fault: str, status: int, code: str) -> None:
    ledger["bedrock"].set({"fault": fault, "count": 1})
    answer = invoke(CANVAS, NOVA)
    assert (answer[0], answer[1]["x-amzn-ErrorType"]) == (status, code)
    assert ledger["bedrock"].outcomes == {fault: 1}
    assert invoke(CANVAS, NOVA)[0] == 200


def test_stability_filters_inside_a_success(invoke: Runtime, ledger: Ledger) -> None:
    """A client that only looks at the status stores nothing and calls it done."""
    ledger["bedrock"].set({"fault": "moderated"})
    status, _, document = invoke(SD35, {"prompt": "x"})
    assert (status, document) == (200, {"finish_reasons": ["Filter reason: prompt"]})


@pytest.mark.parametrize(("fault", "delivery"), [("timeout", "never"), ("reset", "cut"), ("garbage", None)])
def test_broken_answers(ledger: Ledger, fault: str, delivery: str | None) -> None:
    ledger["bedrock"].set({"fault": fault})
    answer = asyncio.run(Bedrock(ledger).handle(f"/model/{CANVAS}/invoke", {}, b"{}", "us-east-1"))
    assert answer is not None
    assert (answer[0], answer[1].get(MARKER)) == (200, delivery)
    with pytest.raises(ValueError, match=r".+"):
        json.loads(answer[2])


def test_wrong_type(invoke: Runtime, ledger: Ledger) -> None:
    ledger["bedrock"].set({"fault": "wrong_type"})
    assert base64.b64decode(invoke(CANVAS, NOVA)[2]["images"][0]).isascii()
    assert "<html" in invoke(LITE, CHAT, operation="converse")[2]["output"]["message"]["content"][0]["text"]


def test_a_retired_model(invoke: Runtime, ledger: Ledger) -> None:
    ledger["bedrock"].set({"retired": [CANVAS]})
    assert invoke(CANVAS, NOVA)[1]["x-amzn-ErrorType"] == "ResourceNotFoundException"


def test_other_paths_are_left_alone(ledger: Ledger) -> None:
    assert asyncio.run(Bedrock(ledger).handle("/async-invoke", {}, b"", "us-east-1")) is None
    assert ledger["bedrock"].calls == 0


@pytest.mark.parametrize(
    ("identifier", "arn"),
    [
        (CANVAS, f"arn:aws:bedrock:us-east-1::foundation-model/{CANVAS}"),
        (f"us.{SONNET}", f"arn:aws:bedrock:us-east-1:1234:inference-profile/us.{SONNET}"),
        ("arn:aws:bedrock:us-east-1::foundation-model/x", "arn:aws:bedrock:us-east-1::foundation-model/x"),
    ],
)
def test_what_a_policy_must_name(identifier: str, arn: str) -> None:
    assert resource_arn(identifier, "us-east-1", "1234") == arn

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
from verification.embedded.server.providers.lives import LIVES

CORE = "stability.stable-image-core-v1:1"
SD35 = "stability.sd3-5-large-v1:0"
LITE = "amazon.nova-lite-v1:0"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
SONNET = "anthropic.claude-sonnet-4-20250514-v1:0"

FOX: dict[str, Any] = {"prompt": "a fox"}
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


@pytest.mark.parametrize(
    ("model", "body", "kind", "size", "count"),
    [
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
    assert invoke(CORE, FOX | {"seed": 7}) == invoke(CORE, FOX | {"seed": 7})
    assert invoke(CORE, FOX | {"seed": 7}) != invoke(CORE, FOX | {"seed": 8})
    document = invoke(SD35, {"prompt": "x", "seed": 7})[2]
    assert (document["seeds"], document["finish_reasons"]) == ([7], [None])


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
        {"prompt": "x", "cfgScale": 7},
        [],
        b"",
        b"{",
    ],
)
def test_stable_diffusion_refuses(invoke: Runtime, ledger: Ledger, body: object) -> None:
    status, headers, document = invoke(SD35, body)
    assert (status, headers["x-amzn-ErrorType"], list(document)) == (400, "ValidationException", ["message"])
    assert ledger["bedrock"].paid == 0


@pytest.mark.parametrize(
    ("model", "region"),
    [(SD35, "us-east-1"), (CORE, "eu-west-1"), (LITE, "sa-east-1"), ("none.model-v1:0", "us-east-1")],
)
def test_models_that_the_region_lacks(invoke: Runtime, model: str, region: str) -> None:
    """A deployment in us-east-1 that calls Stability there fails on AWS as well."""
    status, headers, document = invoke(model, FOX, region=region)
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
        (CORE, CHAT, "converse"),
        (LITE, {"prompt": "x"}, "invoke"),
        (LITE, CHAT | {"schemaVersion": "v2"}, "invoke"),
        (HAIKU, {"prompt": "x", "max_tokens_to_sample": 9}, "invoke"),
        (HAIKU, CLAUDE | {"anthropic_version": "2023-06-01"}, "invoke"),
        (HAIKU, CLAUDE | {"max_tokens": "100"}, "invoke"),
        (HAIKU, CLAUDE | {"model": HAIKU}, "invoke"),
        (HAIKU, {name: CLAUDE[name] for name in ("anthropic_version", "messages")}, "invoke"),
        (CORE, FOX, "invoke-with-response-stream"),
    ],
)
def test_text_refused(invoke: Runtime, model: str, body: object, operation: str) -> None:
    assert invoke(model, body, operation=operation)[0] == 400


def test_other_content_types_are_refused(invoke: Runtime) -> None:
    assert invoke(CORE, FOX, **{"content-type": "text/plain"})[0] == 400
    assert invoke(CORE, FOX, accept="image/png")[0] == 400


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("unauthorized", 403, "AccessDeniedException"),
        ("rate_limited", 429, "ThrottlingException"),
        ("server_error", 500, "InternalServerException"),
    ],
)
def test_refusing_faults(invoke: Runtime, ledger: Ledger, fault: str, status: int, code: str) -> None:
    ledger["bedrock"].set({"fault": fault, "count": 1})
    answer = invoke(CORE, FOX)
    assert (answer[0], answer[1]["x-amzn-ErrorType"]) == (status, code)
    assert ledger["bedrock"].outcomes == {fault: 1}
    assert invoke(CORE, FOX)[0] == 200


def test_stability_filters_inside_a_success(invoke: Runtime, ledger: Ledger) -> None:
    """A client that only looks at the status stores nothing and calls it done."""
    ledger["bedrock"].set({"fault": "moderated"})
    status, _, document = invoke(SD35, {"prompt": "x"})
    assert (status, document) == (200, {"finish_reasons": ["Filter reason: prompt"]})


@pytest.mark.parametrize(("fault", "delivery"), [("timeout", "never"), ("reset", "cut"), ("garbage", None)])
def test_broken_answers(ledger: Ledger, fault: str, delivery: str | None) -> None:
    ledger["bedrock"].set({"fault": fault})
    answer = asyncio.run(Bedrock(ledger).handle(f"/model/{CORE}/invoke", {}, b"{}", "us-west-2"))
    assert answer is not None
    assert (answer[0], answer[1].get(MARKER)) == (200, delivery)
    with pytest.raises(ValueError, match=r".+"):
        json.loads(answer[2])


def test_wrong_type(invoke: Runtime, ledger: Ledger) -> None:
    ledger["bedrock"].set({"fault": "wrong_type"})
    assert base64.b64decode(invoke(CORE, FOX)[2]["images"][0]).isascii()
    assert "<html" in invoke(LITE, CHAT, operation="converse")[2]["output"]["message"]["content"][0]["text"]


@pytest.mark.parametrize("model", [*LIVES["bedrock"], CORE])
def test_a_model_that_has_ended(invoke: Runtime, ledger: Ledger, model: str) -> None:
    ledger["bedrock"].set({"today": "2026-11-28", "ends": {CORE: "2026-11-28"}})
    status, headers, document = invoke(model, FOX)
    assert (status, headers["x-amzn-ErrorType"]) == (404, "ResourceNotFoundException")
    assert "end of its life" in document["message"]


def describe(ledger: Ledger, model: str, region: str = "us-west-2") -> tuple[int, Any]:
    path = f"/foundation-models/{model.replace(':', '%3A')}"
    answer = asyncio.run(Bedrock(ledger).describe(path, region))
    assert answer is not None
    return answer[0], json.loads(answer[2])


def test_a_legacy_model_is_for_those_who_have_used_it(invoke: Runtime, ledger: Ledger) -> None:
    """Like AWS to an account that is new."""
    ledger["bedrock"].set({"today": "2026-11-28", "ends": {CORE: "2027-03-01"}})
    lifecycle = describe(ledger, CORE)[1]["modelDetails"]["modelLifecycle"]
    assert lifecycle == {"status": "LEGACY", "endOfLifeTime": "2027-03-01T00:00:00Z"}
    status, headers, document = invoke(CORE, FOX)
    assert (status, headers["x-amzn-ErrorType"]) == (404, "ResourceNotFoundException")
    assert "marked by provider as Legacy" in document["message"]


def test_how_long_a_model_lives(ledger: Ledger) -> None:
    assert describe(ledger, SD35)[1]["modelDetails"]["modelLifecycle"] == {"status": "ACTIVE"}
    assert describe(ledger, LITE, "us-east-1")[1]["modelDetails"]["modelLifecycle"]["status"] == "ACTIVE"
    assert describe(ledger, SD35, "us-east-1")[0] == 400
    assert describe(ledger, "none.model-v1:0")[0] == 400
    ledger["bedrock"].set({"ends": {SD35: "2026-01-01"}})
    assert describe(ledger, SD35)[0] == 404
    ledger["bedrock"].set({"fault": "rate_limited"})
    assert describe(ledger, SD35)[0] == 429
    assert asyncio.run(Bedrock(ledger).describe("/guardrails", "us-east-1")) is None


def test_a_third_partys_model_needs_a_subscription(invoke: Runtime, ledger: Ledger) -> None:
    ledger["bedrock"].set({"unsubscribed": [SD35]})
    status, headers, document = invoke(SD35, FOX)
    assert (status, headers["x-amzn-ErrorType"]) == (403, "AccessDeniedException")
    assert "aws-marketplace:Subscribe" in document["message"]
    assert invoke(CORE, FOX)[0] == 200


def test_other_paths_are_left_alone(ledger: Ledger) -> None:
    assert asyncio.run(Bedrock(ledger).handle("/async-invoke", {}, b"", "us-east-1")) is None
    assert ledger["bedrock"].calls == 0


@pytest.mark.parametrize(
    ("identifier", "arn"),
    [
        (CORE, f"arn:aws:bedrock:us-east-1::foundation-model/{CORE}"),
        (f"us.{SONNET}", f"arn:aws:bedrock:us-east-1:1234:inference-profile/us.{SONNET}"),
        ("arn:aws:bedrock:us-east-1::foundation-model/x", "arn:aws:bedrock:us-east-1::foundation-model/x"),
    ],
)
def test_what_a_policy_must_name(identifier: str, arn: str) -> None:
    assert resource_arn(identifier, "us-east-1", "1234") == arn

import base64
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from doubles import FakeBedrock, FakeClock, FakeWire, image, json_answer
from pixel_prompt.adapters import Adapter, Means, adapter_for
from pixel_prompt.adapters.transport import Answer, Caller, Deadline, VendorError
from pixel_prompt.models import DEFAULT_MODELS, Model
from pixel_prompt.validation import Wish

PNG = image()
ENCODED = base64.b64encode(PNG).decode()
WISH = Wish("a fox in snow", 30, 7.0, 42)
MODELS = {model.id: model for model in DEFAULT_MODELS}
KEY = "key-of-the-vendor"


class Bench:
    """One model's adapter with a scripted vendor."""

    def __init__(
        self, model: str | Model, *script: Answer | Exception, bedrock: Any = None, key: str = KEY
    ) -> None:
        self.clock = FakeClock()
        self.wire = FakeWire(list(script) or [json_answer({})])
        self.regions: list[str] = []
        self.adapter: Adapter = adapter_for(
            MODELS[model] if isinstance(model, str) else model,
            Means(Caller(self.wire, self.clock.sleep), lambda vendor: key, self._region(bedrock)),
        )

    def _region(self, bedrock: Any) -> Any:
        def client(region: str) -> Any:
            self.regions.append(region)
            return bedrock

        return client

    def deadline(self, seconds: float = 60) -> Deadline:
        return Deadline.after(seconds, self.clock)

    def generate(self, wish: Wish = WISH) -> bytes:
        return self.adapter.generate(wish, self.deadline())

    def failure(self, wish: Wish = WISH) -> str:
        with pytest.raises(VendorError) as caught:
            self.generate(wish)
        return caught.value.code

    def check(self) -> str | None:
        try:
            self.adapter.check_key(self.deadline())
        except VendorError as error:
            return error.code
        return None


GOOD = {
    "dall-e-3": {"data": [{"b64_json": ENCODED}]},
    "recraft-v3": {"data": [{"b64_json": ENCODED}]},
    "gemini-2.0": {
        "candidates": [{"content": {"parts": [{"text": "Here"}, {"inlineData": {"data": ENCODED}}]}}]
    },
    "imagen-3": {"predictions": [{"bytesBase64Encoded": ENCODED, "mimeType": "image/png"}]},
}


@pytest.mark.parametrize("model", GOOD)
def test_an_image_comes_out_of_the_vendors_json(model: str) -> None:
    bench = Bench(model, json_answer(GOOD[model]))
    assert bench.generate() == PNG
    call = bench.wire.calls[0]
    assert call.method == "POST"
    assert call.url.startswith("https://")
    assert KEY in " ".join(call.headers.values())
    assert KEY not in call.url
    assert "a fox in snow" in str(bench.wire.sent())


@pytest.mark.parametrize("model", GOOD)
@pytest.mark.parametrize(
    "document",
    [{"data": []}, {"data": [{"b64_json": "%%%"}]}, [], "text", {"candidates": [{"content": {}}]}, None],
)
def test_json_without_an_image_is_an_invalid_response(model: str, document: object) -> None:
    expected = {"invalid_response", "moderated"} if model == "imagen-3" else {"invalid_response"}
    assert Bench(model, json_answer(document)).failure() in expected


@pytest.mark.parametrize(
    "model", ["dall-e-3", "recraft-v3", "gemini-2.0", "imagen-3", "flux-pro", "flux-dev"]
)
def test_a_body_that_is_no_json_is_an_invalid_response(model: str) -> None:
    assert Bench(model, Answer(200, b"\x00\x9f{")).failure() == "invalid_response"


@pytest.mark.parametrize("model", [model.id for model in DEFAULT_MODELS if model.vendor != "bedrock"])
@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "unauthorized"), (404, "unavailable"), (429, "rate_limited"), (500, "unavailable")],
)
def test_every_vendors_refusals_are_told_apart(model: str, status: int, code: str) -> None:
    bench = Bench(model, json_answer({}, status))
    assert bench.failure() == code
    assert bench.check() == code


@pytest.mark.parametrize("model", [model.id for model in DEFAULT_MODELS if model.vendor != "bedrock"])
def test_without_a_key_no_call_is_made(model: str) -> None:
    bench = Bench(model, key="")
    assert bench.failure() == "unauthorized"
    assert bench.check() == "unauthorized"
    assert bench.wire.calls == []


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("dall-e-3", "https://api.openai.com/v1/models/dall-e-3"),
        (
            "gemini-2.0",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.0-flash-preview-image-generation",
        ),
        ("imagen-3", "https://generativelanguage.googleapis.com/v1beta/models/imagen-3.0-generate-002"),
        ("flux-pro", "https://api.bfl.ai/v1/credits"),
        ("recraft-v3", "https://external.api.recraft.ai/v1/users/me"),
        ("stability-turbo", "https://api.stability.ai/v1/user/balance"),
    ],
)
def test_keys_are_checked_by_a_call_that_generates_nothing(model: str, url: str) -> None:
    bench = Bench(model, json_answer({"ok": 1}))
    assert bench.check() is None
    assert [(call.method, call.url, call.body) for call in bench.wire.calls] == [("GET", url, None)]
    assert Bench(model, Answer(200, b"<html>")).check() == "invalid_response"


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        ("dall-e-3", json_answer({"error": {"code": "content_policy_violation"}}, 400)),
        ("gemini-2.0", json_answer({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})),
        ("gemini-2.0", json_answer({"candidates": [{"finishReason": "IMAGE_SAFETY"}]})),
        ("imagen-3", json_answer({})),
        ("imagen-3", json_answer({"predictions": [{"raiFilteredReason": "no"}]})),
        ("recraft-v3", json_answer({"code": "prompt_content_policy_violation"}, 400)),
        ("stability-turbo", json_answer({"name": "content_moderation"}, 403)),
        ("stability-turbo", Answer(200, PNG, {"finish-reason": "CONTENT_FILTERED"})),
    ],
)
def test_moderation_is_told_from_other_failures(model: str, answer: Answer) -> None:
    assert Bench(model, answer).failure() == "moderated"


def test_google_says_400_to_a_bad_key() -> None:
    answer = json_answer({"error": {"details": [{"reason": "API_KEY_INVALID"}]}}, 400)
    assert Bench("gemini-2.0", answer).failure() == "unauthorized"
    assert Bench("imagen-3", answer).check() == "unauthorized"


def test_openais_newer_models_are_not_asked_for_a_format() -> None:
    old, new = (
        Bench("dall-e-3", json_answer(GOOD["dall-e-3"])),
        Bench(Model("g", "G", "openai", "gpt-image-1"), json_answer(GOOD["dall-e-3"])),
    )
    old.generate()
    new.generate()
    assert old.wire.sent()["response_format"] == "b64_json"
    assert "response_format" not in new.wire.sent()


def test_parameters_go_to_the_vendors_that_take_them() -> None:
    gemini = Bench("gemini-2.0", json_answer(GOOD["gemini-2.0"]))
    gemini.generate()
    assert gemini.wire.sent()["generationConfig"] == {"responseModalities": ["TEXT", "IMAGE"], "seed": 42}
    recraft = Bench("recraft-v3", json_answer(GOOD["recraft-v3"]))
    recraft.generate()
    assert recraft.wire.sent()["random_seed"] == 42
    assert recraft.wire.sent()["image_format"] == "png"
    unseeded = Bench("recraft-v3", json_answer(GOOD["recraft-v3"]))
    unseeded.generate(Wish("x"))
    assert "random_seed" not in unseeded.wire.sent()


def form_of(bench: Bench) -> dict[str, str]:
    call = bench.wire.calls[0]
    head = f"Content-Type: {call.headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + (call.body or b""))
    return {
        part.get_param("name", header="content-disposition"): part.get_content().strip()
        for part in message.iter_parts()
    }


def test_stability_takes_a_form_and_gives_the_image_itself() -> None:
    bench = Bench("stability-turbo", Answer(200, PNG, {"finish-reason": "SUCCESS"}))
    assert bench.generate() == PNG
    assert form_of(bench) == {
        "prompt": "a fox in snow",
        "model": "sd3.5-large-turbo",
        "mode": "text-to-image",
        "aspect_ratio": "1:1",
        "output_format": "png",
        "seed": "42",
    }
    large = Bench(Model("s", "S", "stability", "sd3.5-large"), Answer(200, PNG))
    large.generate()
    assert form_of(large)["cfg_scale"] == "7"


TASK = json_answer({"id": "t", "polling_url": "https://api.us1.bfl.ai/v1/get_result?id=t"})
PENDING = json_answer({"status": "Pending"})
READY = json_answer(
    {"status": "Ready", "result": {"sample": "https://delivery-us1.bfl.ai/x/sample.png?sig=1"}}
)


def test_flux_is_polled_until_it_is_ready_and_then_fetched_without_the_key() -> None:
    bench = Bench("flux-dev", TASK, PENDING, PENDING, READY, Answer(200, PNG))
    assert bench.generate() == PNG
    methods = [(call.method, call.url.partition("?")[0]) for call in bench.wire.calls]
    assert methods == [
        ("POST", "https://api.bfl.ai/v1/flux-dev"),
        *[("GET", "https://api.us1.bfl.ai/v1/get_result")] * 3,
        ("GET", "https://delivery-us1.bfl.ai/x/sample.png"),
    ]
    assert [KEY in str(call.headers) for call in bench.wire.calls] == [True, True, True, True, False]
    assert bench.clock.slept == [0.5, 0.5, 1.0]
    assert bench.wire.sent() == {
        "prompt": "a fox in snow",
        "width": 1024,
        "height": 1024,
        "output_format": "png",
        "steps": 30,
        "guidance": 5.0,
        "seed": 42,
    }


def test_flux_pro_chooses_its_own_parameters() -> None:
    bench = Bench("flux-pro", TASK, READY, Answer(200, PNG))
    bench.generate(Wish("x"))
    assert set(bench.wire.sent()) == {"prompt", "width", "height", "output_format"}


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"status": "Request Moderated"}, "moderated"),
        ({"status": "Content Moderated"}, "moderated"),
        ({"status": "Error"}, "unavailable"),
        ({"status": "Task not found"}, "unavailable"),
        ({}, "invalid_response"),
        ([], "invalid_response"),
        ({"status": "Ready"}, "invalid_response"),
        ({"status": "Ready", "result": {"sample": "http://delivery.bfl.ai/x"}}, "invalid_response"),
    ],
)
def test_flux_can_end_in_other_ways(state: object, code: str) -> None:
    assert Bench("flux-pro", TASK, json_answer(state)).failure() == code


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://api.bfl.ai/x",
        "https://bfl.ai.evil.example/",
        "https://evilbfl.ai/",
        "https://[x",
        7,
        None,
    ],
)
def test_the_key_goes_to_no_other_host(url: object) -> None:
    bench = Bench("flux-pro", json_answer({"id": "t", "polling_url": url}))
    assert bench.failure() == "invalid_response"
    assert len(bench.wire.calls) == 1


def test_flux_that_never_gets_ready_times_out() -> None:
    bench = Bench("flux-pro", TASK, PENDING)
    assert bench.failure() == "timeout"
    assert bench.clock.at < 60


def aws_error(code: str, message: str = "", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "InvokeModel",
    )


def test_nova_canvas_speaks_bedrock() -> None:
    bedrock = FakeBedrock({"images": [ENCODED]})
    bench = Bench("nova-canvas", bedrock=bedrock)
    assert bench.generate(Wish("x", 30, 7.0, 2**31 - 1)) == PNG
    assert bench.regions == ["us-east-1"]
    assert bedrock.calls[0]["modelId"] == "amazon.nova-canvas-v1:0"
    config = bedrock.sent()["imageGenerationConfig"]
    assert config["cfgScale"] == 7.0
    assert 0 <= config["seed"] < 858_993_460


def test_stable_diffusion_lives_in_another_region() -> None:
    bedrock = FakeBedrock({"images": [ENCODED], "finish_reasons": [None], "seeds": [1]})
    bench = Bench("sd-3.5-large", bedrock=bedrock)
    assert bench.generate() == PNG
    assert bench.regions == ["us-west-2"]
    assert bedrock.sent()["seed"] == 42
    unseeded = FakeBedrock({"images": [ENCODED]})
    Bench("sd-3.5-large", bedrock=unseeded).generate(Wish("x"))
    assert "seed" not in unseeded.sent()
    random = FakeBedrock({"images": [ENCODED]})
    Bench("nova-canvas", bedrock=random).generate(Wish("x"))
    assert "seed" in random.sent()["imageGenerationConfig"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"finish_reasons": ["Filter reason: prompt"]}, "moderated"),
        ({"images": [], "error": "blocked"}, "moderated"),
        ({"images": []}, "invalid_response"),
        (b"\x00garbage", "invalid_response"),
        (aws_error("AccessDeniedException", status=403), "unauthorized"),
        (aws_error("ThrottlingException", status=429), "rate_limited"),
        (aws_error("ModelTimeoutException", status=408), "timeout"),
        (aws_error("InternalServerException", status=500), "unavailable"),
        (aws_error("ResourceNotFoundException", status=404), "unavailable"),
        (aws_error("ValidationException", "The provided model identifier is invalid."), "unavailable"),
        (aws_error("ValidationException", "blocked by our content filters"), "moderated"),
        (aws_error("ValidationException", "Malformed input request"), "rejected"),
        (ReadTimeoutError(endpoint_url="x"), "timeout"),
        (EndpointConnectionError(endpoint_url="x"), "unavailable"),
    ],
)
def test_bedrocks_failures_are_told_apart(answer: object, code: str) -> None:
    assert Bench("nova-canvas", bedrock=FakeBedrock(answer)).failure() == code


def test_bedrock_access_is_checked_by_a_request_that_it_refuses_only_after_checking() -> None:
    malformed = aws_error(
        "ValidationException", "Malformed input request: #: required key [taskType] not found"
    )
    assert Bench("nova-canvas", bedrock=FakeBedrock(malformed)).check() is None
    for error, code in (
        (aws_error("AccessDeniedException"), "unauthorized"),
        (aws_error("ValidationException", "The provided model identifier is invalid."), "unavailable"),
    ):
        assert Bench("sd-3.5-large", bedrock=FakeBedrock(error)).check() == code


def test_bedrock_is_not_called_after_the_deadline() -> None:
    bench = Bench("nova-canvas", bedrock=FakeBedrock({}))
    for call in (
        lambda: bench.adapter.generate(WISH, bench.deadline(0)),
        lambda: bench.adapter.check_key(bench.deadline(0)),
    ):
        with pytest.raises(VendorError) as caught:
            call()
        assert caught.value.code == "timeout"
    assert bench.regions == []

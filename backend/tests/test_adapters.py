import base64
from datetime import UTC, date, datetime
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from doubles import FakeBedrock, FakeCatalogue, FakeClock, FakeWire, image, json_answer
from pixel_prompt.adapters import Adapter, Means, adapter_for
from pixel_prompt.adapters.transport import READ_SECONDS, Answer, Caller, Deadline, VendorError
from pixel_prompt.models import DEFAULT_MODELS, Life, Model
from pixel_prompt.validation import Wish

PNG = image()
ENCODED = base64.b64encode(PNG).decode()
WISH = Wish("a fox in snow", 30, 7.0, 42)
MODELS = {model.id: model for model in DEFAULT_MODELS}
KEY = "key-of-the-vendor"


class Bench:
    """One model's adapter with a scripted vendor."""

    def __init__(
        self,
        model: str | Model,
        *script: Answer | Exception,
        bedrock: Any = None,
        catalogue: Any = None,
        key: str = KEY,
    ) -> None:
        self.clock = FakeClock()
        self.wire = FakeWire(list(script) or [json_answer({})])
        self.regions: list[str] = []
        self.adapter: Adapter = adapter_for(
            MODELS[model] if isinstance(model, str) else model,
            Means(
                Caller(self.wire, self.clock.sleep),
                lambda vendor: key,
                self._region(bedrock),
                self._region(catalogue),
            ),
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

    def cause(self) -> str | None:
        with pytest.raises(VendorError) as caught:
            self.generate()
        return caught.value.cause

    def life(self) -> Life | str | None:
        try:
            return self.adapter.life(self.deadline())
        except VendorError as error:
            return error.code

    def check(self) -> str | None:
        try:
            self.adapter.check_key(self.deadline())
        except VendorError as error:
            return error.code
        return None


GOOD = {
    "gpt-image-2": {"data": [{"b64_json": ENCODED}]},
    "recraft-v4.1": {"data": [{"b64_json": ENCODED}]},
    "nano-banana-2.1": {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"inlineData": {"data": "ZHJhZnQ="}, "thought": True},
                        {"text": "Here"},
                        {"inlineData": {"data": ENCODED}},
                    ]
                }
            }
        ]
    },
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
    assert Bench(model, json_answer(document)).failure() == "invalid_response"


@pytest.mark.parametrize(
    "model", ["gpt-image-2", "recraft-v4.1", "nano-banana-2.1", "nano-banana-2-lite", "flux-2-pro"]
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
        ("gpt-image-2", "https://api.openai.com/v1/models/gpt-image-2"),
        (
            "nano-banana-2.1",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-nano-banana-2.1",
        ),
        ("flux-2-pro", "https://api.bfl.ai/v1/credits"),
        ("recraft-v4.1", "https://external.api.recraft.ai/v1/users/me"),
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
        ("gpt-image-2", json_answer({"error": {"code": "moderation_blocked"}}, 400)),
        ("nano-banana-2.1", json_answer({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})),
        ("nano-banana-2.1", json_answer({"candidates": [{"finishReason": "IMAGE_SAFETY"}]})),
        ("recraft-v4.1", json_answer({"code": "prompt_content_policy_violation"}, 400)),
        ("stability-turbo", json_answer({"name": "content_moderation"}, 403)),
        ("stability-turbo", Answer(200, PNG, {"finish-reason": "CONTENT_FILTERED"})),
    ],
)
def test_moderation_is_told_from_other_failures(model: str, answer: Answer) -> None:
    assert Bench(model, answer).failure() == "moderated"


def test_google_says_400_to_a_bad_key() -> None:
    answer = json_answer({"error": {"details": [{"reason": "API_KEY_INVALID"}]}}, 400)
    assert Bench("nano-banana-2.1", answer).failure() == "unauthorized"
    assert Bench("nano-banana-2.1", answer).check() == "unauthorized"


def test_parameters_go_to_the_vendors_that_take_them() -> None:
    openai = Bench("gpt-image-2", json_answer(GOOD["gpt-image-2"]))
    openai.generate()
    assert openai.wire.sent() == {
        "model": "gpt-image-2",
        "prompt": "a fox in snow",
        "n": 1,
        "size": "1024x1024",
        "quality": "low",
        "output_format": "png",
    }
    gemini = Bench("nano-banana-2.1", json_answer(GOOD["nano-banana-2.1"]))
    gemini.generate()
    assert gemini.wire.calls[0].url.endswith("/gemini-nano-banana-2.1:generateContent")
    assert gemini.wire.sent()["generationConfig"] == {
        "responseModalities": ["IMAGE"],
        "imageConfig": {"aspectRatio": "1:1", "imageSize": "1K"},
    }
    recraft = Bench("recraft-v4.1", json_answer(GOOD["recraft-v4.1"]))
    recraft.generate()
    assert recraft.wire.sent()["random_seed"] == 42
    assert recraft.wire.sent()["image_format"] == "png"
    unseeded = Bench("recraft-v4.1", json_answer(GOOD["recraft-v4.1"]))
    unseeded.generate(Wish("x"))
    assert "random_seed" not in unseeded.wire.sent()


@pytest.mark.parametrize("model", [model.id for model in DEFAULT_MODELS if model.vendor != "bedrock"])
def test_every_vendor_has_the_time_that_it_needs(model: str) -> None:
    bench = Bench(model, json_answer({}, 401))
    bench.failure()
    assert bench.wire.calls[0].timeout == READ_SECONDS[MODELS[model].vendor]


@pytest.mark.parametrize(
    ("model", "answer", "cause"),
    [
        (
            "gpt-image-2",
            json_answer({"error": {"message": "The model 'gpt-image-2' does not exist."}}, 400),
            "not_served",
        ),
        ("gpt-image-2", json_answer({"error": {"code": "model_not_found"}}, 404), "not_served"),
        (
            "gpt-image-2",
            json_answer({"error": {"message": "Your organization must be verified to use it."}}, 403),
            "not_verified",
        ),
        (
            "nano-banana-2.1",
            json_answer({"error": {"message": "models/x is not found for API version v1beta"}}, 404),
            "not_served",
        ),
        ("nano-banana-2.1", Answer(404, b"<html>"), None),
    ],
)
def test_an_ended_model_reads_as_what_it_is(model: str, answer: Answer, cause: str | None) -> None:
    bench = Bench(model, answer)
    assert (bench.failure(), bench.cause()) == ("unavailable", cause)
    assert bench.check() == "unavailable"


@pytest.mark.parametrize(
    ("model", "answer", "life"),
    [
        ("gpt-image-2", json_answer({"shutdown_date": None}), Life()),
        ("gpt-image-2", json_answer({"shutdown_date": "2027-01-31"}), Life(date(2027, 1, 31))),
        ("gpt-image-2", json_answer({"id": "gpt-image-2"}), None),
        ("gpt-image-2", json_answer([]), None),
        ("gpt-image-2", json_answer({"shutdown_date": "soon"}), "invalid_response"),
        ("gpt-image-2", json_answer({"shutdown_date": 7}), "invalid_response"),
        ("gpt-image-2", json_answer({"error": {"code": "model_not_found"}}, 404), Life(served=False)),
        ("gpt-image-2", json_answer({}, 401), "unauthorized"),
        ("nano-banana-2.1", json_answer({"name": "models/x"}), None),
        ("nano-banana-2.1", json_answer({"error": "Model is not found: models/x"}, 404), Life(served=False)),
        ("nano-banana-2.1", json_answer({}, 503), "unavailable"),
        *((id_, json_answer({}), None) for id_ in ("flux-2-pro", "recraft-v4.1", "stability-turbo")),
    ],
)
def test_vendors_that_know_a_models_end_are_asked(model: str, answer: Answer, life: object) -> None:
    assert Bench(model, answer).life() == life


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
THINKING = json_answer({"status": "Generating"})
READY = json_answer(
    {"status": "Ready", "result": {"sample": "https://delivery-us1.bfl.ai/x/sample.png?sig=1"}}
)


def test_flux_is_polled_until_it_is_ready_and_then_fetched_without_the_key() -> None:
    bench = Bench("flux-2-pro", TASK, PENDING, THINKING, READY, Answer(200, PNG))
    assert bench.generate() == PNG
    methods = [(call.method, call.url.partition("?")[0]) for call in bench.wire.calls]
    assert methods == [
        ("POST", "https://api.bfl.ai/v1/flux-2-pro"),
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
        "seed": 42,
    }


def test_only_flux_flex_takes_steps_and_guidance() -> None:
    flex = Model("own", "Own", "bfl", "flux-2-flex")
    for model, more in (("flux-2-klein", set()), (flex, {"steps", "guidance"})):
        bench = Bench(model, TASK, READY, Answer(200, PNG))
        bench.generate(Wish("x"))
        assert set(bench.wire.sent()) == {"prompt", "width", "height", "output_format"} | more


def test_a_failed_task_may_come_as_a_refusal() -> None:
    assert (
        Bench("flux-2-pro", TASK, json_answer({"status": "Content Moderated"}, 422)).failure() == "moderated"
    )


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
    assert Bench("flux-2-pro", TASK, json_answer(state)).failure() == code


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
    bench = Bench("flux-2-pro", json_answer({"id": "t", "polling_url": url}))
    assert bench.failure() == "invalid_response"
    assert len(bench.wire.calls) == 1


def test_flux_that_never_gets_ready_times_out() -> None:
    bench = Bench("flux-2-pro", TASK, PENDING)
    assert bench.failure() == "timeout"
    assert bench.clock.at < 60


def aws_error(code: str, message: str = "", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "InvokeModel",
    )


def test_stabilitys_models_speak_bedrock() -> None:
    for model, more in (("sd-3.5-large", {"mode": "text-to-image"}), ("stable-image-core", {})):
        bedrock = FakeBedrock({"images": [ENCODED], "finish_reasons": [None], "seeds": [1]})
        bench = Bench(model, bedrock=bedrock)
        assert bench.generate() == PNG
        assert bench.regions == ["us-west-2"]
        assert bedrock.calls[0]["modelId"] == MODELS[model].vendor_model
        assert bedrock.sent() == {
            "prompt": "a fox in snow",
            "aspect_ratio": "1:1",
            "output_format": "png",
            "seed": 42,
            **more,
        }
    unseeded = FakeBedrock({"images": [ENCODED]})
    Bench("sd-3.5-large", bedrock=unseeded).generate(Wish("x"))
    assert "seed" not in unseeded.sent()


LEGACY = "Access denied. This Model is marked by provider as Legacy and you have not been actively using it."
GONE = "This model version has reached the end of its life."
UNSUBSCRIBED = (
    "Model access is denied due to IAM user or service role is not authorized to perform the required AWS "
    "Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe)"
)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"finish_reasons": ["Filter reason: prompt"]}, "moderated"),
        ({"finish_reasons": ["Inference error"]}, "unavailable"),
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
    assert Bench("stable-image-core", bedrock=FakeBedrock(answer)).failure() == code


@pytest.mark.parametrize(
    ("error", "code", "cause"),
    [
        (aws_error("ResourceNotFoundException", GONE, 404), "unavailable", "not_served"),
        (aws_error("ResourceNotFoundException", LEGACY, 404), "unavailable", "legacy"),
        (
            aws_error("ValidationException", "The provided model identifier is invalid."),
            "unavailable",
            "not_served",
        ),
        (aws_error("AccessDeniedException", UNSUBSCRIBED, 403), "unauthorized", "not_subscribed"),
        (aws_error("AccessDeniedException", "no identity-based policy", 403), "unauthorized", None),
    ],
)
def test_bedrock_says_why_a_model_cannot_be_called(error: ClientError, code: str, cause: str | None) -> None:
    bench = Bench("stable-image-core", bedrock=FakeBedrock(error))
    assert (bench.failure(), bench.cause()) == (code, cause)


END = datetime(2027, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lifecycle", "invoked", "life"),
    [
        ({"status": "ACTIVE"}, None, Life()),
        ({"status": "ACTIVE", "endOfLifeTime": END}, None, Life(END.date())),
        (
            {"status": "LEGACY", "endOfLifeTime": END},
            aws_error("ValidationException", "Malformed input request"),
            Life(END.date(), legacy=True),
        ),
        (
            {"status": "LEGACY", "endOfLifeTime": END},
            aws_error("ResourceNotFoundException", LEGACY, 404),
            Life(END.date(), served=False, legacy=True),
        ),
        (
            {"status": "LEGACY", "endOfLifeTime": END},
            aws_error("ThrottlingException", status=429),
            Life(END.date(), served=None, legacy=True),
        ),
        ({}, None, "invalid_response"),
        ({"status": "ACTIVE", "endOfLifeTime": "soon"}, None, "invalid_response"),
        (
            ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetFoundationModel"),
            None,
            Life(served=False),
        ),
        (aws_error("AccessDeniedException", "no identity-based policy", 403), None, "unauthorized"),
    ],
)
def test_bedrock_is_asked_how_long_a_model_lives(lifecycle: Any, invoked: object, life: object) -> None:
    catalogue = FakeCatalogue(lifecycle)
    bench = Bench("sd-3.5-large", bedrock=FakeBedrock(invoked), catalogue=catalogue)
    assert bench.life() == life
    assert catalogue.asked == ["stability.sd3-5-large-v1:0"]


def test_a_profile_is_looked_up_by_its_model_and_an_arn_not_at_all() -> None:
    catalogue = FakeCatalogue({"status": "ACTIVE"})
    profile = Model("own", "Own", "bedrock", "us.stability.own-v1:0", "us-west-2")
    assert Bench(profile, catalogue=catalogue).life() == Life()
    assert catalogue.asked == ["stability.own-v1:0"]
    arn = Model("own", "Own", "bedrock", "arn:aws:bedrock:us-west-2:1:inference-profile/x", "us-west-2")
    assert Bench(arn).life() is None


def test_bedrock_access_is_checked_by_a_request_that_it_refuses_only_after_checking() -> None:
    malformed = aws_error(
        "ValidationException", "Malformed input request: #: required key [prompt] not found"
    )
    assert Bench("stable-image-core", bedrock=FakeBedrock(malformed)).check() is None
    for error, code in (
        (aws_error("AccessDeniedException"), "unauthorized"),
        (aws_error("ValidationException", "The provided model identifier is invalid."), "unavailable"),
    ):
        assert Bench("sd-3.5-large", bedrock=FakeBedrock(error)).check() == code


def test_bedrock_is_not_called_after_the_deadline() -> None:
    bench = Bench("stable-image-core", bedrock=FakeBedrock({}))
    for call in (
        lambda: bench.adapter.generate(WISH, bench.deadline(0)),
        lambda: bench.adapter.check_key(bench.deadline(0)),
        lambda: bench.adapter.life(bench.deadline(0)),
    ):
        with pytest.raises(VendorError) as caught:
            call()
        assert caught.value.code == "timeout"
    assert bench.regions == []

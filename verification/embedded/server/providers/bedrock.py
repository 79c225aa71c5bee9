"""Amazon Bedrock's runtime: image models through InvokeModel, text models through InvokeModel and Converse.

Images: Stable Diffusion 3.5 Large, Stable Image Core and Ultra. Texts: Amazon Nova Micro and Lite, Anthropic's
Claude. Any other model is refused with the error that AWS gives to an unknown model identifier: MiniStack
alone would answer any name. GetFoundationModel says how long a model lives. The account is one
that has used no model before, so it cannot begin with one that is Legacy.

MiniStack checks the caller's signature and ``bedrock:InvokeModel`` (Converse needs the same action on
AWS, see the module ``seam``) before any of this runs. A model answers only in the Regions that have it:
the Stability models live in us-west-2, so a client in us-east-1 needs a second endpoint, as on AWS.

The Stability models honour ``output_format`` (PNG when it is left out).

Sources:
    Nova text requests, https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html
    SD 3.5 Large, https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-3-5-large.html
    Stable Image Ultra,
        https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-stable-ultra-text-image-request-response.html
    Stable Image Core,
        https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-stable-image-core-text-image-request-response.html
    Claude messages, https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
    InvokeModel and its errors, https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
    Converse, https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
    GetFoundationModel, https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetFoundationModel.html
    Lives of models, https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html
    Subscriptions, https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html ,
        https://repost.aws/knowledge-center/bedrock-resolve-marketplace-permission
    Models and Regions, https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html
    Inference profiles, https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
"""

import asyncio
import base64
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, cast
from urllib.parse import unquote

from . import pictures
from .ledger import GENERATION_FAULTS, REQUEST_FAULTS, Account, Fault, Ledger, digest
from .lives import LEGACY
from .vendor import SLOWNESS_SECONDS, is_integer, is_number, parse_object, wrong_body

MARKER = "x-embedded-delivery"
"""Response header by which an answer asks the ASGI layer to cut it or to keep silent."""

Response = tuple[int, dict[str, str], bytes]
Operation = Literal["invoke", "converse", "invoke-with-response-stream", "converse-stream"]

PATH = re.compile(
    r"/model/(?P<model>.+)/(?P<operation>invoke-with-response-stream|converse-stream|invoke|converse)"
)
DESCRIPTION = re.compile(r"/foundation-models/(?P<model>.+)")
_PROFILE = re.compile(r"(?:us|eu|apac|au|jp|us-gov|global)\.(?P<model>(?:amazon|anthropic)\..+)")
_CLAUDE = re.compile(r"anthropic\.claude-[a-z0-9.-]+(?:-v\d+(?::\d+)?)?")
_ON_DEMAND_CLAUDE = re.compile(
    r"anthropic\.claude-(?:instant|v2|3-(?:haiku|sonnet|opus)|3-5-sonnet-20240620)\b"
)

_STABILITY_REGIONS = ("us-west-2",)
_NOVA_TEXT_REGIONS = (
    "us-east-1",
    "us-gov-west-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "eu-west-2",
    "eu-north-1",
)

IMAGE_MODELS: dict[str, tuple[str, ...]] = {
    "stability.sd3-5-large-v1:0": _STABILITY_REGIONS,
    "stability.stable-image-core-v1:1": _STABILITY_REGIONS,
    "stability.stable-image-ultra-v1:1": _STABILITY_REGIONS,
}
NOVA_TEXT_MODELS = ("amazon.nova-micro-v1:0", "amazon.nova-lite-v1:0")

STABILITY_SIZES: dict[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "9:16": (768, 1344),
    "3:2": (1216, 832),
    "2:3": (832, 1216),
    "5:4": (1152, 896),
    "4:5": (896, 1152),
    "21:9": (1536, 640),
    "9:21": (640, 1536),
}
_STABILITY_LARGEST_SEED = 4_294_967_294


class ServiceError(Exception):
    """One of Bedrock's modelled errors."""

    def __init__(self, code: str, status: int, message: str, outcome: str = "refused") -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.outcome = outcome

    @property
    def response(self) -> Response:
        """The error in the wire form of rest-json."""
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": self.code}
        return self.status, headers, json.dumps({"message": str(self)}).encode()


def _invalid(message: str) -> NoReturn:
    raise ServiceError("ValidationException", 400, message)


def _malformed(*problems: str) -> NoReturn:
    _invalid(f"Malformed input request: {', '.join(problems)}, please reformat your input and try again.")


_FAULTS: dict[Fault, tuple[str, int, str]] = {
    Fault.UNAUTHORIZED: (
        "AccessDeniedException",
        403,
        "You don't have access to the model with the specified model ID.",
    ),
    Fault.RATE_LIMITED: (
        "ThrottlingException",
        429,
        "Too many requests, please wait before trying again.",
    ),
    Fault.SERVER_ERROR: (
        "InternalServerException",
        500,
        "The system encountered an unexpected error during processing.",
    ),
}


@dataclass(frozen=True, slots=True)
class Job:
    """One model call that was agreed to.

    Attributes:
        model: the base model, without the prefix of an inference profile.
        fault: ``wrong_type``, ``slow`` or None.
    """

    model: str
    prompt: str
    fault: Fault | None


class Bedrock:
    """The models behind ``/model/{id}/...``."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @property
    def account(self) -> Account:
        """Bedrock's memory."""
        return self._ledger["bedrock"]

    async def handle(self, path: str, headers: dict[str, str], body: bytes, region: str) -> Response | None:
        """Answer a call, or None when the path is not one of a model."""
        match = PATH.fullmatch(path)
        if match is None:
            return None
        operation = cast(Operation, match["operation"])
        model = unquote(match["model"])
        self.account.calls += 1
        self.account.paths[f"POST /model/{{model}}/{operation}"] += 1
        outcome = "ok"
        try:
            outcome, response = await self._serve(operation, model, headers, body, region)
        except ServiceError as error:
            outcome, response = error.outcome, error.response
        self.account.outcomes[outcome] += 1
        return response

    async def _serve(
        self,
        operation: Operation,
        model: str,
        headers: dict[str, str],
        body: bytes,
        region: str,
    ) -> tuple[str, Response]:
        if (fault := await self._trouble()) is not None:
            return fault, _broken(fault)
        base = _base_model(model, region, self.account)
        if operation.endswith("stream"):
            _invalid("Streaming is not served here." if base not in IMAGE_MODELS else _no_stream(base))
        request = _json_body(headers, body)
        if operation == "converse":
            return await self._converse(base, request)
        if base in IMAGE_MODELS:
            return await self._stability(base, request)
        if base.startswith("amazon."):
            return await self._nova_text(base, request)
        return await self._claude(base, request)

    async def describe(self, path: str, region: str) -> Response | None:
        """Answer GetFoundationModel, or None when the path is not its own."""
        match = DESCRIPTION.fullmatch(path)
        if match is None:
            return None
        model = unquote(match["model"])
        self.account.calls += 1
        self.account.paths["GET /foundation-models/{model}"] += 1
        try:
            outcome, response = await self._describe(model, region)
        except ServiceError as error:
            outcome, response = error.outcome, error.response
        self.account.outcomes[outcome] += 1
        return response

    async def _describe(self, model: str, region: str) -> tuple[str, Response]:
        if (fault := await self._trouble()) is not None:
            return fault, _broken(fault)
        if model not in (*IMAGE_MODELS, *NOVA_TEXT_MODELS) or region not in _regions(model, region):
            _invalid("The provided model identifier is invalid.")
        if self.account.ended(model):
            raise ServiceError("ResourceNotFoundException", 404, "Could not resolve the foundation model.")
        lifecycle = {"status": "LEGACY" if _legacy(self.account, model) else "ACTIVE"}
        if end := self.account.end(model):
            lifecycle["endOfLifeTime"] = f"{end.isoformat()}T00:00:00Z"
        details = {
            "modelArn": resource_arn(model, region, ""),
            "modelId": model,
            "modelName": model.partition(".")[2],
            "providerName": "Amazon" if model.startswith("amazon.") else "Stability AI",
            "inferenceTypesSupported": ["ON_DEMAND"],
            "modelLifecycle": lifecycle,
        }
        return "ok", _success({"modelDetails": details})

    async def _trouble(self) -> Fault | None:
        """Take the time that an answer takes, and the fault that breaks it.

        Raises:
            ServiceError: the fault is a refusal.
        """
        await asyncio.sleep(self.account.latency_ms / 1000)
        fault = self.account.take({Fault.UNAUTHORIZED} | REQUEST_FAULTS)
        if fault in _FAULTS:
            code, status, message = _FAULTS[fault]
            raise ServiceError(code, status, message, fault)
        return fault

    async def _begin(self, model: str, prompt: str) -> Job:
        self.account.prompts.append(digest(prompt))
        fault = self.account.take(GENERATION_FAULTS)
        if fault is Fault.SLOW:
            await asyncio.sleep(SLOWNESS_SECONDS)
        return Job(model, prompt, fault)

    def _image(self, job: Job, kind: pictures.Format, width: int, height: int, *traits: object) -> str:
        self.account.paid += 1
        if job.fault is Fault.WRONG_TYPE:
            return base64.b64encode(wrong_body(job.prompt)).decode()
        image = pictures.draw(kind, width, height, job.model, job.prompt, *traits)
        return base64.b64encode(image).decode()

    async def _stability(self, model: str, request: dict[str, Any]) -> tuple[str, Response]:
        prompt, ratio, seed, kind = _stability_request(request)
        job = await self._begin(model, prompt)
        if job.fault is Fault.MODERATED:
            return Fault.MODERATED, _success({"finish_reasons": ["Filter reason: prompt"]})
        seed = seed or secrets.randbelow(_STABILITY_LARGEST_SEED) + 1
        width, height = STABILITY_SIZES[ratio]
        image = self._image(job, kind, width, height, seed)
        return _done(job), _success({"seeds": [seed], "finish_reasons": [None], "images": [image]})

    async def _nova_text(self, model: str, request: dict[str, Any]) -> tuple[str, Response]:
        _only(
            request,
            (
                "schemaVersion",
                "messages",
                "system",
                "inferenceConfig",
                "toolConfig",
                "additionalModelRequestFields",
            ),
        )
        if request.get("schemaVersion", "messages-v1") != "messages-v1":
            _malformed("#/schemaVersion: messages-v1 is the only allowed value")
        prompt = _messages(request)
        _inference(
            request.get("inferenceConfig"),
            "#/inferenceConfig",
            ("maxTokens", "max_new_tokens"),
        )
        job = await self._begin(model, prompt)
        text, usage = self._text(job)
        document = {
            "output": {"message": {"content": [{"text": text}], "role": "assistant"}},
            "stopReason": "content_filtered" if job.fault is Fault.MODERATED else "end_turn",
            "usage": usage,
        }
        return _done(job), _success(document, usage)

    async def _claude(self, model: str, request: dict[str, Any]) -> tuple[str, Response]:
        _only(request, _CLAUDE_FIELDS)
        _require(request, ("anthropic_version", "max_tokens", "messages"))
        if request["anthropic_version"] != "bedrock-2023-05-31":
            _malformed("#/anthropic_version: bedrock-2023-05-31 is the only allowed value")
        if not is_integer(request["max_tokens"]) or request["max_tokens"] < 1:
            _malformed("#/max_tokens: a positive integer is expected")
        _fraction(request, "temperature", "#")
        _fraction(request, "top_p", "#")
        prompt = _messages(request)
        job = await self._begin(model, prompt)
        text, usage = self._text(job)
        document = {
            "id": f"msg_bdrk_{secrets.token_hex(12)}",
            "type": "message",
            "role": "assistant",
            "model": model.removeprefix("anthropic."),
            "content": [{"type": "text", "text": text}],
            "stop_reason": "refusal" if job.fault is Fault.MODERATED else "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": usage["inputTokens"],
                "output_tokens": usage["outputTokens"],
            },
        }
        return _done(job), _success(document, usage)

    async def _converse(self, model: str, request: dict[str, Any]) -> tuple[str, Response]:
        if model in IMAGE_MODELS:
            _invalid(
                "This action doesn't support the model that you provided. Try again with a supported model."
            )
        prompt = _messages(request)
        _inference(request.get("inferenceConfig"), "inferenceConfig", ("maxTokens",))
        job = await self._begin(model, prompt)
        text, usage = self._text(job)
        document = {
            "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
            "stopReason": "content_filtered" if job.fault is Fault.MODERATED else "end_turn",
            "usage": usage,
            "metrics": {"latencyMs": max(1, round(self.account.latency_ms))},
        }
        return _done(job), _success(document, usage)

    def _text(self, job: Job) -> tuple[str, dict[str, int]]:
        """The reply and its token counts. Under ``wrong_type`` the reply is a page of HTML."""
        self.account.paid += 1
        if job.fault is Fault.WRONG_TYPE:
            text = wrong_body("0").decode() + "<script></script>"
        elif job.fault is Fault.MODERATED:
            text = "I can't help with that request."
        else:
            text = enhance(job.prompt)
        tokens = max(1, len(job.prompt) // 4), max(1, len(text) // 4)
        return text, {
            "inputTokens": tokens[0],
            "outputTokens": tokens[1],
            "totalTokens": sum(tokens),
        }


_DETAILS = (
    "soft morning light, fine texture, shallow depth of field",
    "dramatic side light, rich colour, wide-angle composition",
    "muted palette, gentle mist, cinematic framing",
    "golden hour, long shadows, intricate detail",
)


def enhance(prompt: str) -> str:
    """What a text model makes of a prompt: its last line, with details that depend on it."""
    lines = [line.strip() for line in prompt.splitlines() if line.strip()]
    return f"{(lines or ['An image'])[-1][:900]}, {_DETAILS[int(digest(prompt)[:2], 16) % len(_DETAILS)]}"


def _base_model(identifier: str, region: str, account: Account) -> str:
    """The model behind an identifier, an ARN or an inference profile.

    Raises:
        ServiceError: there is no such model in the Region, or it cannot be called on demand.
    """
    name = identifier.rpartition("/")[2] if identifier.startswith("arn:") else identifier
    profile = _PROFILE.fullmatch(name)
    base = profile["model"] if profile else name
    if account.ended(base):
        raise ServiceError(
            "ResourceNotFoundException",
            404,
            "This model version has reached the end of its life. Please refer to the AWS documentation for more "
            "details.",
        )
    known = base in IMAGE_MODELS or base in NOVA_TEXT_MODELS or _CLAUDE.fullmatch(base)
    if (
        not known
        or (profile and base in IMAGE_MODELS)
        or (not profile and region not in _regions(base, region))
    ):
        _invalid("The provided model identifier is invalid.")
    if _legacy(account, base):
        raise ServiceError(
            "ResourceNotFoundException",
            404,
            "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model "
            "in the last 30 days. Please upgrade to an active model on Amazon Bedrock",
        )
    if base in account.unsubscribed:
        raise ServiceError(
            "AccessDeniedException",
            403,
            "Model access is denied due to IAM user or service role is not authorized to perform the required AWS "
            "Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access to "
            "this model. Refer to the Amazon Bedrock documentation for further details. Your AWS Marketplace "
            "subscription for this model cannot be completed at this time. If you recently fixed this issue, try again "
            "after 2 minutes.",
        )
    if not profile and base.startswith("anthropic.") and not _ON_DEMAND_CLAUDE.match(base):
        _invalid(
            f"Invocation of model ID {base} with on-demand throughput isn't supported. "
            "Retry your request with the ID or ARN of an inference profile that contains this model."
        )
    return base


def _legacy(account: Account, model: str) -> bool:
    end = account.end(model)
    return end is not None and account.day >= end - LEGACY


def _regions(base: str, region: str) -> Iterable[str]:
    if base in IMAGE_MODELS:
        return IMAGE_MODELS[base]
    return _NOVA_TEXT_REGIONS if base in NOVA_TEXT_MODELS else (region,)


def _no_stream(model: str) -> str:
    return f"The model {model} is unsupported for streaming."


def _json_body(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        _invalid(f"The content type {kind} is not supported; use application/json.")
    accepted = headers.get("accept", "*/*").partition(";")[0].strip().lower()
    if accepted not in ("application/json", "*/*", "application/*", ""):
        _invalid(f"The accept type {accepted} is not supported; use application/json.")
    request = parse_object(body)
    if request is None:
        _malformed("#: the body is not a JSON object")
    return request


def _only(request: dict[str, Any], known: Iterable[str], where: str = "#") -> None:
    extra = [key for key in request if key not in known]
    if extra:
        _malformed(*(f"{where}: extraneous key [{key}] is not permitted" for key in extra))


def _require(request: dict[str, Any], names: Iterable[str], where: str = "#") -> None:
    missing = [name for name in names if name not in request]
    if missing:
        _malformed(*(f"{where}: required key [{name}] not found" for name in missing))


def _section(request: dict[str, Any], name: str) -> dict[str, Any]:
    section = request.get(name, {})
    if not isinstance(section, dict):
        _malformed(f"#/{name}: expected type: JSONObject, found: {type(section).__name__}")
    return section


def _text_field(section: dict[str, Any], name: str, where: str, least: int, most: int) -> str | None:
    if name not in section:
        return None
    value = section[name]
    if not isinstance(value, str):
        _malformed(f"{where}/{name}: expected type: String, found: {type(value).__name__}")
    if not least <= len(value) <= most:
        bound, word = (
            (f"minLength: {least}", "minLength")
            if len(value) < least
            else (f"maxLength: {most}", "maxLength")
        )
        _malformed(f"{where}/{name}: expected {bound}, actual {word}: {len(value)}")
    return value


def _number_field(
    section: dict[str, Any],
    name: str,
    where: str,
    least: float,
    most: float,
    *,
    whole: bool,
    default: Any = None,
) -> Any:
    if name not in section:
        return default
    value = section[name]
    if not (is_integer(value) if whole else is_number(value)):
        _malformed(
            f"{where}/{name}: expected type: {'Integer' if whole else 'Number'}, found: {type(value).__name__}"
        )
    if not least <= value <= most:
        bound = f"is not greater or equal to {least}" if value < least else f"is not less or equal to {most}"
        _malformed(f"{where}/{name}: {value} {bound}")
    return value


def _choice_field(section: dict[str, Any], name: str, where: str, known: Iterable[str], default: str) -> str:
    value = section.get(name, default)
    if not isinstance(value, str) or value not in known:
        _malformed(f"{where}/{name}: {value} is not a valid enum value")
    return value


def _stability_request(
    request: dict[str, Any],
) -> tuple[str, str, int, pictures.Format]:
    _only(
        request,
        ("prompt", "negative_prompt", "aspect_ratio", "mode", "seed", "output_format"),
    )
    _require(request, ("prompt",))
    prompt = _text_field(request, "prompt", "#", 1, 10_000) or ""
    _text_field(request, "negative_prompt", "#", 0, 10_000)
    ratio = _choice_field(request, "aspect_ratio", "#", STABILITY_SIZES, "1:1")
    mode = _choice_field(request, "mode", "#", ("text-to-image", "image-to-image"), "text-to-image")
    if mode == "image-to-image":
        _require(request, ("image", "strength"))
    seed = _number_field(request, "seed", "#", 0, _STABILITY_LARGEST_SEED, whole=True, default=0)
    kind = _choice_field(request, "output_format", "#", ("png", "jpeg"), "png")
    return prompt, ratio, seed, cast(pictures.Format, kind)


_CLAUDE_FIELDS = (
    "anthropic_version",
    "anthropic_beta",
    "max_tokens",
    "messages",
    "system",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "tools",
    "tool_choice",
    "thinking",
    "metadata",
)


def _messages(request: dict[str, Any]) -> str:
    """The text of the conversation: alternating messages that begin with the user's."""
    _require(request, ("messages",))
    messages = request["messages"]
    if not isinstance(messages, list) or not messages:
        _malformed("#/messages: expected minimum item count: 1, found: 0")
    texts: list[str] = []
    expected = "user"
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in (
            "user",
            "assistant",
        ):
            _malformed(f"#/messages/{index}/role: is not a valid enum value")
        if message["role"] != expected:
            _invalid(
                "A conversation must alternate between user and assistant roles, and start with a user message."
            )
        expected = "assistant" if expected == "user" else "user"
        texts.append(_content(message.get("content"), index))
    if expected == "user":
        texts.append("")
    return "\n".join(texts)


def _content(content: object, index: int) -> str:
    where = f"#/messages/{index}/content"
    if isinstance(content, str) and content.strip():
        return content
    if not isinstance(content, list) or not content:
        _malformed(f"{where}: expected minimum item count: 1, found: 0")
    parts: list[str] = []
    for part in content:
        if not isinstance(part, dict):
            _malformed(f"{where}: expected type: JSONObject, found: {type(part).__name__}")
        text = part.get("text", "")
        if not isinstance(text, str):
            _malformed(f"{where}/text: expected type: String, found: {type(text).__name__}")
        if "text" in part and not text.strip():
            _invalid("The text field in the ContentBlock object is blank. Add text to it, and try again.")
        parts.append(text)
    return "\n".join(parts)


def _inference(config: object, where: str, limits: tuple[str, ...]) -> None:
    if config is None:
        return
    if not isinstance(config, dict):
        _malformed(f"{where}: expected type: JSONObject, found: {type(config).__name__}")
    _only(config, (*limits, "temperature", "topP", "topK", "stopSequences"), where)
    for name in limits:
        _number_field(config, name, where, 1, 65_535, whole=True)
    _fraction(config, "temperature", where)
    _fraction(config, "topP", where)


def _fraction(section: dict[str, Any], name: str, where: str) -> None:
    _number_field(section, name, where, 0, 1, whole=False)


def _done(job: Job) -> str:
    return job.fault.value if job.fault else "ok"


def _success(document: dict[str, Any], usage: dict[str, int] | None = None) -> Response:
    headers = {"Content-Type": "application/json"}
    if usage:
        headers["x-amzn-bedrock-input-token-count"] = str(usage["inputTokens"])
        headers["x-amzn-bedrock-output-token-count"] = str(usage["outputTokens"])
    return 200, headers, json.dumps(document).encode()


def _broken(fault: Fault) -> Response:
    headers = {"Content-Type": "application/json"}
    if fault is Fault.TIMEOUT:
        headers[MARKER] = "never"
    elif fault is Fault.RESET:
        headers[MARKER] = "cut"
    return 200, headers, b'\x00\x9f{"images": [<<<\xff\xfe truncated'


def resource_arn(identifier: str, region: str, account: str) -> str:
    """What a policy must name to allow a call of this model."""
    if identifier.startswith("arn:"):
        return identifier
    if _PROFILE.fullmatch(identifier):
        return f"arn:aws:bedrock:{region}:{account}:inference-profile/{identifier}"
    return f"arn:aws:bedrock:{region}::foundation-model/{identifier}"

"""OpenAI's Images API (and its list of models, which is the cheap way to try a key).

Served: ``POST /v1/images/generations`` for the GPT image models (without streaming), ``GET /v1/models``,
``GET /v1/models/{model}``, which say on which day a model ends.

Images come inline and never by URL, in PNG when ``output_format`` is left out. Nothing unknown is accepted: OpenAI
refuses unknown parameters by name, and a model that has ended like one that never was.

Sources:
    Create image, https://developers.openai.com/api/reference/resources/images/methods/generate
    Retrieve model, https://developers.openai.com/api/reference/resources/models/methods/retrieve
    GPT Image 2, https://developers.openai.com/api/docs/models/gpt-image-2
    Error codes, https://platform.openai.com/docs/guides/error-codes
    Rate limits and their headers, https://platform.openai.com/docs/guides/rate-limits
    Authentication and request ids, https://platform.openai.com/docs/api-reference/authentication
"""

import base64
import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from .pictures import Format
from .vendor import RETRY_AFTER_SECONDS, Plan, RefusalError, Vendor, is_integer, parse_object, refuse
from .wire import Answer, Request, json_answer


@dataclass(frozen=True, slots=True)
class _Model:
    """What one model accepts; the first quality is its default."""

    qualities: tuple[str, ...] = ("auto", "low", "medium", "high")
    transparent: bool = True
    free_sizes: bool = True
    complexities: tuple[str, ...] = ()


_FIRST = _Model(free_sizes=False)
_SECOND = _Model(transparent=False)
_BETWEEN = _Model(qualities=(*_Model().qualities, "xhigh", "max"))
_LATEST = _Model(qualities=_BETWEEN.qualities, complexities=("high", "low", "medium"))
MODELS: dict[str, _Model] = {
    "gpt-image-1-mini": _FIRST,
    "gpt-image-1.5": _FIRST,
    "gpt-image-2": _SECOND,
    "gpt-image-2-2026-04-21": _SECOND,
    "gpt-image-2.5-flare": _BETWEEN,
    "gpt-image-2.5-sunburst": _BETWEEN,
    "gpt-image-2.6-flare": _LATEST,
    "gpt-image-2.6-sunburst": _LATEST,
}

_LONGEST_PROMPT = 32_000
_MOST_IMAGES = 10
_SIZES = ("auto", "1024x1024", "1536x1024", "1024x1536")
_LONGEST_SIDE = 3840
_PIXELS = range(655_360, 8_294_401)
_PARAMETERS = {
    "background",
    "model",
    "moderation",
    "n",
    "output_compression",
    "output_format",
    "partial_images",
    "prompt",
    "quality",
    "size",
    "stream",
    "user",
}
_SHOWN_OF_A_KEY = 12
_TYPE_NAMES = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
}


def error(
    status: int,
    message: str,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> Answer:
    """An error in OpenAI's shape."""
    document = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return json_answer(document, status, "refused")


class OpenAI(Vendor):
    """The simulated vendor at api.openai.com."""

    name = "openai"
    hosts = ("api.openai.com",)

    async def handle(self, request: Request) -> Answer:
        """Answer one request; every answer carries a request id."""
        answer = await super().handle(request)
        headers = (
            *answer.headers,
            ("x-request-id", f"req_{self.token()}"),
            ("openai-version", "2020-10-01"),
        )
        return Answer(
            answer.status,
            answer.body,
            answer.media_type,
            headers,
            answer.outcome,
            answer.delivery,
        )

    def template(self, path: str) -> str:
        """The path with the name of a model taken out."""
        return "/v1/models/{model}" if path.startswith("/v1/models/") else path

    def key(self, request: Request) -> str | None:
        """The bearer token."""
        return request.bearer

    def unauthorized(self, key: str | None) -> Answer:
        """401; like the vendor's, it shows the ends of the key, which is why it must not be logged."""
        if key is None:
            return error(
                401,
                "You didn't provide an API key: send 'Authorization: Bearer YOUR_KEY'.",
            )
        masked = f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > _SHOWN_OF_A_KEY else "*" * len(key)
        return error(401, f"Incorrect API key provided: {masked}.", code="invalid_api_key")

    def rate_limited(self) -> Answer:
        """429 with the documented headers."""
        document = {
            "error": {
                "message": f"Rate limit reached for images. Please try again in {RETRY_AFTER_SECONDS}s.",
                "type": "requests",
                "param": None,
                "code": "rate_limit_exceeded",
            }
        }
        headers = (
            ("retry-after", str(RETRY_AFTER_SECONDS)),
            ("x-ratelimit-limit-requests", "5"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", f"{RETRY_AFTER_SECONDS}s"),
        )
        return json_answer(document, 429, headers=headers)

    def server_error(self) -> Answer:
        """Status 500."""
        return error(
            500,
            "The server had an error while processing your request.",
            "server_error",
        )

    def moderated(self, model: str) -> Answer:
        """Status 400."""
        del model  # every model answers alike
        return error(
            400,
            "Your request was rejected by the safety system.",
            "image_generation_user_error",
            code="moderation_blocked",
        )

    async def route(self, request: Request) -> Answer:
        """Serve a model list or an image."""
        path = request.path
        if path == "/v1/images/generations":
            self._only("POST", request)
            return await self._generate(request)
        if path == "/v1/models":
            self._only("GET", request)
            return json_answer(
                {
                    "object": "list",
                    "data": [self._describe(name) for name in self._served()],
                }
            )
        if path.startswith("/v1/models/"):
            self._only("GET", request)
            name = path.removeprefix("/v1/models/")
            if name not in self._served():
                refuse(
                    error(404, f"The model '{name}' does not exist.", param="model", code="model_not_found")
                )
            return json_answer(self._describe(name))
        raise RefusalError(error(404, f"Invalid URL ({request.method} {path})"))

    @staticmethod
    def _only(method: str, request: Request) -> None:
        if request.method != method:
            refuse(
                error(
                    405,
                    f"Not allowed to {request.method} on {request.path}.",
                    code="method_not_supported",
                )
            )

    def _served(self) -> list[str]:
        return [name for name in MODELS if not self.account.ended(name)]

    def _describe(self, name: str) -> dict[str, Any]:
        end = self.account.end(name)
        return {
            "id": name,
            "object": "model",
            "created": 1698785189,
            "owned_by": "system",
            "shutdown_date": end and end.isoformat(),
        }

    async def _generate(self, request: Request) -> Answer:
        if request.media_type != "application/json":
            kind = request.media_type or "(none)"
            refuse(
                error(
                    400,
                    f"Unsupported content type: '{kind}'. This method takes 'application/json'.",
                    code="unsupported_content_type",
                )
            )
        body = parse_object(request.body)
        if body is None:
            refuse(error(400, "The JSON body of the request could not be parsed."))
        name, model = self._model(body)
        prompt = _string(body, "prompt", _LONGEST_PROMPT)
        if prompt is None:
            refuse(
                error(
                    400,
                    "Missing required parameter: 'prompt'.",
                    param="prompt",
                    code="missing_required_parameter",
                )
            )
        count = _whole(body, "n", 1, _MOST_IMAGES) or 1
        size = _size(body, model)
        quality = _choice(body, "quality", model.qualities)
        _string(body, "user")
        if model.complexities:
            _choice(body, "complexity", model.complexities)
        background = self._background(body, model)
        _choice(body, "moderation", ("auto", "low"))
        kind = cast(Format, _choice(body, "output_format", ("png", "jpeg", "webp")))
        compression = _whole(body, "output_compression", 0, 100)
        if compression not in (None, 100) and kind == "png":
            refuse(
                error(
                    400,
                    "Compression less than 100 is not supported for PNG output format.",
                    param="output_compression",
                    code="invalid_parameter",
                )
            )
        if background == "transparent" and kind == "jpeg":
            refuse(
                error(
                    400,
                    "Transparent background needs png or webp.",
                    param="background",
                    code="invalid_parameter",
                )
            )
        if body.get("stream") not in (None, False) or body.get("partial_images") not in (None, 0):
            refuse(
                error(
                    400,
                    "Streaming is not available here.",
                    param="stream",
                    code="unsupported_parameter",
                )
            )
        plan = await self.plan(name, prompt)
        shown = "1024x1024" if size == "auto" else size
        images = [self._image(plan, kind, shown, index) for index in range(count)]
        texts, pixels = max(1, len(prompt) // 4), 1056 * count
        document = {
            "created": int(time.time()),
            "background": "opaque" if background == "auto" else background,
            "output_format": kind,
            "quality": "medium" if quality == "auto" else quality,
            "size": shown,
            "data": [{"b64_json": base64.b64encode(image).decode()} for image in images],
            "usage": {
                "input_tokens": texts,
                "input_tokens_details": {"image_tokens": 0, "text_tokens": texts},
                "output_tokens": pixels,
                "total_tokens": texts + pixels,
            },
        }
        return json_answer(document, 200, self.outcome(plan), self._allowance())

    def _image(self, plan: Plan, kind: Format, size: str, index: int) -> bytes:
        width, height = (int(side) for side in size.split("x"))
        return self.picture(plan, kind, width, height, index)

    def _model(self, body: dict[str, Any]) -> tuple[str, _Model]:
        name = _string(body, "model")
        if name is None:
            refuse(
                error(
                    400,
                    "Missing required parameter: 'model'.",
                    param="model",
                    code="missing_required_parameter",
                )
            )
        if name not in self._served():
            refuse(
                error(
                    400,
                    f"The model '{name}' does not exist.",
                    "image_generation_user_error",
                    param="model",
                    code="invalid_value",
                )
            )
        model = MODELS[name]
        for parameter in body:
            if parameter not in _PARAMETERS and not (parameter == "complexity" and model.complexities):
                refuse(
                    error(
                        400,
                        f"Unknown parameter: '{parameter}'.",
                        param=parameter,
                        code="unknown_parameter",
                    )
                )
        return name, model

    @staticmethod
    def _background(body: dict[str, Any], model: _Model) -> str:
        background = _choice(body, "background", ("auto", "transparent", "opaque"))
        if background == "transparent" and not model.transparent:
            refuse(
                error(
                    400,
                    "Transparent background is not supported for this model.",
                    param="background",
                    code="invalid_value",
                )
            )
        return background

    @staticmethod
    def _allowance() -> tuple[tuple[str, str], ...]:
        return (
            ("openai-processing-ms", "20"),
            ("x-ratelimit-limit-requests", "5"),
            ("x-ratelimit-remaining-requests", "4"),
            ("x-ratelimit-reset-requests", "12s"),
        )


def _invalid(parameter: str, value: object, known: Collection[str]) -> Answer:
    supported = ", ".join(f"'{entry}'" for entry in known)
    return error(
        400,
        f"Invalid value: '{value}'. Supported values are: {supported}.",
        param=parameter,
        code="invalid_value",
    )


def _size(body: dict[str, Any], model: _Model) -> str:
    """The size that is asked for: one of a list, or with newer models any within bounds."""
    value = body.get("size")
    match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", value) if isinstance(value, str) else None
    if not model.free_sizes or match is None:
        return _choice(body, "size", _SIZES)
    width, height = int(match[1]), int(match[2])
    if (
        width % 16
        or height % 16
        or max(width, height) > _LONGEST_SIDE
        or max(width, height) > 3 * min(width, height)
        or width * height not in _PIXELS
    ):
        refuse(_invalid("size", value, _SIZES))
    return f"{width}x{height}"


def _wrong_type(parameter: str, value: object, expected: str) -> Answer:
    found = _TYPE_NAMES.get(type(value), "an object")
    return error(
        400,
        f"Invalid type for '{parameter}': expected {expected}, but got {found} instead.",
        param=parameter,
        code="invalid_type",
    )


def _string(body: dict[str, Any], parameter: str, longest: int | None = None) -> str | None:
    value = body.get(parameter)
    if value is None:
        return None
    if not isinstance(value, str):
        refuse(_wrong_type(parameter, value, "a string"))
    if parameter == "prompt" and not value:
        refuse(
            error(
                400,
                "Invalid 'prompt': empty string. Expected a string with minimum length 1.",
                param=parameter,
                code="empty_string",
            )
        )
    if longest is not None and len(value) > longest:
        refuse(
            error(
                400,
                f"Invalid '{parameter}': string too long. Expected a string with maximum length {longest}, "
                f"but got a string with length {len(value)} instead.",
                param=parameter,
                code="string_above_max_length",
            )
        )
    return value


def _choice(body: dict[str, Any], parameter: str, known: tuple[str, ...]) -> str:
    value = body.get(parameter)
    if value is None:
        return known[0] if known else ""
    if not isinstance(value, str):
        refuse(_wrong_type(parameter, value, "a string"))
    if value not in known:
        refuse(_invalid(parameter, value, known))
    return value


def _whole(body: dict[str, Any], parameter: str, least: int, most: int) -> int | None:
    value = body.get(parameter)
    if value is None:
        return None
    if not is_integer(value):
        refuse(_wrong_type(parameter, value, "an integer"))
    if not least <= value <= most:
        side, bound = ("below minimum", f">= {least}") if value < least else ("above maximum", f"<= {most}")
        refuse(
            error(
                400,
                f"Invalid '{parameter}': integer {side} value. Expected a value {bound}, but got {value}.",
                param=parameter,
                code=f"integer_{side.split()[0]}_{'min' if value < least else 'max'}_value",
            )
        )
    return int(value)

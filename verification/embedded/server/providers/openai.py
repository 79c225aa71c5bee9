"""OpenAI's Images API (and its list of models, which is the cheap way to try a key).

Served: ``POST /v1/images/generations`` for dall-e-2, dall-e-3 and the GPT image models (without
streaming), ``GET /v1/models``, ``GET /v1/models/{model}``. Image URLs live for an hour.

DALL-E answers in PNG only; the GPT image models honour ``output_format`` (PNG when it is left out)
and never return a URL. Nothing unknown is accepted: OpenAI refuses unknown parameters by name.

Sources:
    Create image, https://platform.openai.com/docs/api-reference/images/create
    OpenAPI description, https://github.com/openai/openai-openapi
    Error codes, https://platform.openai.com/docs/guides/error-codes
    Rate limits and their headers, https://platform.openai.com/docs/guides/rate-limits
    Authentication and request ids, https://platform.openai.com/docs/api-reference/authentication
"""

import base64
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from .pictures import MEDIA_TYPES, Format
from .vendor import RETRY_AFTER_SECONDS, Plan, RefusalError, Vendor, is_integer, parse_object, refuse
from .wire import Answer, Request, json_answer


@dataclass(frozen=True, slots=True)
class _Model:
    """What one model accepts; the first of each list is its default."""

    longest_prompt: int
    most_images: int
    sizes: tuple[str, ...]
    qualities: tuple[str, ...]
    styles: tuple[str, ...] = ()
    gpt: bool = False


_GPT = _Model(
    longest_prompt=32_000,
    most_images=10,
    sizes=("auto", "1024x1024", "1536x1024", "1024x1536"),
    qualities=("auto", "low", "medium", "high"),
    gpt=True,
)
MODELS: dict[str, _Model] = {
    "dall-e-2": _Model(1000, 10, ("1024x1024", "512x512", "256x256"), ("standard",)),
    "dall-e-3": _Model(
        4000,
        1,
        ("1024x1024", "1792x1024", "1024x1792"),
        ("standard", "hd"),
        styles=("vivid", "natural"),
    ),
    "gpt-image-1": _GPT,
    "gpt-image-1-mini": _GPT,
    "gpt-image-1.5": _GPT,
}

_SHOWN_OF_A_KEY = 12
_COMMON = {"model", "prompt", "n", "size", "quality", "user"}
_DALL_E_ONLY = {"response_format", "style"}
_GPT_ONLY = {
    "background",
    "moderation",
    "output_compression",
    "output_format",
    "stream",
    "partial_images",
}
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
    """Whoever answers at api.openai.com."""

    name = "openai"
    hosts = ("api.openai.com",)
    delivery_hosts = ("oaidalleapiprodscus.blob.core.windows.net",)
    url_lifetime_seconds = 3600.0

    async def handle(self, request: Request) -> Answer:
        """Answer one request; every answer of the API carries a request id."""
        answer = await super().handle(request)
        if request.host in self.delivery_hosts:
            return answer
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
        """400; DALL-E and the GPT image models use different codes."""
        if model.startswith("gpt-"):
            return error(
                400,
                "Your request was rejected by the safety system.",
                "image_generation_user_error",
                code="moderation_blocked",
            )
        return error(
            400,
            "Your request was rejected as a result of our safety system.",
            code="content_policy_violation",
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
                refuse(self._no_model(name))
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
        return [name for name in MODELS if name not in self.account.retired]

    @staticmethod
    def _describe(name: str) -> dict[str, Any]:
        return {
            "id": name,
            "object": "model",
            "created": 1698785189,
            "owned_by": "system",
        }

    @staticmethod
    def _no_model(name: str) -> Answer:
        return error(
            404,
            f"The model '{name}' does not exist.",
            param="model",
            code="model_not_found",
        )

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
        prompt = _string(body, "prompt", model.longest_prompt)
        if prompt is None:
            refuse(
                error(
                    400,
                    "Missing required parameter: 'prompt'.",
                    param="prompt",
                    code="missing_required_parameter",
                )
            )
        count = _whole(body, "n", 1, model.most_images) or 1
        size = _choice(body, "size", model.sizes)
        quality = _choice(body, "quality", model.qualities)
        _string(body, "user")
        if model.gpt:
            return await self._gpt(name, body, prompt=prompt, count=count, size=size, quality=quality)
        _choice(body, "style", model.styles)
        wants_url = _choice(body, "response_format", ("url", "b64_json")) == "url"
        plan = await self.plan(name, prompt)
        data = []
        for index in range(count):
            image = self._image(plan, "png", size, index)
            entry = {"url": self._url(image)} if wants_url else {"b64_json": base64.b64encode(image).decode()}
            if name == "dall-e-3":
                entry["revised_prompt"] = prompt
            data.append(entry)
        return json_answer(
            {"created": int(time.time()), "data": data},
            200,
            self.outcome(plan),
            self._allowance(),
        )

    def _model(self, body: dict[str, Any]) -> tuple[str, _Model]:
        default = "gpt-image-1" if _GPT_ONLY & set(body) else "dall-e-2"
        name = _string(body, "model") or default
        if name in self.account.retired:
            refuse(self._no_model(name))
        model = MODELS.get(name)
        if model is None:
            refuse(_invalid("model", name, MODELS))
        allowed = _COMMON | (
            _GPT_ONLY if model.gpt else _DALL_E_ONLY - (set() if model.styles else {"style"})
        )
        for parameter in body:
            if parameter not in allowed:
                refuse(
                    error(
                        400,
                        f"Unknown parameter: '{parameter}'.",
                        param=parameter,
                        code="unknown_parameter",
                    )
                )
        return name, model

    async def _gpt(
        self, name: str, body: dict[str, Any], *, prompt: str, count: int, size: str, quality: str
    ) -> Answer:
        background = _choice(body, "background", ("auto", "transparent", "opaque"))
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

    def _url(self, image: bytes) -> str:
        path = f"/private/org-{self.token(12)}/user-{self.token(12)}/img-{self.token(12)}.png"
        return self.publish(
            image,
            MEDIA_TYPES["png"],
            path,
            f"sp=r&sv=2024-08-04&sr=b&sig={self.token()}",
        )

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

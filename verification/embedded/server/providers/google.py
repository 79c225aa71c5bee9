"""Google's Gemini API: images by generateContent, the list of models.

A missing key is 403, an invalid one 400 with the reason ``API_KEY_INVALID``: that is how Google's front
end answers, and a client that waits for a 401 never learns that its key is bad. The fault
``unauthorized`` answers 401 ``UNAUTHENTICATED``, which the same front end gives to refused credentials.
A 429 carries its delay as ``RetryInfo`` in the body, not as a header.

Field names may be written in camel case or with underscores; unknown ones are refused. What a model answers with, PNG
or JPEG, is its own choice. A model that has ended is not found; nothing tells its end beforehand.

Sources:
    generateContent, https://ai.google.dev/api/generate-content
    Image generation with Gemini, https://ai.google.dev/gemini-api/docs/image-generation
    Models and what they take, https://ai.google.dev/gemini-api/docs/models/gemini-3.1-flash-lite-image ,
        https://ai.google.dev/gemini-api/docs/changelog
    What Nano Banana 2.1 refuses and answers with, https://www.skills.sh/jpcaparas/skills/nanobanana
    Errors, https://ai.google.dev/gemini-api/docs/troubleshooting
    Error details, https://cloud.google.com/apis/design/errors
    API keys, https://ai.google.dev/gemini-api/docs/api-key
"""

import base64
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from .pictures import MEDIA_TYPES, Format
from .vendor import (
    RETRY_AFTER_SECONDS,
    Plan,
    RefusalError,
    Vendor,
    is_integer,
    is_number,
    parse_object,
    refuse,
)
from .wire import Answer, Request, json_answer

_BOTH = frozenset({"TEXT", "IMAGE"})


@dataclass(frozen=True, slots=True)
class _Model:
    """What one model accepts, and the format of its images."""

    sizes: tuple[str, ...] = ("1K", "2K", "4K")
    sampled: bool = True
    format: Format = "png"


MODELS: dict[str, _Model] = {
    "gemini-nano-banana-2.1": _Model(sampled=False, format="jpeg"),
    "gemini-3.1-flash-lite-image": _Model(sizes=("1K",)),
    "gemini-3-pro-image": _Model(format="jpeg"),
    "gemini-3.1-flash-image": _Model(),
}

SIZES: dict[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
_LONGEST_PROMPT_TOKENS = 32_768

_REQUEST_FIELDS = {
    "contents",
    "systemInstruction",
    "generationConfig",
    "safetySettings",
    "tools",
    "toolConfig",
    "cachedContent",
    "model",
}
_CONFIG_FIELDS = {
    "responseModalities",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "temperature",
    "topP",
    "topK",
    "maxOutputTokens",
    "seed",
    "candidateCount",
    "stopSequences",
    "presencePenalty",
    "frequencyPenalty",
    "imageConfig",
    "thinkingConfig",
    "mediaResolution",
    "responseLogprobs",
    "logprobs",
    "speechConfig",
}
_SAMPLING = ("temperature", "topP", "topK", "seed")
_PATH = re.compile(r"/(?P<version>v1|v1beta)/models(?:/(?P<model>[\w.-]+)(?::(?P<method>\w+))?)?")
_TYPE = "type.googleapis.com/google.rpc"


def error(status: int, code: str, message: str, details: list[dict[str, Any]] | None = None) -> Answer:
    """An error in the shape of google.rpc.Status."""
    document: dict[str, Any] = {"code": status, "message": message, "status": code}
    if details:
        document["details"] = details
    return json_answer({"error": document}, status, "refused")


def _invalid(message: str, field: str | None = None) -> NoReturn:
    details = None
    if field is not None:
        violation = {"field": field, "description": message}
        details = [{"@type": f"{_TYPE}.BadRequest", "fieldViolations": [violation]}]
    refuse(error(400, "INVALID_ARGUMENT", message, details))


class Google(Vendor):
    """The simulated vendor at generativelanguage.googleapis.com."""

    name = "google"
    hosts = ("generativelanguage.googleapis.com",)

    def template(self, path: str) -> str:
        """The path with the model's name kept."""
        return path

    def key(self, request: Request) -> str | None:
        """The key of the header, or of the query."""
        return request.headers.get("x-goog-api-key") or request.query.get("key") or None

    def unauthorized(self, key: str | None) -> Answer:
        """Status 403 without a key, 400 with a bad one."""
        if key is None:
            return error(
                403,
                "PERMISSION_DENIED",
                "Method doesn't allow unregistered callers; use an API key.",
            )
        details = [
            {
                "@type": f"{_TYPE}.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }
        ]
        return error(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            details,
        )

    def unauthorized_fault(self) -> Answer:
        """Status 401, as for credentials that are no API key at all."""
        return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")

    def rate_limited(self) -> Answer:
        """429 with RetryInfo."""
        details: list[dict[str, Any]] = [
            {
                "@type": f"{_TYPE}.QuotaFailure",
                "violations": [
                    {
                        "quotaMetric": "generativelanguage.googleapis.com/generate_requests_per_model",
                        "quotaId": "GenerateRequestsPerMinutePerProjectPerModel",
                    }
                ],
            },
            {"@type": f"{_TYPE}.RetryInfo", "retryDelay": f"{RETRY_AFTER_SECONDS}s"},
        ]
        return error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", details)

    def server_error(self) -> Answer:
        """Status 500."""
        return error(500, "INTERNAL", "An internal error has occurred. Please retry.")

    def moderated(self, model: str) -> Answer:
        """200 that says why there is nothing in it."""
        usage = {"promptTokenCount": 8, "totalTokenCount": 8}
        document = {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": usage,
        }
        return json_answer({**document, "modelVersion": model})

    async def route(self, request: Request) -> Answer:
        """Serve a model's method or the list of models."""
        match = _PATH.fullmatch(request.path)
        if match is None:
            refuse(
                Answer(
                    404,
                    b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>",
                    "text/html",
                )
            )
        model, method = match["model"], match["method"]
        if method is None:
            self._only("GET", request)
            return self._list(model)
        self._only("POST", request)
        if method != "generateContent" or not self._serves(model):
            refuse(
                error(
                    404,
                    "NOT_FOUND",
                    f"models/{model} is not found for API version {match['version']}, "
                    f"or is not supported for {method}.",
                )
            )
        return await self._generate(model, self._body(request))

    def _serves(self, model: str) -> bool:
        return model in MODELS and not self.account.ended(model)

    def _list(self, model: str | None) -> Answer:
        entries = [
            {
                "name": f"models/{name}",
                "version": "001",
                "supportedGenerationMethods": ["generateContent"],
            }
            for name in MODELS
            if self._serves(name)
        ]
        if model is None:
            return json_answer({"models": entries})
        for entry in entries:
            if entry["name"] == f"models/{model}":
                return json_answer(entry)
        raise RefusalError(error(404, "NOT_FOUND", f"Model is not found: models/{model}"))

    @staticmethod
    def _only(method: str, request: Request) -> None:
        if request.method != method:
            refuse(
                Answer(
                    404,
                    b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>",
                    "text/html",
                )
            )

    @staticmethod
    def _body(request: Request) -> dict[str, Any]:
        if request.media_type != "application/json":
            _invalid("Invalid JSON payload received. The content type must be application/json.")
        body = parse_object(request.body)
        if body is None:
            _invalid("Invalid JSON payload received. Unexpected token.")
        return body

    async def _generate(self, model: str, body: dict[str, Any]) -> Answer:
        fields = _fields(body, _REQUEST_FIELDS, "")
        prompt = _contents(fields.get("contents"))
        _system(fields.get("systemInstruction"))
        config = _object(fields.get("generationConfig"), "generation_config", _CONFIG_FIELDS)
        _numbers(config)
        if not MODELS[model].sampled:
            for name in _SAMPLING:
                if name in config:
                    _invalid(f"{name} is not supported by models/{model}.")
        modalities = _modalities(config.get("responseModalities")) or _BOTH
        size = self._size(model, config, modalities)
        if len(prompt.split()) > _LONGEST_PROMPT_TOKENS:
            _invalid("The input token count exceeds the maximum number of tokens allowed.")
        plan = await self.plan(model, prompt)
        parts = self._parts(plan, size, modalities, config.get("seed", 0))
        tokens = max(1, len(prompt) // 4)
        usage = {
            "promptTokenCount": tokens,
            "candidatesTokenCount": 1290,
            "totalTokenCount": tokens + 1290,
        }
        candidate = {
            "content": {"parts": parts, "role": "model"},
            "finishReason": "STOP",
            "index": 0,
        }
        document = {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": model,
            "responseId": self.token(),
        }
        return json_answer(document, 200, self.outcome(plan))

    @staticmethod
    def _size(model: str, config: dict[str, Any], modalities: frozenset[str]) -> tuple[int, int]:
        """The size of the image to draw."""
        if modalities not in (_BOTH, {"IMAGE"}):
            _invalid(
                f"The requested combination of response modalities ({', '.join(sorted(modalities))}) is not "
                f"supported by the model. models/{model} accepts: IMAGE, TEXT; IMAGE"
            )
        known = {"aspectRatio", "imageSize"}
        image = _object(config.get("imageConfig"), "generation_config.image_config", known)
        ratio = image.get("aspectRatio", "1:1")
        if ratio not in SIZES:
            _invalid("aspect_ratio must be one of " + ", ".join(SIZES))
        scale = image.get("imageSize", "1K")
        if scale not in MODELS[model].sizes:
            _invalid(f"image_size {scale!r} is not supported by models/{model}.")
        factor = int(scale[0])
        width, height = SIZES[ratio]
        return width * factor, height * factor

    def _parts(
        self, plan: Plan, size: tuple[int, int], modalities: frozenset[str], seed: object
    ) -> list[dict[str, Any]]:
        kind = MODELS[plan.model].format
        image = base64.b64encode(self.picture(plan, kind, *size, seed)).decode()
        parts: list[dict[str, Any]] = [{"inlineData": {"mimeType": MEDIA_TYPES[kind], "data": image}}]
        return parts if modalities == {"IMAGE"} else [{"text": "Here is the image you asked for."}, *parts]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def _fields(body: dict[str, Any], known: set[str], where: str) -> dict[str, Any]:
    """The fields under their camel-case names; null counts as absent, as in Protobuf's JSON."""
    fields: dict[str, Any] = {}
    for name, value in body.items():
        if _camel(name) not in known:
            place = f" at '{where}'" if where else ""
            _invalid(
                f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.',
                where,
            )
        if value is not None:
            fields[_camel(name)] = value
    return fields


def _object(value: object, where: str, known: set[str]) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        _invalid(f"Invalid value at '{where}'", where)
    return _fields(value, known, where)


def _contents(value: object) -> str:
    if not isinstance(value, list):
        if value is None:
            _invalid(
                "* GenerateContentRequest.contents: contents is not specified",
                "contents",
            )
        _invalid("Invalid value at 'contents'", "contents")
    if not value:
        _invalid("* GenerateContentRequest.contents: contents is not specified", "contents")
    texts: list[str] = []
    for index, content in enumerate(value):
        where = f"contents[{index}]"
        fields = _object(content, where, {"role", "parts"})
        if fields.get("role", "user") not in ("user", "model"):
            _invalid("Please use a valid role: user, model.", where)
        texts += _part_texts(fields.get("parts"), where)
    prompt = "\n".join(texts)
    if not prompt.strip():
        _invalid(
            "* GenerateContentRequest.contents: contents.parts must not be empty.",
            "contents",
        )
    return prompt


def _system(value: object) -> None:
    if value is not None:
        _part_texts(
            _object(value, "system_instruction", {"role", "parts"}).get("parts"),
            "system_instruction",
        )


def _part_texts(parts: object, where: str) -> list[str]:
    if isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list) or not parts:
        _invalid(f"* GenerateContentRequest.{where}.parts: must not be empty.", where)
    texts = []
    for index, part in enumerate(parts):
        place = f"{where}.parts[{index}]"
        fields = _object(part, place, {"text", "inlineData", "fileData", "thought"})
        text = fields.get("text", "")
        if not isinstance(text, str):
            _invalid(f"Invalid value at '{place}.text' (TYPE_STRING)", f"{place}.text")
        if not fields:
            _invalid(
                f"* GenerateContentRequest.{place}.data: required oneof field 'data' must have one field."
            )
        texts.append(text)
    return texts


def _modalities(value: object) -> frozenset[str] | None:
    if value is None:
        return None
    where = "generation_config.response_modalities"
    if not isinstance(value, list):
        _invalid(f"Invalid value at '{where}'", where)
    for entry in value:
        if not isinstance(entry, str) or entry.upper() not in (
            "TEXT",
            "IMAGE",
            "AUDIO",
        ):
            _invalid(f"Invalid value at '{where}': {entry!r}", where)
    return frozenset(entry.upper() for entry in value) or None


_RANGES: dict[str, tuple[float, float, bool]] = {
    "temperature": (0, 2, False),
    "topP": (0, 1, False),
    "topK": (1, 2**31 - 1, True),
    "maxOutputTokens": (1, 65_536, True),
    "seed": (-(2**31), 2**31 - 1, True),
    "candidateCount": (1, 1, True),
}


def _numbers(config: dict[str, Any]) -> None:
    for name, (least, most, whole) in _RANGES.items():
        value = config.get(name)
        if value is None:
            continue
        if not (is_integer(value) if whole else is_number(value)):
            _invalid(
                f"Invalid value at 'generation_config.{name}'",
                f"generation_config.{name}",
            )
        if not least <= value <= most:
            _invalid(
                f"* GenerateContentRequest.generation_config.{name}: must be in the range [{least}, {most}]."
            )

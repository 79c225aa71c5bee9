"""Stability AI's Stable Image API, and the account's balance as the cheap way to try a key.

Served: ``POST /v2beta/stable-image/generate/{core,ultra,sd3}`` (text to image), ``GET /v1/user/balance``
and ``GET /v1/user/account``. A request is ``multipart/form-data`` and nothing else; the answer is the
image itself or JSON, by the ``Accept`` header. PNG is the default of ``output_format``; unknown form
fields are ignored, as the vendor's own examples rely on.

Sources:
    API reference (generate, user), https://platform.stability.ai/docs/api-reference
    Authentication, https://platform.stability.ai/docs/getting-started/authentication
    Error for a wrong content type, https://github.com/jezs00/pycasso/issues/86
    SDK's types of requests, https://app.unpkg.com/stability-ai@0.7.0/files/dist/v2beta/stable-image/generate.d.ts
"""

import base64
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, NoReturn, cast

from .bedrock import STABILITY_SIZES
from .pictures import MEDIA_TYPES, Format
from .vendor import Vendor, refuse
from .wire import Answer, Request, json_answer

LARGEST_REQUEST_BYTES = 10 * 1024 * 1024
_LARGEST_SEED = 4_294_967_294
_LONGEST_PROMPT = 10_000

_PRESETS = (
    "enhance",
    "anime",
    "photographic",
    "digital-art",
    "comic-book",
    "fantasy-art",
    "line-art",
    "analog-film",
    "neon-punk",
    "isometric",
    "low-poly",
    "origami",
    "modeling-compound",
    "cinematic",
    "3d-model",
    "pixel-art",
    "tile-texture",
)
SD3_MODELS = (
    "sd3.5-large",
    "sd3.5-large-turbo",
    "sd3.5-medium",
    "sd3.5-flash",
)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """What one endpoint accepts; the first model and format are the defaults."""

    models: tuple[str, ...]
    formats: tuple[str, ...]
    factor: float = 1.0


ENDPOINTS: dict[str, _Endpoint] = {
    "core": _Endpoint(("stable-image-core",), ("png", "jpeg", "webp"), 1.5),
    "ultra": _Endpoint(("stable-image-ultra",), ("png", "jpeg", "webp")),
    "sd3": _Endpoint(SD3_MODELS, ("png", "jpeg")),
}
_PREFIX = "/v2beta/stable-image/generate/"


class Stability(Vendor):
    """The simulated vendor at api.stability.ai."""

    name = "stability"
    hosts = ("api.stability.ai",)

    def key(self, request: Request) -> str | None:
        """The bearer token; the older API also took the bare key."""
        return request.bearer

    def error(self, status: int, name: str, *problems: str) -> Answer:
        """An error in Stability's shape."""
        return json_answer({"id": self.token(), "name": name, "errors": list(problems)}, status)

    def unauthorized(self, key: str | None) -> Answer:
        """Status 401."""
        problem = "missing" if key is None else "invalid"
        return self.error(401, "unauthorized", f"authorization: {problem} header value")

    def rate_limited(self) -> Answer:
        """429; the pause of a minute is in the text, and no header has it."""
        return self.error(
            429,
            "rate_limit_exceeded",
            "You have exceeded the rate limit of 150 requests within a 10 second period, "
            "and have been timed out for 60 seconds.",
        )

    def server_error(self) -> Answer:
        """Status 500."""
        return self.error(
            500,
            "internal_error",
            "An unexpected server error has occurred, please try again later.",
        )

    def moderated(self, model: str) -> Answer:
        """Status 403."""
        del model  # every model answers alike
        return self.error(
            403,
            "content_moderation",
            "Your request was flagged by our content moderation system, and was denied.",
        )

    async def route(self, request: Request) -> Answer:
        """Serve an image or the account."""
        path = request.path
        if path == "/v1/user/balance":
            self._only("GET", request)
            return json_answer({"credits": 1000.0})
        if path == "/v1/user/account":
            self._only("GET", request)
            return json_answer(
                {
                    "id": "user-simulated",
                    "email": "user@example.com",
                    "organizations": [],
                }
            )
        endpoint = ENDPOINTS.get(path.removeprefix(_PREFIX)) if path.startswith(_PREFIX) else None
        if endpoint is None:
            refuse(self.error(404, "not_found", "The requested resource was not found."))
        self._only("POST", request)
        return await self._generate(endpoint, request)

    def _only(self, method: str, request: Request) -> None:
        if request.method != method:
            refuse(self.error(405, "method_not_allowed", f"method: must be {method}"))

    def _bad(self, problem: str) -> NoReturn:
        refuse(self.error(400, "bad_request", problem))

    async def _generate(self, endpoint: _Endpoint, request: Request) -> Answer:
        if len(request.body) > LARGEST_REQUEST_BYTES:
            refuse(
                self.error(
                    413,
                    "payload_too_large",
                    "body: payload cannot be larger than 10MiB in size",
                )
            )
        form = self._form(request)
        accepted = request.headers.get("accept", "*/*").partition(";")[0].strip().lower()
        if accepted not in ("image/*", "application/json", "*/*", ""):
            self._bad("accept: must be one of image/*, application/json")
        prompt = self._text(form, "prompt", required=True)
        self._text(form, "negative_prompt")
        ratio = self._choice(form, "aspect_ratio", STABILITY_SIZES, "1:1")
        kind = cast(Format, self._choice(form, "output_format", endpoint.formats, "png"))
        model = self._model(form, endpoint)
        self._choice(form, "style_preset", _PRESETS, "")
        seed = self._seed(form)
        plan = await self.plan(model, prompt)
        width, height = (int(side * endpoint.factor) for side in STABILITY_SIZES[ratio])
        image = self.picture(plan, kind, width, height, seed)
        if accepted == "application/json":
            document = {
                "image": base64.b64encode(image).decode(),
                "finish_reason": "SUCCESS",
                "seed": seed,
            }
            return json_answer(document, 200, self.outcome(plan))
        headers = (
            ("finish-reason", "SUCCESS"),
            ("seed", str(seed)),
            ("x-request-id", self.token()),
        )
        return Answer(200, image, MEDIA_TYPES[kind], headers, self.outcome(plan))

    def _form(self, request: Request) -> dict[str, str]:
        """The text fields of a multipart form."""
        if request.media_type != "multipart/form-data":
            self._bad("content-type: must be multipart/form-data")
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode("latin-1")
        message = BytesParser(policy=HTTP).parsebytes(head + request.body)
        if not message.is_multipart() or message.defects:
            self._bad("body: could not be parsed as multipart/form-data")
        form: dict[str, str] = {}
        for part in message.iter_parts():
            disposition: Any = part.get("content-disposition")
            name = disposition.params.get("name") if disposition else None
            if name is None:
                self._bad("body: a part has no name")
            if name not in form and part.get_filename() is None:
                payload = part.get_payload(decode=True)
                form[name] = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
        return form

    def _text(self, form: dict[str, str], name: str, *, required: bool = False) -> str:
        value = form.get(name, "")
        if required and not value:
            self._bad(f"{name}: is required" if name not in form else f"{name}: cannot be empty")
        if len(value) > _LONGEST_PROMPT:
            self._bad(f"{name}: must be at most {_LONGEST_PROMPT} characters")
        return value

    def _choice(self, form: dict[str, str], name: str, known: Collection[str], default: str) -> str:
        value = form.get(name)
        if value is None:
            return default
        if value not in known:
            self._bad(f"{name}: must be one of {', '.join(known)}")
        return value

    def _model(self, form: dict[str, str], endpoint: _Endpoint) -> str:
        if len(endpoint.models) == 1:
            model = endpoint.models[0]
        else:
            mode = self._choice(form, "mode", ("text-to-image", "image-to-image"), "text-to-image")
            if mode == "image-to-image":
                self._bad("image: image-to-image is not served here")
            model = self._choice(form, "model", endpoint.models, endpoint.models[0])
            self._number(form, "cfg_scale", 1, 10)
        if self.account.ended(model):
            refuse(self.error(404, "not_found", f"The model {model} is not available."))
        return model

    def _seed(self, form: dict[str, str]) -> int:
        value = form.get("seed", "0")
        if not value.isascii() or not value.isdigit() or int(value) > _LARGEST_SEED:
            self._bad(f"seed: must be an integer between 0 and {_LARGEST_SEED}")
        return int(value) or secrets.randbelow(_LARGEST_SEED) + 1

    def _number(self, form: dict[str, str], name: str, least: float, most: float) -> None:
        value = form.get(name)
        if value is None:
            return
        try:
            number = float(value)
        except ValueError:
            self._bad(f"{name}: must be a number")
        if not least <= number <= most:
            self._bad(f"{name}: must be between {least} and {most}")

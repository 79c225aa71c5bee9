"""Recraft's API: raster and vector images, and the user's own record as the cheap way to try a key.

Served: ``POST /v1/images/generations`` (JSON) for recraftv2, recraftv3 and the raster models of V4, and
``GET /v1/users/me``. Image URLs live for about a day.

Rasters come as WebP unless ``image_format`` asks for PNG; the WebP of this simulation is one flat
colour. ``vector_illustration`` gives SVG.

Sources:
    Endpoints, https://www.recraft.ai/docs/api-reference/endpoints
    Appendix (prompt lengths, sizes), https://www.recraft.ai/docs/api-reference/appendix
    Styles, https://www.recraft.ai/docs/api-reference/styles
    Results and their lifetime, https://www.recraft.ai/docs/api-reference/image-inputs-and-results
    Models and their prices, https://www.recraft.ai/docs/recraft-models/introduction
    The whole API on one page, https://www.recraft.ai/docs/api-reference/agents
    ``image_format`` and ``random_seed``, the vendor's OpenAPI description as kept in
        https://github.com/tryAGI/Recraft (src/libs/Recraft/openapi.yaml)
"""

import base64
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, NoReturn, cast

from .ledger import Fault, digest
from .pictures import MEDIA_TYPES, Format
from .vendor import Plan, RefusalError, Vendor, is_integer, parse_object, refuse, wrong_body
from .wire import Answer, Request, json_answer

_V3_SIZES: dict[str, str] = {
    "1:1": "1024x1024",
    "2:1": "2048x1024",
    "1:2": "1024x2048",
    "3:2": "1536x1024",
    "2:3": "1024x1536",
    "4:3": "1365x1024",
    "3:4": "1024x1365",
    "5:4": "1280x1024",
    "4:5": "1024x1280",
    "6:10": "1024x1707",
    "10:6": "1707x1024",
    "14:10": "1434x1024",
    "10:14": "1024x1434",
    "16:9": "1820x1024",
    "9:16": "1024x1820",
}
_V4_SIZES: dict[str, str] = {
    "1:1": "1024x1024",
    "2:1": "1536x768",
    "1:2": "768x1536",
    "3:2": "1280x832",
    "2:3": "832x1280",
    "4:3": "1216x896",
    "3:4": "896x1216",
    "5:4": "1152x896",
    "4:5": "896x1152",
    "6:10": "832x1344",
    "14:10": "1280x896",
    "10:14": "896x1280",
    "16:9": "1344x768",
    "9:16": "768x1344",
}


@dataclass(frozen=True, slots=True)
class _Model:
    """What one model accepts; ``units`` is the price of an image in API units."""

    longest_prompt: int
    sizes: dict[str, str]
    styles: tuple[str, ...]
    units: int


_V4 = _Model(10_000, _V4_SIZES, (), 40)
MODELS: dict[str, _Model] = {
    "recraftv2": _Model(
        1000,
        _V3_SIZES,
        ("realistic_image", "digital_illustration", "vector_illustration", "icon"),
        22,
    ),
    "recraftv3": _Model(
        1000,
        _V3_SIZES,
        (
            "realistic_image",
            "digital_illustration",
            "vector_illustration",
            "logo_raster",
            "any",
        ),
        40,
    ),
    "recraftv4": _V4,
    "recraftv4_1": replace(_V4, units=35),
    "recraftv4_1_flash": replace(_V4, units=7),
}
_FIELDS = {
    "prompt",
    "text_layout",
    "n",
    "style_id",
    "style",
    "substyle",
    "model",
    "response_format",
    "size",
    "negative_prompt",
    "controls",
    "image_format",
    "random_seed",
    "block_nsfw",
    "calculate_features",
    "expire",
}
_V4_REFUSES = ("style", "substyle", "style_id", "negative_prompt", "text_layout")
_LARGEST_SEED = 2**32 - 1
_MOST_ARTISTIC = 5
_BRIGHTEST = 255


def error(status: int, code: str, message: str) -> Answer:
    """An error in Recraft's shape."""
    return json_answer({"code": code, "message": message}, status)


def _invalid(message: str) -> NoReturn:
    refuse(error(400, "invalid_request_parameter", message))


class Recraft(Vendor):
    """The simulated vendor at external.api.recraft.ai."""

    name = "recraft"
    hosts = ("external.api.recraft.ai",)
    delivery_hosts = ("img.recraft.ai",)
    url_lifetime_seconds = 24 * 3600.0

    def key(self, request: Request) -> str | None:
        """The bearer token."""
        return request.bearer

    def unauthorized(self, key: str | None) -> Answer:
        """Status 401."""
        return error(401, "unauthorized", "Unauthorized" if key else "Missing bearer token")

    def rate_limited(self) -> Answer:
        """429; Recraft documents no header with the delay."""
        return error(429, "too_many_requests", "Too many requests")

    def server_error(self) -> Answer:
        """Status 500."""
        return error(500, "internal_error", "Internal server error")

    def moderated(self, model: str) -> Answer:
        """Status 400."""
        del model  # every model answers alike
        return error(
            400,
            "prompt_content_policy_violation",
            "The prompt violates the content policy",
        )

    async def route(self, request: Request) -> Answer:
        """Serve an image or the user's record."""
        if request.path == "/v1/users/me":
            self._only("GET", request)
            user = {
                "id": str(uuid.UUID(int=1)),
                "name": "Simulated",
                "email": "user@example.com",
                "credits": 10_000,
            }
            return json_answer(user)
        if request.path == "/v1/images/generations":
            self._only("POST", request)
            return await self._generate(request)
        raise RefusalError(error(404, "not_found", "Not found"))

    @staticmethod
    def _only(method: str, request: Request) -> None:
        if request.method != method:
            refuse(error(405, "method_not_allowed", "Method not allowed"))

    async def _generate(self, request: Request) -> Answer:
        if request.media_type != "application/json":
            refuse(
                error(
                    415,
                    "unsupported_media_type",
                    "The content type must be application/json",
                )
            )
        body = parse_object(request.body)
        if body is None:
            _invalid("the body is not a JSON object")
        if unknown := sorted(set(body) - _FIELDS):
            _invalid(f"unknown parameter: {unknown[0]}")
        name = _choice(body, "model", MODELS, "recraftv3")
        if self.account.ended(name):
            _invalid(f"model {name} is not available")
        model = MODELS[name]
        prompt = _prompt(body, model)
        count = _whole(body, "n", 1, 6, 1)
        seed = _whole(body, "random_seed", 0, _LARGEST_SEED, 0)
        style = self._style(body, model)
        delivery = _choice(body, "response_format", ("url", "b64_json"), "url")
        kind = _choice(body, "image_format", ("webp", "png"), "webp")
        size = _size(body, model)
        _controls(body.get("controls"))
        plan = await self.plan(name, prompt)
        data = []
        for index in range(count):
            drawing = self._drawing(plan, style, cast(Format, kind), size, (seed, index))
            data.append(self._entry(*drawing, delivery))
        document = {
            "created": int(time.time()),
            "credits": model.units * count,
            "data": data,
        }
        return json_answer(document, 200, self.outcome(plan))

    @staticmethod
    def _style(body: dict[str, Any], model: _Model) -> str:
        if body.get("style_id") is not None:
            if body.get("style") is not None:
                _invalid("style and style_id are mutually exclusive")
            try:
                uuid.UUID(body["style_id"])
            except (ValueError, TypeError, AttributeError):
                _invalid("style_id must be a UUID")
            refuse(error(404, "style_not_found", "There is no such style"))
        if not model.styles:
            for parameter in _V4_REFUSES:
                if body.get(parameter) is not None:
                    _invalid(f"{parameter} is not supported by this model")
            return "realistic_image"
        substyle = body.get("substyle")
        if substyle is not None and not isinstance(substyle, str):
            _invalid("substyle must be a string")
        negative = body.get("negative_prompt")
        if negative is not None and not isinstance(negative, str):
            _invalid("negative_prompt must be a string")
        return _choice(body, "style", model.styles, "realistic_image")

    def _drawing(
        self, plan: Plan, style: str, kind: Format, size: tuple[int, int], traits: tuple[int, int]
    ) -> tuple[bytes, str]:
        """One image and its media type."""
        if style == "vector_illustration":
            return self._vector(plan, size, traits), "image/svg+xml"
        return self.picture(plan, kind, *size, style, *traits), MEDIA_TYPES[kind]

    def _entry(self, image: bytes, media_type: str, delivery: str) -> dict[str, str]:
        identifier = str(uuid.uuid4())
        if delivery == "b64_json":
            return {"image_id": identifier, "b64_json": base64.b64encode(image).decode()}
        ending = media_type.partition("/")[2].partition("+")[0]
        path = f"/{self.token(24)}/raw:1/{identifier}.{ending}"
        return {"image_id": identifier, "url": self.publish(image, media_type, path)}

    def _vector(self, plan: Plan, size: tuple[int, int], traits: tuple[int, int]) -> bytes:
        self.account.paid += 1
        if plan.fault is Fault.WRONG_TYPE:
            return wrong_body(plan.prompt)
        colours = digest(f"{plan.model}\0{plan.prompt}\0{traits}")
        width, height = size
        bands = "".join(
            f'<rect x="0" y="{index * height // 8}" width="{width}" height="{height // 8 + 1}" '
            f'fill="#{colours[index * 6 : index * 6 + 6]}"/>'
            for index in range(8)
        )
        box = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{bands}</svg>'.encode()


def _prompt(body: dict[str, Any], model: _Model) -> str:
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        _invalid("prompt is required")
    if len(prompt) > model.longest_prompt:
        _invalid(f"prompt is longer than {model.longest_prompt} characters")
    return prompt


def _choice(body: dict[str, Any], name: str, known: Collection[str], default: str) -> str:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or value not in known:
        _invalid(f"{name} must be one of {', '.join(known)}")
    return value


def _whole(body: dict[str, Any], name: str, least: int, most: int, default: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if not is_integer(value) or not least <= value <= most:
        _invalid(f"{name} must be an integer in {least}..{most}")
    return int(value)


def _size(body: dict[str, Any], model: _Model) -> tuple[int, int]:
    value = body.get("size", "1024x1024")
    if isinstance(value, str):
        value = model.sizes.get(value, value)
    if value not in model.sizes.values():
        _invalid(f"size must be one of {', '.join(model.sizes.values())}")
    width, _, height = value.partition("x")
    return int(width), int(height)


def _controls(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, dict) or set(value) - {
        "artistic_level",
        "colors",
        "background_color",
        "no_text",
    }:
        _invalid("controls takes artistic_level, colors, background_color and no_text")
    level = value.get("artistic_level")
    if level is not None and (not is_integer(level) or not 0 <= level <= _MOST_ARTISTIC):
        _invalid("controls.artistic_level must be an integer in 0..5")
    colours = value.get("colors") or []
    background = [value["background_color"]] if value.get("background_color") else []
    if not isinstance(colours, list):
        _invalid("controls.colors must be a list")
    for colour in (*colours, *background):
        parts = colour.get("rgb") if isinstance(colour, dict) else None
        if (
            not isinstance(parts, list)
            or len(parts) != len("rgb")
            or not all(is_integer(p) and 0 <= p <= _BRIGHTEST for p in parts)
        ):
            _invalid("a colour is an rgb list of three integers in 0..255")

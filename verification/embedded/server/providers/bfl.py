"""Black Forest Labs' FLUX API: submit, poll, download.

Served: ``POST /v1/{model}`` for the FLUX.2 family (text to image), ``GET /v1/get_result`` and ``GET /v1/credits``, the cheap way to try a key.

A submission answers with a ``polling_url`` on another host than the one that was asked, as the vendor
does; a client has to follow it. The image lies behind a URL that lives for ten minutes. The default
format is JPEG: a client that needs a PNG has to ask for ``output_format: png``. Unknown fields are ignored and
numbers in strings are read, since the vendor's schema neither forbids the former nor refuses the latter; but steps and
guidance are refused of a model that has no use for them, for a client that sends them expects an effect.

Sources:
    Models, https://docs.bfl.ai/quick_start/pricing
    States and endpoints, https://github.com/black-forest-labs/skills
    OpenAPI description, https://api.bfl.ai/openapi.json
    Errors and states of a task, https://docs.bfl.ai/api_integration/errors
    Integration guide (polling, delivery, limits), https://docs.bfl.ai/api_integration/integration_guidelines
    Rate limits, https://github.com/black-forest-labs/skills (skills/bfl-api/references/rate-limiting.md)
    The answer to a bad key, https://github.com/gelasdev/ComfyUI-FLUX-BFL-API/issues/16
    Credits, https://docs.bfl.ai/api-reference/get-the-users-credits
"""

import math
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from .ledger import GENERATION_FAULTS, Fault, digest
from .pictures import MEDIA_TYPES, Format
from .vendor import (
    RETRY_AFTER_SECONDS,
    SLOWNESS_SECONDS,
    Plan,
    RefusalError,
    Vendor,
    is_integer,
    parse_object,
    refuse,
)
from .wire import Answer, Request, json_answer

WORK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class _Model:
    """What one model accepts.

    Attributes:
        credits: its price.
        tuned: whether it takes ``steps`` and ``guidance``.
    """

    credits: float
    tuned: bool = False


MODELS: dict[str, _Model] = {
    "flux-2-pro": _Model(3.0),
    "flux-2-max": _Model(7.0),
    "flux-2-klein-4b": _Model(1.4),
    "flux-2-klein-9b": _Model(1.5),
    "flux-2-flex": _Model(6.0, tuned=True),
}
_SIDE = (64, 4096)
_STEP = 16
_MOST_PIXELS = 2048 * 2048
_TOLERANCE = 5
_LARGEST_SEED = 2**32 - 1


@dataclass(slots=True)
class Task:
    """One generation; its image is drawn when it is first asked for."""

    plan: Plan
    key: str
    kind: Format
    width: int
    height: int
    seed: int
    created: float
    ready: float
    url: str | None = None


class BFL(Vendor):
    """The simulated vendor at api.bfl.ai."""

    name = "bfl"
    hosts = ("api.bfl.ai", "api.us1.bfl.ai")
    delivery_hosts = ("delivery-us1.bfl.ai",)
    url_lifetime_seconds = 600.0

    def key(self, request: Request) -> str | None:
        """The key of the ``x-key`` header."""
        return request.headers.get("x-key") or None

    def unauthorized(self, key: str | None) -> Answer:
        """Status 403, with or without a key."""
        detail = "Not authenticated" if key is None else "Not authenticated - Invalid Authentication"
        return json_answer({"detail": detail}, 403)

    def unauthorized_fault(self) -> Answer:
        """Status 401, which the vendor's guide names beside the 403 that its API gives today."""
        return json_answer({"detail": "Not authenticated - Invalid Authentication"}, 401)

    def rate_limited(self) -> Answer:
        """429 with the documented headers."""
        document = {
            "error": "rate_limit_exceeded",
            "message": "Too many concurrent requests",
            "retry_after": RETRY_AFTER_SECONDS,
        }
        headers = (
            ("retry-after", str(RETRY_AFTER_SECONDS)),
            ("x-ratelimit-limit", "24"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", str(int(time.time()) + RETRY_AFTER_SECONDS)),
        )
        return json_answer(document, 429, headers=headers)

    def server_error(self) -> Answer:
        """Status 500."""
        return json_answer({"detail": "Internal Server Error"}, 500)

    def moderated(self, model: str) -> Answer:
        """Not used: a moderated request is accepted, and its task says so."""
        del model  # every model answers alike
        return json_answer(self._state("", "Request Moderated"))

    async def route(self, request: Request) -> Answer:
        """Serve a submission, a poll or the balance."""
        path = request.path
        if path == "/v1/credits":
            self._only("GET", request)
            return json_answer({"credits": 1000.0})
        if path == "/v1/get_result":
            self._only("GET", request)
            return self._result(request)
        name = path.removeprefix("/v1/")
        if path.startswith("/v1/") and name in MODELS and not self.account.ended(name):
            self._only("POST", request)
            return self._submit(name, MODELS[name], request)
        raise RefusalError(json_answer({"detail": "Not Found"}, 404))

    @staticmethod
    def _only(method: str, request: Request) -> None:
        if request.method != method:
            refuse(json_answer({"detail": "Method Not Allowed"}, 405, headers=(("allow", method),)))

    def _submit(self, name: str, model: _Model, request: Request) -> Answer:
        body = parse_object(request.body) if request.media_type == "application/json" else None
        if body is None:
            _unprocessable(
                ("body",),
                "model_attributes_type",
                "Input should be a valid dictionary or object",
            )
        prompt = body.get("prompt")
        if prompt is None:
            _unprocessable(("body", "prompt"), "missing", "Field required")
        if not isinstance(prompt, str):
            _unprocessable(("body", "prompt"), "string_type", "Input should be a valid string")
        width, height = _dimensions(body)
        for field, limits in (("steps", (1, 50)), ("guidance", (1.5, 10))):
            if field in body and not model.tuned:
                _unprocessable(("body", field), "extra_forbidden", "Extra inputs are not permitted")
            _range(body, field, limits, whole=field == "steps")
        _range(body, "safety_tolerance", (0, _TOLERANCE), whole=True)
        seed = _range(body, "seed", (0, _LARGEST_SEED), whole=True)
        _boolean(body, "prompt_upsampling")
        kind = body.get("output_format") or "jpeg"
        if kind not in ("jpeg", "png"):
            _unprocessable(("body", "output_format"), "enum", "Input should be 'jpeg' or 'png'")
        if body.get("webhook_url") is not None:
            refuse(json_answer({"detail": "Webhooks are not served here; poll instead."}, 400))
        self.account.prompts.append(digest(prompt))
        fault = self.account.take(GENERATION_FAULTS)
        now = time.time()
        delay = WORK_SECONDS + (SLOWNESS_SECONDS if fault is Fault.SLOW else 0.0)
        identifier = str(uuid.uuid4())
        number = int(seed) if seed is not None else secrets.randbelow(_LARGEST_SEED)
        plan = Plan(name, prompt, fault)
        key = self.key(request) or ""
        drawn = cast(Format, kind)
        self.ledger.remember(
            identifier, Task(plan, digest(key), drawn, width, height, number, now, now + delay)
        )
        document = {
            "id": identifier,
            "polling_url": f"https://{self.hosts[1]}/v1/get_result?id={identifier}",
            "cost": model.credits,
            "input_mp": 0.0,
            "output_mp": round(width * height / 1_000_000, 2),
        }
        return json_answer(document, 200, fault.value if fault else "ok")

    @staticmethod
    def _state(
        identifier: str,
        status: str,
        result: dict[str, Any] | None = None,
        details: Any = None,
    ) -> dict[str, Any]:
        return {
            "id": identifier,
            "status": status,
            "result": result,
            "progress": None,
            "details": details,
            "preview": None,
        }

    def _result(self, request: Request) -> Answer:
        identifier = request.query.get("id")
        if identifier is None:
            _unprocessable(("query", "id"), "missing", "Field required")
        task = self.ledger.tasks.get(identifier)
        if not isinstance(task, Task) or task.key != digest(self.key(request) or ""):
            refuse(json_answer(self._state(identifier, "Task not found"), 404))
        if (now := time.time()) < task.ready:
            begun = now > (task.created + task.ready) / 2
            return json_answer(
                self._state(identifier, "Generating" if begun else "Pending"), outcome="pending"
            )
        if task.plan.fault is Fault.MODERATED:
            reasons = {"Moderation Reasons": ["Content Policy"]}
            return json_answer(
                self._state(identifier, "Request Moderated", details=reasons),
                outcome=Fault.MODERATED,
            )
        if task.url is None:
            image = self.picture(task.plan, task.kind, task.width, task.height, task.seed)
            folder = f"/results/{identifier[:2]}/{identifier[2:6]}/{self.token()}"
            query = f"se={int(time.time() + self.url_lifetime_seconds)}&sp=r&sig={self.token()}"
            task.url = self.publish(image, MEDIA_TYPES[task.kind], f"{folder}/sample.{task.kind}", query)
        result = {
            "sample": task.url,
            "prompt": task.plan.prompt,
            "seed": task.seed,
            "start_time": task.created,
            "end_time": task.ready,
            "duration": task.ready - task.created,
        }
        return json_answer(self._state(identifier, "Ready", result))


def _unprocessable(where: tuple[str, ...], kind: str, message: str) -> NoReturn:
    refuse(json_answer({"detail": [{"type": kind, "loc": list(where), "msg": message}]}, 422))


def _number(body: dict[str, Any], name: str, *, whole: bool) -> float | None:
    """A number as Pydantic reads it: a numeric string will do, a fraction will not do for an integer."""
    value = body.get(name)
    if value is None:
        return None
    kind, word = ("int_type", "integer") if whole else ("float_type", "number")
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            _unprocessable(
                ("body", name),
                kind.replace("type", "parsing"),
                f"Input should be a valid {word}",
            )
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        _unprocessable(("body", name), kind, f"Input should be a valid {word}")
    if whole and not is_integer(value) and not float(value).is_integer():
        _unprocessable(
            ("body", name),
            "int_from_float",
            "Input should be a valid integer, got a fraction",
        )
    return value


def _range(body: dict[str, Any], name: str, limits: tuple[float, float], *, whole: bool) -> float | None:
    value = _number(body, name, whole=whole)
    if value is None:
        return None
    if value < limits[0]:
        _unprocessable(
            ("body", name),
            "greater_than_equal",
            f"Input should be greater than or equal to {limits[0]}",
        )
    if value > limits[1]:
        _unprocessable(
            ("body", name),
            "less_than_equal",
            f"Input should be less than or equal to {limits[1]}",
        )
    return value


def _boolean(body: dict[str, Any], name: str) -> None:
    if body.get(name) not in (None, True, False):
        _unprocessable(("body", name), "bool_parsing", "Input should be a valid boolean")


def _dimensions(body: dict[str, Any]) -> tuple[int, int]:
    sides = []
    for name in ("width", "height"):
        value = _range(body, name, _SIDE, whole=True)
        side = 1024 if value is None else int(value)
        if side % _STEP:
            _unprocessable(("body", name), "multiple_of", f"Input should be a multiple of {_STEP}")
        sides.append(side)
    if sides[0] * sides[1] > _MOST_PIXELS:
        _unprocessable(("body",), "value_error", f"Output must have at most {_MOST_PIXELS} pixels")
    return sides[0], sides[1]

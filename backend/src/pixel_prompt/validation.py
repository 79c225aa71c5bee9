"""Turns what a caller sent into values that the rest of the application can trust."""

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, overload
from urllib.parse import urlsplit

from pixel_prompt.errors import (
    invalid_field,
    invalid_json,
    not_found,
    payload_too_large,
    unsupported_media_type,
)
from pixel_prompt.letters import objection
from pixel_prompt.web import Request

PROMPT_MAX_CHARACTERS: Final = 1000
# 1000 characters, each written as two JSON escapes of six bytes, and room for the other fields.
PROMPT_BODY_MAX_BYTES: Final = 16 * 1024
LOG_BODY_MAX_BYTES: Final = 32 * 1024
STEPS: Final = range(25, 51)
DEFAULT_STEPS: Final = 28
GUIDANCE_MIN, GUIDANCE_MAX, DEFAULT_GUIDANCE = 5.0, 10.0, 7.0
SEED_MAX: Final = 2**31 - 1
PAGE_SIZES: Final = range(1, 101)
DEFAULT_PAGE_SIZE: Final = 20
_PAGE_SIZE_TEXTS: Final = frozenset(map(str, PAGE_SIZES))

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SORT_KEY: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[0-9a-f-]{36}")
_LOG_LEVELS: Final = ("error", "warn", "info")


@dataclass(frozen=True, slots=True)
class Wish:
    """What POST /generate asks for."""

    prompt: str
    steps: int = DEFAULT_STEPS
    guidance: float = DEFAULT_GUIDANCE
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class BrowserReport:
    """What POST /log reports; every text is cut to a length that a log line can bear."""

    level: str
    message: str
    stack: str | None = None
    url: str | None = None
    correlation_id: str | None = None
    context: Mapping[str, str | int | float | bool] | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of the gallery is wanted.

    Attributes:
        size: how many galleries it may hold.
        after: the sort key of the last gallery of the page before.
        verification: whether the jobs that verify the deployment are listed, instead of those of users.
    """

    size: int = DEFAULT_PAGE_SIZE
    after: str | None = None
    verification: bool = False


def read_object(request: Request, max_bytes: int) -> dict[str, Any]:
    """The request's body as a JSON object.

    Strict where JSON readers differ: no NaN or Infinity, no number beyond a double, no name twice.

    Raises:
        ApiError: 415, 413 or 400.
    """
    essence, charset = request.media_type
    if essence != "application/json" or charset not in ("utf-8", "utf8", "us-ascii"):
        raise unsupported_media_type()
    # Base64 makes three bytes four characters, hence a cheap test before decoding.
    if len(request.raw_body or "") > max_bytes * 4 // 3 + 4:
        raise payload_too_large(max_bytes)
    body = request.body()
    if len(body) > max_bytes:
        raise payload_too_large(max_bytes)
    if not body.strip():
        raise invalid_json("The body is empty; a JSON object is expected.")
    try:
        document = json.loads(
            body.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError):
        raise invalid_json("The body is not valid JSON.") from None
    if not isinstance(document, dict):
        raise invalid_json("The body is not a JSON object.")
    return document


def read_wish(document: Mapping[str, Any]) -> Wish:
    """The fields of POST /generate. Others are ignored, an ``ip`` among them.

    Raises:
        ApiError: 422.
    """
    return Wish(
        prompt=read_prompt(document),
        steps=_integer(document, "steps", STEPS, DEFAULT_STEPS),
        guidance=_guidance(document.get("guidance")),
        seed=_integer(document, "seed", range(SEED_MAX + 1), None),
    )


def read_models(document: Mapping[str, Any], configured: Sequence[str]) -> list[str]:
    """The field ``models`` of POST /generate: whom to ask, in the registry's order; all when it is absent.

    Raises:
        ApiError: 422.
    """
    value = document.get("models")
    if value is None:
        return list(configured)
    if not isinstance(value, list):
        raise invalid_field("models must be an array of ids that GET /health lists.")
    chosen = [model for model in configured if model in value]
    # Each of the ids is known, and none occurs twice, exactly when none is left over.
    if not chosen or len(chosen) != len(value):
        raise invalid_field(f"models must hold 1 to {len(configured)} different ids that GET /health lists.")
    return chosen


def read_verification(document: Mapping[str, Any]) -> bool:
    """The field ``verification`` of POST /generate: whether the job only verifies the deployment.

    Raises:
        ApiError: 422.
    """
    value = document.get("verification")
    if value is not None and not isinstance(value, bool):
        raise invalid_field("verification must be true or false.")
    return bool(value)


def read_prompt(document: Mapping[str, Any]) -> str:
    """The field ``prompt``, without white space at its ends.

    Raises:
        ApiError: 422.
    """
    prompt = document.get("prompt")
    if not isinstance(prompt, str):
        raise invalid_field("prompt must be a string.")
    stripped = prompt.strip()
    if not 1 <= len(stripped) <= PROMPT_MAX_CHARACTERS:
        raise invalid_field(f"prompt must have 1 to {PROMPT_MAX_CHARACTERS} characters.")
    # Looked at as it was sent: strip() takes some control characters for white space.
    if reason := objection(prompt):
        raise invalid_field(f"prompt {reason}")
    return stripped


def read_report(document: Mapping[str, Any]) -> BrowserReport:
    """The fields of POST /log. Others are ignored.

    Raises:
        ApiError: 422.
    """
    message = document.get("message")
    if not isinstance(message, str) or not message.strip():
        raise invalid_field("message must be a string that is not empty.")
    level = document.get("level", "error")
    if level not in _LOG_LEVELS:
        raise invalid_field(f"level must be one of {', '.join(_LOG_LEVELS)}.")
    return BrowserReport(
        level=str(level),
        message=_printable(message, 500),
        stack=_optional_text(document, "stack", 2000),
        url=_address(_optional_text(document, "url", 2000)),
        correlation_id=_optional_text(document, "correlationId", 64),
        context=_facts(document.get("context")),
    )


def read_id(text: str) -> str:
    """A job's id, as part of a path.

    Raises:
        ApiError: 404; an id of another form cannot exist.
    """
    if not _ID.fullmatch(text):
        raise not_found("There is no such job or gallery.")
    return text


def read_page(query: Mapping[str, str]) -> PageRequest:
    """The query of GET /gallery/list.

    Raises:
        ApiError: 422.
    """
    size = DEFAULT_PAGE_SIZE
    if "limit" in query:
        text = query["limit"]
        if text not in _PAGE_SIZE_TEXTS:
            raise invalid_field(f"limit must be a number from {PAGE_SIZES[0]} to {PAGE_SIZES[-1]}.")
        size = int(text)
    verification = query.get("verification", "false")
    if verification not in ("true", "false"):
        raise invalid_field("verification must be true or false.")
    after = read_cursor(query["cursor"]) if "cursor" in query else None
    return PageRequest(size, after, verification == "true")


def make_cursor(sort_key: str) -> str:
    """The cursor that continues after the gallery with this sort key."""
    return base64.urlsafe_b64encode(sort_key.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """The sort key in a cursor.

    Raises:
        ApiError: 422; the cursor was not made here.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        sort_key = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        sort_key = ""
    if not _SORT_KEY.fullmatch(sort_key):
        raise invalid_field("cursor must be a nextCursor of this API.")
    return sort_key


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name occurs twice")
    return document


@overload
def _integer(document: Mapping[str, Any], name: str, allowed: range, default: int) -> int: ...
@overload
def _integer(document: Mapping[str, Any], name: str, allowed: range, default: None) -> int | None: ...
def _integer(document: Mapping[str, Any], name: str, allowed: range, default: int | None) -> int | None:
    value = document.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
        raise invalid_field(f"{name} must be an integer from {allowed[0]} to {allowed[-1]}.")
    return value


def _guidance(value: object) -> float:
    if value is None:
        return DEFAULT_GUIDANCE
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not GUIDANCE_MIN <= value <= GUIDANCE_MAX
    ):
        raise invalid_field(f"guidance must be a number from {GUIDANCE_MIN:g} to {GUIDANCE_MAX:g}.")
    return float(value)


def _printable(text: str, limit: int) -> str:
    cut = text.strip()[:limit]
    return cut.encode("utf-8", "replace").decode("utf-8")


def _optional_text(document: Mapping[str, Any], name: str, limit: int) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid_field(f"{name} must be a string.")
    return _printable(value, limit) or None


def _address(url: str | None) -> str | None:
    """Without query and fragment, which may hold what a user typed."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:300] if parts.netloc else parts.path[:300]


def _facts(value: object) -> dict[str, str | int | float | bool] | None:
    """At most ten short facts; anything nested is left out."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise invalid_field("context must be an object.")
    facts: dict[str, str | int | float | bool] = {}
    for name, fact in list(value.items())[:10]:
        if isinstance(fact, str):
            facts[_printable(str(name), 40)] = _printable(fact, 200)
        elif isinstance(fact, bool | int | float):
            facts[_printable(str(name), 40)] = fact
    return facts

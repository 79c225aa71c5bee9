"""Whether the API that was just deployed answers, and as the environment it should be."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

_ATTEMPT_TIMEOUT_S = 10.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 8.0


class Fetch(Protocol):
    """GETs an address within a number of seconds; its HTTP status and body."""

    def __call__(self, url: str, timeout: float) -> tuple[int, bytes]: ...


class Unhealthy(Exception):
    """The API did not answer properly before the deadline; carries the last answer."""


def https_fetch(ca_bundle: str | None) -> Fetch:
    """GET over HTTPS, trusting the given roots; loopback addresses bypass a proxy."""
    context = ssl.create_default_context(cafile=ca_bundle)

    def fetch(url: str, timeout: float) -> tuple[int, bytes]:
        handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
        if urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1"):
            handlers.append(urllib.request.ProxyHandler({}))
        try:
            with urllib.request.build_opener(*handlers).open(url, timeout=timeout) as answer:
                return answer.status, answer.read(100_000)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read(100_000)

    return fetch


def wait_until_healthy(
    endpoint: str,
    environment: str,
    fetch: Fetch,
    *,
    deadline_s: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Ask `/health` until it says 200 for this environment; what it said.

    A new API can answer 403 or 5xx for some seconds, so every failure is retried until the deadline.

    Raises:
        Unhealthy: the deadline passed; names the address, the number of attempts and the last answer.
    """
    url = f"{endpoint.rstrip('/')}/health"
    end = clock() + deadline_s
    wait, attempts = _FIRST_PAUSE_S, 0
    while True:
        attempts += 1
        try:
            status, body = fetch(url, max(1.0, min(_ATTEMPT_TIMEOUT_S, end - clock())))
            answer = _answer(status, body)
            if isinstance(answer, dict) and answer.get("environment") == environment:
                return answer
            problem = (
                answer if isinstance(answer, str) else f"HTTP 200 from another environment: {_start(body)}"
            )
        except (OSError, http.client.HTTPException, ValueError) as failure:
            problem = f"{type(failure).__name__}: {failure}"
        if clock() + wait >= end:
            raise Unhealthy(
                f"{url} is not healthy after {attempts} {'attempt' if attempts == 1 else 'attempts'} in {deadline_s:.0f} s; "
                f"expected 200 from '{environment}', last: {problem}"
            )
        pause(wait)
        wait = min(wait * 2, _LONGEST_PAUSE_S)


def _answer(status: int, body: bytes) -> object:
    """The JSON of a 200, or in words what there was instead."""
    if status != http.client.OK:
        return f"HTTP {status} {_start(body)}"
    try:
        return json.loads(body)
    except ValueError:
        return f"HTTP 200 without JSON: {_start(body)}"


def _start(body: bytes) -> str:
    return body[:200].decode(errors="replace")

"""Whether what was just deployed answers: the API as the environment it should be, the page as it was built."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

_ATTEMPT_TIMEOUT_S = 10.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 8.0
_T = TypeVar("_T")


class Fetch(Protocol):
    """GETs an address within a number of seconds; its HTTP status and body."""

    def __call__(self, url: str, timeout: float) -> tuple[int, bytes]: ...


class Unhealthy(Exception):
    """Something did not answer properly before the deadline; carries the last answer."""


class _NotYet(Exception):
    """An answer that is not the one waited for, in words."""


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

    def judge(status: int, body: bytes) -> dict[str, Any]:
        answer = _answer(status, body)
        if isinstance(answer, dict) and answer.get("environment") == environment:
            return answer
        raise _NotYet(
            answer if isinstance(answer, str) else f"HTTP 200 from another environment: {_start(body)}"
        )

    url = f"{endpoint.rstrip('/')}/health"
    return _wait(
        url, f"200 from '{environment}'", judge, fetch, deadline_s=deadline_s, clock=clock, pause=pause
    )


def wait_until_published(
    site: str,
    files: Sequence[str],
    fetch: Fetch,
    *,
    deadline_s: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Ask for the page until it names all these files, its own as it was just built.

    Raises:
        Unhealthy: the deadline passed; names the address, the number of attempts and the last answer.
    """

    def judge(status: int, body: bytes) -> None:
        if status != http.client.OK:
            raise _NotYet(f"HTTP {status} {_start(body)}")
        absent = [name for name in files if name.encode() not in body]
        if absent:
            raise _NotYet(f"HTTP 200 with a page that does not name {', '.join(absent)}: {_start(body)}")

    url = f"{site.rstrip('/')}/"
    _wait(
        url,
        "200 with the page that was just built",
        judge,
        fetch,
        deadline_s=deadline_s,
        clock=clock,
        pause=pause,
    )


def is_published(site: str, files: Sequence[str], fetch: Fetch) -> bool:
    """Whether the page names all these files already; asked once."""
    try:
        wait_until_published(site, files, fetch, deadline_s=0.0)
    except Unhealthy:
        return False
    return True


def _wait(
    url: str,
    expected: str,
    judge: Callable[[int, bytes], _T],
    fetch: Fetch,
    *,
    deadline_s: float,
    clock: Callable[[], float],
    pause: Callable[[float], None],
) -> _T:
    end = clock() + deadline_s
    wait, attempts = _FIRST_PAUSE_S, 0
    while True:
        attempts += 1
        try:
            return judge(*fetch(url, max(1.0, min(_ATTEMPT_TIMEOUT_S, end - clock()))))
        except _NotYet as other:
            problem = str(other)
        except (OSError, http.client.HTTPException, ValueError) as failure:
            problem = f"{type(failure).__name__}: {failure}"
        if clock() + wait >= end:
            raise Unhealthy(
                f"{url} is not healthy after {attempts} {'attempt' if attempts == 1 else 'attempts'} in {deadline_s:.0f} s; "
                f"expected {expected}, last: {problem}"
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


def trusted_roots(ca_bundle: str | None) -> str | None:
    """Return the file of certificates that a request trusts, if it is not the system's."""
    return ca_bundle or os.environ.get("AWS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")

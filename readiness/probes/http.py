"""One HTTP exchange, and what came back as an object that reads well in a failed assertion."""

from __future__ import annotations

import base64
import json
import math
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from readiness.environment import IDLE_SECONDS, Environment
from readiness.errors import Unverified

_EXCERPT = 300  # characters of a body shown in a message
_CONNECTIONS = 100  # to one host; as many as any probe asks at once
_REMEMBERED = 200  # answers of a check, before the report picks from them
LATEST: deque[str] = deque(maxlen=_REMEMBERED)
"""Excerpts of the latest answers. Empty it before a check to get the answers of that check alone."""


class Allowance:
    """How many requests may be sent until it is renewed; without limit before that."""

    def __init__(self) -> None:
        self._left: float = math.inf
        self._lock = threading.Lock()

    def renew(self, requests: int) -> None:
        self._left = requests

    def spend(self, what: str) -> None:
        """Take one request off.

        Raises:
            Unverified: none is left.
        """
        with self._lock:
            self._left -= 1
            if self._left < 0:
                raise Unverified(
                    f"{what} was not sent: the item has sent all that it may, REQUESTS_OF_AN_ITEM"
                )


ALLOWANCE = Allowance()
"""Of this process, whose checks run one after the other."""


@dataclass(frozen=True)
class Answer:
    """A response. `elapsed` runs from sending the request (and opening a connection, for the first) to the last byte of the body."""

    request: str
    status: int
    headers: Mapping[str, str]  # case-insensitive
    body: bytes = field(repr=False)
    elapsed: timedelta

    def plain(self) -> dict[str, Any]:
        """The same as JSON's own types, which cross process borders."""
        body = base64.b64encode(self.body).decode()
        headers = dict(self.headers)
        return {**vars(self), "headers": headers, "body": body, "elapsed": self.elapsed.total_seconds()}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Answer:
        """The inverse of `plain`."""
        exact = {
            "headers": CaseInsensitiveDict(plain["headers"]),
            "body": base64.b64decode(plain["body"]),
            "elapsed": timedelta(seconds=plain["elapsed"]),
        }
        return cls(**{**plain, **exact})

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            AssertionError: it is not JSON, which no answer of the API's contract may be.
        """
        try:
            return json.loads(self.body)
        except ValueError as problem:
            raise AssertionError(f"{self!r}: expected JSON, {problem}") from problem

    def document(self) -> Any:
        """Return the JSON of an answer that has to be a success before the check can continue.

        Raises:
            Unverified: it is no success, or not JSON. Another check asserts that it is.
        """
        if self.status not in (HTTPStatus.OK, HTTPStatus.ACCEPTED):
            raise Unverified(f"{self!r}: expected a success", cause=f"{self.request} answers {self.status}")
        try:
            return json.loads(self.body)
        except ValueError as problem:
            raise Unverified(
                f"{self!r}: expected JSON, {problem}",
                cause=f"{self.request} answers with something else than JSON",
            ) from problem

    def __repr__(self) -> str:
        kind = self.headers.get("content-type", "no content type")
        text = self.body.decode("utf-8", "replace") if kind.startswith(("application/json", "text/")) else ""
        shown = text[:_EXCERPT] or f"{len(self.body)} bytes"
        return f"<{self.request} -> {self.status} {kind}: {shown}>"


class Connections:
    """Connections that stay open between exchanges. They store no cookies. Connections that were idle for long are closed.

    An exchange may cost money and is not retried, so it must not begin on a connection that a proxy or NAT on the path has
    dropped.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._used = time.monotonic()
        self._session = requests.Session()
        self._session.mount("https://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    @contextmanager
    def ready(self) -> Iterator[requests.Session]:
        """The connections, for one exchange."""
        if time.monotonic() - self._used > self._idle_seconds:
            self._session.close()  # those that are in use stay open
        self._used = time.monotonic()
        yield self._session
        self._used = time.monotonic()


@cache
def _connections() -> Connections:
    return Connections()


def _trusted(env: Environment) -> str | bool:
    """Whose certificates are trusted: an embedded AWS's own where the shell names it, as boto3 does it."""
    named = (os.environ.get(name) for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"))
    return env.ca_bundle or next((path for path in named if path), True)


def exchange(
    env: Environment,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    deadline: timedelta = timedelta(seconds=35),
    as_sent: bool = False,
) -> Answer:
    """Send one request without redirects and retries. `as_sent` leaves the body as it was transferred.

    Raises:
        Unverified: no answer came in time, the connection could not be made or trusted, or the allowance is spent.
    """
    ALLOWANCE.spend(f"{method} {url}")

    def do() -> Mapping[str, Any]:
        started = time.monotonic()
        try:
            with _connections().ready() as connections:
                response = connections.request(
                    method,
                    url,
                    headers=dict(headers or {}),
                    data=body,
                    timeout=(5, deadline.total_seconds()),
                    allow_redirects=False,
                    verify=_trusted(env),
                    stream=as_sent,
                )
                content = b"".join(response.raw.stream(decode_content=False)) if as_sent else response.content
        except (requests.RequestException, urllib3.exceptions.HTTPError) as problem:
            raise Unverified(
                f"{method} {url}: no answer ({type(problem).__name__}: {problem})",
                cause=f"{urlsplit(url).netloc} does not answer",
            ) from problem
        seconds = time.monotonic() - started  # requests' own stops at the headers
        head = {"status": response.status_code, "headers": dict(response.headers)}
        return {**head, "body": content, "seconds": seconds}

    request = {"method": method, "url": url, "headers": dict(headers or {}), "body": body}
    got = env.exchanges.call("http", request, do)
    elapsed = timedelta(seconds=got["seconds"])
    answer = Answer(
        f"{method} {url}", got["status"], CaseInsensitiveDict(got["headers"]), got["body"], elapsed
    )
    LATEST.append(f"{answer!r} in {elapsed.total_seconds() * 1000:.0f} ms")
    return answer

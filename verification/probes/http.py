"""One HTTP exchange, and what came back as an object that reads well in a failed assertion."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from verification import budgets
from verification.environment import Environment
from verification.errors import Unverified

_EXCERPT = 300  # characters of a body shown in a message
_REMEMBERED = 200  # answers of a check, before the report picks from them
LATEST: deque[str] = deque(maxlen=_REMEMBERED)
"""Excerpts of the latest answers; whoever wants those of one check empties it before."""


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
        """The JSON of an answer that has to be a success before anything else can be looked at.

        Raises:
            Unverified: it is none, or not JSON; the check that claims this asserts it.
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


@cache
def _connections() -> requests.Session:
    """Connections that are kept open between exchanges; cookies are not kept."""
    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=budgets.USERS_AT_ONCE))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def exchange(
    env: Environment,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    deadline: timedelta = timedelta(seconds=35),
) -> Answer:
    """Send one request, follow nothing, retry nothing.

    Raises:
        Unverified: nobody answered in time, the connection could not be made or trusted, or the allowance is spent.
    """
    ALLOWANCE.spend(f"{method} {url}")
    started = time.monotonic()
    try:
        response = _connections().request(
            method,
            url,
            headers=dict(headers or {}),
            data=body,
            timeout=(5, deadline.total_seconds()),
            allow_redirects=False,
            verify=env.ca_bundle or True,
        )
    except requests.RequestException as problem:
        raise Unverified(
            f"{method} {url}: no answer ({type(problem).__name__}: {problem})",
            cause=f"{urlsplit(url).netloc} does not answer",
        ) from problem
    elapsed = timedelta(seconds=time.monotonic() - started)  # requests' own stops at the headers
    answer = Answer(f"{method} {url}", response.status_code, response.headers, response.content, elapsed)
    LATEST.append(f"{answer!r} in {elapsed.total_seconds() * 1000:.0f} ms")
    return answer

"""What travels between an ASGI server and a simulated vendor.

A vendor sees a whole request and gives back a whole answer; how an answer may go wrong on the
way (cut in the middle, never sent) is a property of the answer, so that vendors stay plain
functions and tests need no socket.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, unquote

JSON = "application/json"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY_BYTES = 32 * 1024 * 1024
LONGEST_SILENCE_SECONDS = 240.0


class BodyTooLargeError(Exception):
    """The client sent more than any vendor accepts."""


class Delivery(Enum):
    """How an answer reaches the client."""

    WHOLE = "whole"
    CUT = "cut"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Request:
    """One complete HTTP request; header names are in lower case."""

    method: str
    host: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def bearer(self) -> str | None:
        """The token of an ``Authorization: Bearer`` header, or None when there is none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response.

    Attributes:
        outcome: what the counters call it: ``ok``, ``refused``, ``unauthorized`` or a fault's name.
    """

    status: int
    body: bytes
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    outcome: str = "ok"
    delivery: Delivery = Delivery.WHOLE

    def named(self, outcome: str) -> "Answer":
        """The same answer under another outcome."""
        return replace(self, outcome=outcome)

    def delivered(self, delivery: Delivery) -> "Answer":
        """The same answer, delivered in another way."""
        return replace(self, delivery=delivery)


def json_answer(
    document: object,
    status: int = 200,
    outcome: str = "ok",
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    """An answer that carries a JSON document."""
    return Answer(status, json.dumps(document).encode(), JSON, headers, outcome)


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Collect one request.

    Raises:
        BodyTooLargeError: the body is larger than 32 MiB.
        ConnectionError: the client went away before it had sent everything.
    """
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client left before its request was complete")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY_BYTES:
            raise BodyTooLargeError
        chunks.append(chunk)
        if not message.get("more_body", False):
            break
    return Request(
        method=scope["method"],
        host=host_name(headers.get("host", "")),
        path=unquote(scope["path"]),
        query=dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)),
        headers=headers,
        body=b"".join(chunks),
    )


def host_name(value: str) -> str:
    """The host of a ``Host`` header, without port, in lower case."""
    return value.rpartition(":")[0].lower() if value.rpartition(":")[2].isdigit() else value.lower()


async def silence(receive: Receive) -> None:
    """Wait until the client has gone, at most 240 seconds: longer than any client of ours waits."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        async with asyncio.timeout(LONGEST_SILENCE_SECONDS):
            await gone()
    except TimeoutError:
        return


async def send_answer(answer: Answer, receive: Receive, send: Send) -> None:
    """Send an answer as its `delivery` says.

    For a cut answer, it announces the full length and sends half of the body. The server must then
    close the connection. A client gets the same when a vendor's host fails.
    """
    if answer.delivery is Delivery.NEVER:
        await silence(receive)
        return
    headers = [
        (b"content-type", answer.media_type.encode("latin-1")),
        (b"content-length", str(len(answer.body)).encode()),
        *((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.delivery is Delivery.CUT:
        await send(
            {
                "type": "http.response.body",
                "body": answer.body[: len(answer.body) // 2],
                "more_body": True,
            }
        )
        return
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})

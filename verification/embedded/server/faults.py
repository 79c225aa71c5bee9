"""Faults of AWS itself, in front of the main port: S3 that refuses, cuts connections or does not answer.

``POST /_embedded/faults`` with ``{"s3:PutObject": ["slow_down", "reset", "timeout"]}`` lets each object's first
attempts to be stored meet these faults in turn; ``GET`` tells how many attempts met which; ``DELETE`` forgets all
of it. Only loopback reaches this port.

Source of the refusal: Amazon S3 API reference, "List of error codes", SlowDown.
"""

from __future__ import annotations

import json
from collections import Counter
from enum import StrEnum
from http import HTTPStatus

from verification.embedded.server.context import App, Receive, Scope, Send
from verification.embedded.server.providers.wire import (
    Answer,
    BodyTooLargeError,
    Delivery,
    json_answer,
    read_request,
    send_answer,
)

PATH = "/_embedded/faults"
PUT_OBJECT = "s3:PutObject"


class Fault(StrEnum):
    """What can become of an attempt."""

    SLOW_DOWN = "slow_down"
    RESET = "reset"
    TIMEOUT = "timeout"


_REFUSAL = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_SLOW_DOWN = Answer(HTTPStatus.SERVICE_UNAVAILABLE.value, _REFUSAL, "application/xml")


class Faults:
    """ASGI middleware; it passes requests without a fault to the app behind it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._faults: list[Fault] = []
        self._attempts: Counter[str] = Counter()
        self._met: Counter[str] = Counter()

    def forget(self) -> None:
        """Let everything pass again."""
        self._faults = []
        self._attempts.clear()
        self._met.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the control, or in S3's place, or pass the request on."""
        if scope["type"] != "http" or not (scope["path"] == PATH or self._awaits(scope)):
            await self._app(scope, receive, send)
            return
        try:
            request = await read_request(scope, receive)
        except (BodyTooLargeError, ConnectionError):
            return
        if scope["path"] == PATH:
            await send_answer(self._control(request.method, request.body), receive, send)
            return
        fault = self._faults[self._attempts[request.path]]
        self._attempts[request.path] += 1
        self._met[fault] += 1
        if fault is Fault.RESET:
            # In chunks, for botocore does not mind a body that is shorter than it was said to be.
            await send({"type": "http.response.start", "status": HTTPStatus.OK.value, "headers": []})
            await send({"type": "http.response.body", "body": b"<", "more_body": True})
        else:
            delivery = Delivery.NEVER if fault is Fault.TIMEOUT else Delivery.WHOLE
            await send_answer(_SLOW_DOWN.delivered(delivery), receive, send)

    def _awaits(self, scope: Scope) -> bool:
        """Whether a fault awaits this request: an attempt to store an object, by the signature's own scope."""
        if not self._faults or scope["method"] != "PUT" or scope.get("query_string"):
            return False
        signature = next((value for name, value in scope["headers"] if name.lower() == b"authorization"), b"")
        is_object = "/" in scope["path"].strip("/")
        return (
            b"/s3/aws4_request" in signature
            and is_object
            and self._attempts[scope["path"]] < len(self._faults)
        )

    def _control(self, method: str, body: bytes) -> Answer:
        if method == "DELETE":
            self.forget()
        elif method == "POST":
            try:
                wanted = [Fault(name) for name in json.loads(body)[PUT_OBJECT]]
            except (KeyError, TypeError, ValueError) as problem:
                known = ", ".join(Fault)
                return json_answer(
                    {"error": f'expected {{"{PUT_OBJECT}": [{known}]}}: {problem}'},
                    HTTPStatus.BAD_REQUEST.value,
                )
            self.forget()
            self._faults = wanted
        elif method != "GET":
            return json_answer({"error": f"{method} is not for {PATH}"}, HTTPStatus.METHOD_NOT_ALLOWED.value)
        return json_answer({PUT_OBJECT: self._faults, "met": dict(self._met)})

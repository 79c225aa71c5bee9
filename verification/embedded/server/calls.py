"""A record of the calls that the AWS APIs get: what IAM would ask about each, and whose key it was signed with.

``PUT /_embedded/calls`` begins a record, ``GET`` hands out what it holds so far, ``DELETE`` ends it. A call is
``{"key": access key id, "principal": ARN, "action": "s3:PutObject", "resource": "arn:aws:s3:::bucket/key"}``. The principal is
that of an assumed role, as a function has one, and empty for any other key. The resource is ``*`` where MiniStack knows no narrower one, and the action is empty where it knows none; ``request`` tells such a call apart.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from ministack.core import iam_actions, router
from ministack.services import sts

from verification.embedded.server import require
from verification.embedded.server.context import App, Context, Message, Receive, Scope, Send

require(iam_actions, "extract_iam_action", "extract_resource_arn", "s3_additional_checks")
require(iam_actions, "_match_rest_action", "_BOTOCORE_SERVICE_MAP")
require(sts, "_sessions")
require(router, "detect_service", "extract_access_key_id", "extract_region")

PATH = "/_embedded/calls"
# Lambda's operations by botocore's routes: MiniStack's own table lacks some, and takes one for another. Under a name of
# its own, for what MiniStack enforces does not change by being recorded.
_LAMBDA = "lambda, by its routes"
iam_actions._BOTOCORE_SERVICE_MAP[_LAMBDA] = ["lambda"]
_FORM = "application/x-www-form-urlencoded"


class Calls:
    """ASGI middleware of the main port; it reads the requests while a record is kept."""

    def __init__(self, app: App, context: Context) -> None:
        self._app = app
        self._context = context
        self._record: list[dict[str, str]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin, hand out or end the record, or pass the request on."""
        if scope["type"] == "http" and scope["path"] == PATH:
            await self._control(scope["method"], send)
        elif scope["type"] == "http" and self._record is not None:
            messages = await _all(receive)
            body = b"".join(message.get("body", b"") for message in messages)
            self._record.extend(self._calls(scope, body))
            await self._app(scope, _replayed(messages, receive), send)
        else:
            await self._app(scope, receive, send)

    async def _control(self, method: str, send: Send) -> None:
        status = HTTPStatus.OK
        if method == "PUT":
            self._record = []
        elif method not in ("GET", "DELETE"):
            status = HTTPStatus.METHOD_NOT_ALLOWED
        answer = json.dumps(self._record or []).encode()
        if method == "DELETE":
            self._record = None
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status.value, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _calls(self, scope: Scope, body: bytes) -> list[dict[str, str]]:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        if headers.get("content-type", "").startswith(_FORM):
            query = {**parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True), **query}
        key = router.extract_access_key_id(headers, query)
        if not key:
            return []  # no permissions are checked
        method, path = scope["method"], scope["path"]
        service = router.detect_service(method, path, headers, query)
        request = (service, method, path, headers, body, query)
        action = iam_actions.extract_iam_action(*request) or ""
        if service == "lambda" and (name := iam_actions._match_rest_action(_LAMBDA, method, path, query)):
            action = f"lambda:{name}"
        where = (router.extract_region(headers, query), self._context.account_id)
        asked = [(action, iam_actions.extract_resource_arn(*request, *where))]
        if service == "s3":
            asked += iam_actions.s3_additional_checks(method, path, headers, body, query)
        caller = {"key": key, "principal": (sts._sessions.get(key) or {}).get("Arn", "")}
        label = f"{service}: {method} {path}"
        return [{**caller, "action": one, "resource": resource, "request": label} for one, resource in asked]


async def _all(receive: Receive) -> list[Message]:
    messages: list[Message] = []
    while True:
        messages.append(await receive())
        if not messages[-1].get("more_body", False):
            return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    """What was read already, then the rest."""
    ahead = iter(messages)

    async def again() -> Any:
        message = next(ahead, None)
        return await receive() if message is None else message

    return again

"""Now and then AWS refuses a call of a control plane as too frequent, however few there were.

Source: AWS General Reference, "Retry behavior"; each service's "Common errors": ThrottlingException, Throttling.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus

from verification.embedded.server import pace
from verification.embedded.server.context import App, Receive, Scope, Send, read_body
from verification.embedded.server.pace import Pace

# Whose calls change or describe resources. What an application calls all the while has other limits: S3, SQS, DynamoDB.
CONTROL_PLANES = frozenset(
    {
        "apigateway",
        "budgets",
        "cloudformation",
        "cloudfront",
        "iam",
        "lambda",
        "logs",
        "monitoring",
        "sns",
        "wafv2",
    }
)
SIGNED_FOR = re.compile(rb"Credential=[^/]+/\d{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request")
INVOCATION = "/invocations"
MESSAGE = "Rate exceeded"


class Throttling:
    """ASGI middleware of the main port."""

    def __init__(self, app: App, slow: Pace) -> None:
        self._app = app
        self._pace = slow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse one call in many, pass the others on."""
        if not (_is_control(scope) and self._pace.happens(pace.THROTTLED_CALLS)):
            await self._app(scope, receive, send)
            return
        await read_body(receive)
        status, headers, body = _refusal(dict(scope["headers"]).get(b"content-type", b"").decode("latin-1"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _is_control(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["path"].endswith(INVOCATION):
        return False
    signature = next((value for name, value in scope["headers"] if name.lower() == b"authorization"), b"")
    service = SIGNED_FOR.search(signature)
    return service is not None and service[1].decode() in CONTROL_PLANES


def _refusal(kind: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """The refusal in the words of the request's own protocol."""
    if "x-www-form-urlencoded" in kind or not kind or "xml" in kind:
        content = f"<ErrorResponse><Error><Code>Throttling</Code><Message>{MESSAGE}</Message></Error></ErrorResponse>"
        sent, status = b"text/xml", HTTPStatus.BAD_REQUEST
    else:
        content = json.dumps({"__type": "ThrottlingException", "message": MESSAGE})
        sent, status = b"application/x-amz-json-1.1", HTTPStatus.TOO_MANY_REQUESTS
    body = content.encode()
    headers = [
        (b"content-type", sent),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-errortype", b"ThrottlingException"),
    ]
    return status.value, headers, body

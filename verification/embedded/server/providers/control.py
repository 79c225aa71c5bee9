"""The control of the vendors, on the main port.

``GET /_embedded/providers`` tells everything, ``POST /_embedded/providers/{vendor}`` sets a fault, a
latency, revoked keys, missing subscriptions, today's date or models' ends, ``DELETE /_embedded/providers`` forgets everything. Only
loopback may ask. Bedrock's answers pass through here too, since only the ASGI layer can cut a
connection or keep it silent.
"""

import ipaddress
from http import HTTPStatus

from .bedrock import MARKER
from .ledger import VENDORS, InvalidSettingError, Ledger
from .vendor import parse_object
from .wire import (
    Answer,
    Application,
    BodyTooLargeError,
    Delivery,
    Message,
    Receive,
    Request,
    Scope,
    Send,
    json_answer,
    read_request,
    send_answer,
    silence,
)

ROOT = "/_embedded/providers"


class ControlPanel:
    """ASGI middleware; it passes every path but its own to the app behind it."""

    def __init__(self, app: Application, ledger: Ledger) -> None:
        self._app = app
        self._ledger = ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a control request, or pass the request on."""
        if scope["type"] == "http" and (scope["path"] == ROOT or scope["path"].startswith(ROOT + "/")):
            try:
                request = await read_request(scope, receive)
            except (BodyTooLargeError, ConnectionError):
                return
            await send_answer(self._answer(request, scope), receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(("/model/", "/foundation-models/")):
            await self._app(scope, receive, _Faulty(receive, send))
        else:
            await self._app(scope, receive, send)

    def _answer(self, request: Request, scope: Scope) -> Answer:
        if not _from_loopback(scope):
            return _problem(HTTPStatus.FORBIDDEN, "only loopback may use the control")
        vendor = request.path[len(ROOT) :].strip("/")
        if vendor and vendor not in VENDORS:
            return _problem(
                HTTPStatus.NOT_FOUND,
                f"no vendor {vendor!r}; known: {', '.join(VENDORS)}",
            )
        match request.method:
            case "GET":
                return json_answer(self._ledger[vendor].report() if vendor else self._ledger.report())
            case "DELETE" if not vendor:
                self._ledger.reset()
                return json_answer(self._ledger.report())
            case "POST" if vendor:
                return self._set(vendor, request.body)
        return _problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not for {request.path}")

    def _set(self, vendor: str, body: bytes) -> Answer:
        settings = parse_object(body)
        if settings is None:
            return _problem(HTTPStatus.BAD_REQUEST, "the body is a JSON object")
        try:
            self._ledger[vendor].set(settings)
        except InvalidSettingError as problem:
            return _problem(HTTPStatus.BAD_REQUEST, str(problem))
        return json_answer(self._ledger[vendor].report())


def _problem(status: HTTPStatus, message: str) -> Answer:
    return json_answer({"error": message}, status.value)


def _from_loopback(scope: Scope) -> bool:
    client = scope.get("client") or ("",)
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


class _Faulty:
    """A ``send`` that carries out the delivery fault that an answer of Bedrock is marked with."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._delivery = Delivery.WHOLE

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = {name.lower(): value for name, value in message.get("headers", [])}
            self._delivery = Delivery(headers.get(MARKER.encode(), b"whole").decode())
            if self._delivery is Delivery.NEVER:
                await silence(self._receive)
                return
        if self._delivery is Delivery.NEVER:
            return
        if self._delivery is Delivery.CUT and message["type"] == "http.response.body":
            body: bytes = message.get("body", b"")
            await self._send(
                {
                    "type": "http.response.body",
                    "body": body[: len(body) // 2],
                    "more_body": True,
                }
            )
            return
        await self._send(message)

"""A client that speaks to the vendors' ASGI app inside the test's own process."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from verification.embedded.server.providers import keys
from verification.embedded.server.providers.application import Vendors
from verification.embedded.server.providers.ledger import VENDORS, Ledger


@dataclass
class Reply:
    """What a client got. `complete` is False when the connection ended in the middle."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Calls an ASGI app as an HTTPS client would, one request at a time."""

    def __init__(self, app: Any, keyring: dict[str, str], peer: str = "127.0.0.1") -> None:
        self.app = app
        self.keyring = keyring
        self.peer = peer

    def __call__(
        self,
        method: str,
        url: str,
        body: object = None,
        *,
        headers: dict[str, str] | None = None,
        leave_after: float = 20.0,
    ) -> Reply:
        """Send one request; the client goes away after `leave_after` seconds."""
        parts = urlsplit(url)
        sent = {"host": parts.netloc}
        raw = b""
        if isinstance(body, bytes):
            raw = body
        elif body is not None:
            raw = json.dumps(body).encode()
            sent["content-type"] = "application/json"
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        scope = {
            "type": "http",
            "method": method,
            "path": parts.path,
            "query_string": parts.query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": (self.peer, 40000),
        }
        return asyncio.run(self._run(scope, raw, leave_after))

    async def _run(self, scope: dict[str, Any], raw: bytes, leave_after: float) -> Reply:
        reply = Reply()
        inbox = [{"type": "http.request", "body": raw, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if inbox:
                return inbox.pop()
            await asyncio.sleep(leave_after)
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            else:
                reply.body += message["body"]
                reply.complete = not message.get("more_body", False)

        await self.app(scope, receive, send)
        return reply

    def key(self, vendor: str) -> dict[str, str]:
        """The header that carries a valid key."""
        key = self.keyring[vendor]
        match vendor:
            case "google":
                return {"x-goog-api-key": key}
            case "bfl":
                return {"x-key": key}
        return {"authorization": f"Bearer {key}"}


@pytest.fixture
def ledger() -> Ledger:
    """A fresh memory without latency, so that tests take no time."""
    ledger = Ledger()
    for vendor in VENDORS:
        ledger[vendor].set({"latency_ms": 0})
    return ledger


@pytest.fixture
def ask(ledger: Ledger) -> Client:
    return Client(Vendors(ledger), {vendor: keys.example(vendor) for vendor in keys.SHAPES})


@pytest.fixture
def multipart() -> Any:
    """Makes a multipart body and its header from fields."""

    def make(fields: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        boundary = "b0und4ry"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        body = "".join(parts) + f"--{boundary}--\r\n"
        return body.encode(), {"content-type": f"multipart/form-data; boundary={boundary}"}

    return make

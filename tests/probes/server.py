"""A small HTTP server on loopback that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """What was asked. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What is answered; `pause` in seconds lies between the headers and the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0.0

    @classmethod
    def json(cls, content: Any, status: int = 200) -> Reply:
        return cls(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


class StubServer:
    """Serves until it is closed. `answer` decides each reply; None keeps the caller waiting."""

    def __init__(self, tls: Any = None) -> None:
        self.answer: Callable[[Request], Reply | None] = lambda request: Reply()
        self.asked: list[Request] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if tls:
            # The handshake belongs to the connection's own thread, where it may fail in peace.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def replies(self, *replies: Reply) -> None:
        """Answer one after the other; the last again and again."""
        left = list(replies)
        self.answer = lambda request: left.pop(0) if len(left) > 1 else left[0]

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        """Callers that hang up are what some tests are about."""


def _handler(stub: StubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline()
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            stub.asked.append(request)
            reply = stub.answer(request)
            self.close_connection = True
            if reply is None:
                stub.closing.wait(10)
                return
            self.send_response(reply.status)
            for name, value in {
                "Content-Length": str(len(reply.body)),
                "Connection": "close",
                **reply.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.flush()
            stub.closing.wait(reply.pause)
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    return Handler

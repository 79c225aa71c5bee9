"""The loopback ports: each speaks TLS and plain HTTP, and an extra port represents one of AWS's host names."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import random
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

from verification.embedded.server.context import App, Receive, Scope, Send

logger = logging.getLogger("embedded.listeners")

LOOPBACK = "127.0.0.1"
# Below Linux's range of ephemeral ports (from 32768), so that no outgoing connection ever holds one of ours.
PORTS = range(20000, 32768)
ATTEMPTS = 200
BACKLOG = 512
TLS_HANDSHAKE_RECORD = 0x16
FIRST_BYTE_SECONDS = 60.0
HANDSHAKE_SECONDS = 10.0
# A client's greeting is one record, in one packet or two.
GREETING_BYTES = 16_384
GREETING_LOOKS = 200
GREETING_PAUSE_SECONDS = 0.01
KEEP_ALIVE_SECONDS = 75.0
# How long open requests may take when the cloud is stopped, and how long a client may take to answer a goodbye.
GRACE_SECONDS = 1.0
GOODBYE_SECONDS = 0.2
# What accepting a connection may fail with although the listening socket is sound.
TRANSIENT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED)
TRANSIENT_SECONDS = 0.05


def bind(port: int | None = None) -> socket.socket:
    """Return a listening loopback socket, on `port` or on a free port of PORTS.

    Raises:
        OSError: `port` is taken, or no free port was found.
    """
    if port is not None:
        return _listen(port)
    for candidate in random.sample(PORTS, ATTEMPTS):
        try:
            return _listen(candidate)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise OSError(
        errno.EADDRINUSE,
        f"none of {ATTEMPTS} ports tried in {PORTS.start}-{PORTS.stop - 1} on {LOOPBACK} is free; stop a server",
    )


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Linux lets a socket in TIME_WAIT be reused this way, never one that still listens.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


@dataclass(frozen=True)
class _Listener:
    """One listening socket: where its requests go and whether it answers plain HTTP.

    `by_name` gives the TLS for the name that a client asks for, None for the listener's own.
    """

    listening: socket.socket
    app: ASGIWrapper
    tls: ssl.SSLContext
    plain_http: bool
    by_name: Callable[[str], ssl.SSLContext | None] | None = None

    @property
    def port(self) -> int:
        port: int = self.listening.getsockname()[1]
        return port


class Origin:
    """ASGI middleware: what the server itself knows of a connection outranks what the client claims.

    `X-Forwarded-Proto` decides SecureTransport conditions and viewer redirects in MiniStack, so a client that
    could send it would talk itself past both.
    """

    def __init__(self, app: App, host: str | None = None) -> None:
        self._app = app
        self._host = host.encode() if host is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the forwarded scheme and, on an extra port, the Host; then pass the request on."""
        if scope["type"] in ("http", "websocket"):
            dropped = {b"x-forwarded-proto", b"host"} if self._host is not None else {b"x-forwarded-proto"}
            headers = [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]
            secure = scope["scheme"] in ("https", "wss")
            headers.append((b"x-forwarded-proto", b"https" if secure else b"http"))
            if self._host is not None:
                headers.append((b"host", self._host))
            scope = {**scope, "headers": headers}
        await self._app(scope, receive, send)


class Listeners:
    """All listening sockets of one cloud; implements context.Ports.

    Opening binds and listens in the caller's thread, so the port is certain at once and connections queue
    in the backlog; the event loop starts to accept whenever it next runs.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, tls: ssl.SSLContext, edge_tls: ssl.SSLContext
    ) -> None:
        self._loop = loop
        self._tls = tls
        self._edge_tls = edge_tls
        self._lock = threading.Lock()
        self._edge_app: App | None = None
        self._edges: dict[str, _Listener] = {}
        self._accepting: dict[_Listener, asyncio.Task[None]] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._config = Config()
        self._config.keep_alive_timeout = KEEP_ALIVE_SECONDS
        self._config.accesslog = None
        self._context = WorkerContext(None)

    def serve(self, listening: socket.socket, app: App, *, plain_http: bool = True) -> None:
        """Accept on a socket made by bind(); the app sees the client's own Host."""
        self._start(_Listener(listening, ASGIWrapper(Origin(app)), self._tls, plain_http))

    def serve_names(
        self, listening: socket.socket, app: App, by_name: Callable[[str], ssl.SSLContext | None]
    ) -> None:
        """Accept on a socket made by bind() for many names, each with a TLS of its own."""
        self._start(
            _Listener(listening, ASGIWrapper(Origin(app)), self._edge_tls, plain_http=True, by_name=by_name)
        )

    def serve_edges(self, app: App) -> None:
        """Name the app that every extra port leads to. Must come before the first open()."""
        self._edge_app = app

    def open(self, host: str, *, plain_http: bool) -> int:
        """See context.Ports.open."""
        with self._lock:
            known = self._edges.get(host)
            if known is not None:
                return known.port
            if self._edge_app is None:
                raise RuntimeError("serve_edges() comes before open()")
            listener = _Listener(
                bind(), ASGIWrapper(Origin(self._edge_app, host)), self._edge_tls, plain_http
            )
            self._edges[host] = listener
        self._loop.call_soon_threadsafe(self._start, listener)
        return listener.port

    def close(self, host: str) -> None:
        """See context.Ports.close."""
        with self._lock:
            listener = self._edges.pop(host, None)
        if listener is not None:
            # Refuses at once where the system can; the socket itself belongs to the event loop.
            with contextlib.suppress(OSError):
                listener.listening.shutdown(socket.SHUT_RDWR)
            self._loop.call_soon_threadsafe(self._stop, listener)

    def close_edges(self) -> None:
        """Close every extra port."""
        for host in list(self._edges):
            self.close(host)

    def of(self, host: str) -> int | None:
        """See context.Ports.of."""
        with self._lock:
            listener = self._edges.get(host)
        return listener.port if listener is not None else None

    def host_at(self, address: str) -> str | None:
        """See context.Ports.host_at."""
        with self._lock:
            ports = {f"{LOOPBACK}:{listener.port}": host for host, listener in self._edges.items()}
        return ports.get(address)

    async def shut(self) -> None:
        """Stop accepting, give open connections a moment to finish, then drop them."""
        self.close_edges()
        await asyncio.sleep(0)
        for listener in list(self._accepting):
            self._stop(listener)
        await self._context.terminated.set()
        if self._connections:
            await asyncio.wait(self._connections, timeout=GRACE_SECONDS)
        for task in self._connections:
            task.cancel()

    def _start(self, listener: _Listener) -> None:
        self._accepting[listener] = self._loop.create_task(self._accept(listener))

    def _stop(self, listener: _Listener) -> None:
        task = self._accepting.pop(listener, None)
        if task is not None:
            task.cancel()
        listener.listening.close()

    async def _accept(self, listener: _Listener) -> None:
        while True:
            try:
                connection, _ = await self._loop.sock_accept(listener.listening)
            except OSError as error:
                if error.errno not in TRANSIENT:
                    return
                await asyncio.sleep(TRANSIENT_SECONDS)
                continue
            task = self._loop.create_task(self._converse(connection, listener))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _converse(self, connection: socket.socket, listener: _Listener) -> None:
        """Decide by the first byte between TLS and plain HTTP, then hand the connection to hypercorn."""
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            first = await asyncio.wait_for(self._peek(connection), FIRST_BYTE_SECONDS)
            if not first or (first[0] != TLS_HANDSHAKE_RECORD and not listener.plain_http):
                connection.close()
                return
            reader = asyncio.StreamReader(loop=self._loop)
            protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
            tls = await self._tls_of(listener, connection) if first[0] == TLS_HANDSHAKE_RECORD else None
            limits = {"ssl_handshake_timeout": HANDSHAKE_SECONDS, "ssl_shutdown_timeout": GOODBYE_SECONDS}
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=tls, **(limits if tls is not None else {})
            )
        except (OSError, TimeoutError, asyncio.CancelledError) as error:
            connection.close()
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        # A client that is gone, or does not answer the goodbye, is no error of ours.
        with contextlib.suppress(OSError):
            await TCPServer(listener.app, self._loop, self._config, self._context, {}, reader, writer)

    async def _tls_of(self, listener: _Listener, connection: socket.socket) -> ssl.SSLContext:
        """Choose by the name in the client's greeting, which is left in place."""
        if listener.by_name is None:
            return listener.tls
        for _ in range(GREETING_LOOKS):
            greeting = connection.recv(GREETING_BYTES, socket.MSG_PEEK)
            if (name := asked_for(greeting)) is not None:
                return listener.by_name(name) or listener.tls
            # The rest of it is on its way, and what is here already would wake every wait for more.
            await asyncio.sleep(GREETING_PAUSE_SECONDS)
        return listener.tls

    async def _peek(self, connection: socket.socket) -> bytes:
        """Wait until the client has sent something and return its first byte, left in place; b"" if it left."""
        while True:
            try:
                return connection.recv(1, socket.MSG_PEEK)
            except BlockingIOError:
                readable = self._loop.create_future()
                self._loop.add_reader(connection, _resolve, readable)
                try:
                    await readable
                finally:
                    self._loop.remove_reader(connection)


def asked_for(greeting: bytes) -> str | None:
    """Return the server's name in the beginning of a TLS connection, "" for none; None while that is incomplete."""
    names: list[str] = []

    def note(_connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int:
        names.append(name or "")
        return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR  # heard enough

    # OpenSSL reads it: any version will do, and the certificate is never asked for.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.sni_callback = note
    incoming = ssl.MemoryBIO()
    incoming.write(greeting)
    try:
        context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True).do_handshake()
    except ssl.SSLWantReadError:
        pass
    except ssl.SSLError:
        return next(iter(names), "")
    return next(iter(names), None)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

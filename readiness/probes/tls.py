"""A TLS handshake in one version, and nothing after it."""

from __future__ import annotations

import socket
import ssl
import warnings
from urllib.parse import urlsplit

from readiness.environment import Environment
from readiness.errors import Unverified

_PATIENCE_SECONDS = 5
# How OpenSSL names what a server answers when it will not speak a version.
_REFUSALS = frozenset(
    {
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        "TLSV1_ALERT_PROTOCOL_VERSION",
    }
)
# And what becomes of a server that hangs up instead: the second one is how Python before 3.11.3 tells of the third.
_HUNG_UP = (ConnectionResetError, ssl.SSLZeroReturnError, ssl.SSLEOFError)


def accepts(env: Environment, address: str, version: ssl.TLSVersion) -> bool:
    """Return whether the server at `address` (`host`, `host:port` or a URL) completes a handshake in this version alone.

    Raises:
        Unverified: this machine's OpenSSL does not support the version, or no server answers.
    """
    where = urlsplit(address if "://" in address else f"//{address}")
    host, port = where.hostname or "", where.port or 443
    context = _client(env, version)
    _require_able(context, version)
    request = {"host": host, "port": port, "version": version.name}
    return bool(env.exchanges.call("tls", request, lambda: _completes(context, host, port, version)))


def _completes(context: ssl.SSLContext, host: str, port: int, version: ssl.TLSVersion) -> bool:
    try:
        with (
            socket.create_connection((host, port), timeout=_PATIENCE_SECONDS) as connection,
            context.wrap_socket(connection, server_hostname=host) as secured,
        ):
            return secured.version() is not None
    except _HUNG_UP:
        return False
    except ssl.SSLError as problem:
        if problem.reason in _REFUSALS:
            return False
        raise Unverified(
            f"{host}:{port}: {version.name}: neither accepted nor refused: {problem}"
        ) from problem
    except OSError as problem:
        raise Unverified(f"{host}:{port} does not answer: {problem}") from problem


def _client(env: Environment, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=env.ca_bundle)
    # By default OpenSSL itself keeps clients from TLS 1.0 and 1.1; the server is to be the one that refuses.
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what this is about
        context.minimum_version = context.maximum_version = version
    return context


def _require_able(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    """Make sure that a greeting in this version leaves the machine."""
    sent = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        if sent.pending:
            return
    except ssl.SSLError as problem:
        raise Unverified(
            f"this machine's {ssl.OPENSSL_VERSION} cannot speak {version.name}: {problem}"
        ) from problem
    raise Unverified(f"this machine's {ssl.OPENSSL_VERSION} sends no greeting in {version.name}")

"""What every overlay may know about the cloud that it is laid over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from verification.embedded.server.pace import Pace

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def read_body(receive: Receive) -> bytes:
    """A request's whole body.

    Code that answers a request has to read its body first: the server closes a connection on which the client still
    sends, and a client that sends to the closed connection sees no answer.
    """
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


class Ports(Protocol):
    """The extra listeners, one for each host name that AWS would have given a deployment."""

    def open(self, host: str, *, plain_http: bool) -> int:
        """Open a loopback port whose requests reach the app under the Host `host`; return the port.

        Opening a host that is already open returns its port. Safe from any thread; it never waits for
        the event loop. Without `plain_http` a connection that does not start with TLS is closed unanswered.

        Raises:
            OSError: no free port was found.
        """

    def close(self, host: str) -> None:
        """Close the port of `host`; a host that is not open is no error."""

    def of(self, host: str) -> int | None:
        """Return the port of `host`, or None when it is not open."""

    def host_at(self, address: str) -> str | None:
        """Return the host whose port `address` (`127.0.0.1:<port>`) is, or None when none is open there."""


@dataclass(frozen=True)
class Context:
    """One running cloud: where it keeps its files, where it listens, whose account it plays.

    Attributes:
        directory: private to this cloud, removed with it.
        main_port: the AWS APIs.
        providers_port: the simulated AI vendors, by Host header; TLS alone.
        ca_bundle: what a client of this cloud trusts, PEM.
        lambda_python: the interpreter of Python functions.
        vendor_hosts: the names that functions resolve to `providers_port`.
        names_port: the distributions, by the alternate domain name that a viewer asks for.
        ports: the extra listeners.
        pace: how slow and how loose everything is.
    """

    directory: Path
    main_port: int
    providers_port: int
    names_port: int
    account_id: str
    region: str
    ca_bundle: Path
    lambda_python: Path
    vendor_hosts: tuple[str, ...]
    ports: Ports
    pace: Pace = field(default_factory=Pace)

    @property
    def endpoint(self) -> str:
        """The address of the AWS APIs."""
        return f"https://127.0.0.1:{self.main_port}"

"""The CDN as a browser sees it."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from readiness.environment import Environment
from readiness.errors import Unverified
from readiness.probes.http import Answer, exchange


@dataclass(frozen=True)
class Cdn:
    """A distribution by its domain name."""

    env: Environment = field(repr=False)
    domain: str

    @property
    def resolves(self) -> bool:
        """Whether the name system knows the domain.

        Raises:
            Unverified: it gave no answer.
        """
        host = urlsplit(f"//{self.domain}").hostname or ""
        return bool(self.env.exchanges.call("name", {"host": host}, lambda: self._found(host)))

    def _found(self, host: str) -> bool:
        try:
            return bool(socket.getaddrinfo(host, None))
        except socket.gaierror as problem:
            if problem.errno == socket.EAI_NONAME:
                return False
            raise Unverified(
                f"{self!r}: no name server answers ({problem})", cause="no name server answers"
            ) from problem

    def path(self, url: str) -> str:
        """The path of an image's URL.

        Raises:
            AssertionError: the URL leads elsewhere, and so would every user who is given it.
        """
        parts = urlsplit(url)
        if (parts.scheme, parts.netloc) != ("https", self.domain):
            raise AssertionError(f"{url} does not lead to the CDN at https://{self.domain}")
        return parts.path

    def get(
        self,
        path: str,
        *,
        scheme: str = "https",
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        as_sent: bool = False,
    ) -> Answer:
        """Ask for one path, which starts with a slash; a compressed body stays so when it is wanted as it was sent."""
        return exchange(self.env, method, f"{scheme}://{self.domain}{path}", headers=headers, as_sent=as_sent)


def key_of(url: str) -> str:
    """The key in the bucket of an image's URL."""
    return urlsplit(url).path.removeprefix("/")

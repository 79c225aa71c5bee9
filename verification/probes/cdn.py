"""The CDN as a browser sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from verification.environment import Environment
from verification.probes.http import Answer, exchange


@dataclass(frozen=True)
class Cdn:
    """A distribution by its domain name."""

    env: Environment = field(repr=False)
    domain: str

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
    ) -> Answer:
        """Ask for one path, which starts with a slash."""
        return exchange(self.env, method, f"{scheme}://{self.domain}{path}", headers=headers)


def key_of(url: str) -> str:
    """The key in the bucket of an image's URL."""
    return urlsplit(url).path.removeprefix("/")

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


def path_of(url: str) -> str:
    """The path of an image's URL, which is its key in the bucket after a slash."""
    return urlsplit(url).path

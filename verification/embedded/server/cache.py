"""A cache of HTTP responses that keeps to a number of bytes, and the rules of how long a response lives in it.

Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)", "Invalidate files".
"""

from __future__ import annotations

import email.utils
import gzip
import threading
import urllib.parse
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Key = tuple[Any, ...]


@dataclass
class Stored:
    """One response of the origin in the cache."""

    status: int
    reason: str
    headers: dict[str, Any]
    body: bytes
    distribution_id: str
    path: str
    stored_at: float
    expires_at: float
    compressed: bytes | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """How many bytes the entry holds."""
        return len(self.body) + len(self.compressed or b"") + 1_024


@dataclass(frozen=True)
class Lifetime:
    """How long a cache policy lets responses live, in seconds."""

    least: int
    default: int
    most: int

    def of(self, headers: Mapping[str, Any], now: float) -> int:
        """Return how long a successful response may be served; 0 means that it must not be stored."""
        directives = parse_cache_control(headers.get("cache-control"))
        if directives.keys() & {"no-store", "no-cache", "private"}:
            return self.least
        for name in ("s-maxage", "max-age"):
            if directives.get(name, "").isdigit():
                return self.bound(int(directives[name]))
        expires = parse_date(headers.get("expires"))
        return self.bound(max(0, int(expires - now)) if expires is not None else self.default)

    def bound(self, seconds: int) -> int:
        """Return `seconds` held between the policy's minimum and maximum."""
        return min(max(seconds, self.least), max(self.most, self.least))


class Store:
    """The responses themselves: the least recently used goes first once they hold too many bytes.

    Attributes:
        generation: Counts invalidations. A response whose fetch began in an earlier one must not be stored.
    """

    def __init__(self, capacity_bytes: int) -> None:
        self.generation = 0
        self._capacity = capacity_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, Stored] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key) -> Stored | None:
        """Return an entry, fresh or stale, and count it as used."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: Key, entry: Stored) -> None:
        """Keep an entry, at the cost of the least recently used ones."""
        with self._lock:
            self._drop(key)
            if entry.size > self._capacity:
                return
            self._entries[key] = entry
            self._bytes += entry.size
            while self._bytes > self._capacity:
                self._drop(next(iter(self._entries)))

    def compressed(self, entry: Stored, body: bytes) -> bytes:
        """Return `body` gzipped, and remember it with the entry that holds the same body."""
        if entry.compressed is not None and entry.body == body:
            return entry.compressed
        made = gzip.compress(body, mtime=0)
        with self._lock:
            if entry.body == body and entry.compressed is None:
                entry.compressed = made
                if any(kept is entry for kept in self._entries.values()):
                    self._bytes += len(made)
        return made

    def invalidate(self, distribution_id: str, patterns: Iterable[str], *, keep: bool = False) -> None:
        """Drop what matches `patterns`, and keep out what is being fetched at this moment.

        Args:
            distribution_id: whose.
            patterns: of paths.
            keep: it is asked for again before it is served, instead of dropped.
        """
        wanted = [invalidation_pattern(pattern) for pattern in patterns]
        with self._lock:
            self.generation += 1
            for key, entry in list(self._entries.items()):
                if entry.distribution_id == distribution_id and any(one(entry.path) for one in wanted):
                    self._drop(key)
                    if keep:
                        self._entries[key] = replace(entry, expires_at=0.0)
                        self._bytes += entry.size

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size


def parse_cache_control(value: object) -> dict[str, str]:
    """Return the directives of a Cache-Control header, lower case, with their argument or an empty string."""
    parts = [part.strip() for part in str(value or "").lower().split(",")]
    pairs = [part.partition("=") for part in parts if part]
    return {name.strip(): argument.strip().strip('"') for name, _, argument in pairs}


def parse_date(value: object) -> float | None:
    """Return an HTTP date as seconds since the epoch; a date that cannot be read has passed."""
    if not value:
        return None
    try:
        return email.utils.parsedate_to_datetime(str(value)).timestamp()
    except ValueError:
        return 0.0


def invalidation_pattern(pattern: str) -> Callable[[str], bool]:
    """Return the test for an invalidation path: only a closing `*` is a wildcard."""
    path = urllib.parse.unquote(pattern if pattern.startswith("/") else f"/{pattern}")
    if path.endswith("*"):
        return lambda candidate: urllib.parse.unquote(candidate).startswith(path[:-1])
    return lambda candidate: urllib.parse.unquote(candidate) == path

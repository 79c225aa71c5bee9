"""How often paid routes may be called: in all within an hour, from one address within a day.

Counters are items of the table, changed by conditional adds, so that concurrent requests never pass
together. Windows are fixed: the UTC hour and the UTC day.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pixel_prompt import clock
from pixel_prompt.clock import Clock, timestamp
from pixel_prompt.errors import limit_exceeded
from pixel_prompt.table import ConditionFailed, Table

# How long a counter outlives its window before DynamoDB may remove it.
_AFTERLIFE_SECONDS: Final = clock.HOUR_SECONDS
# One household or host holds a whole /64 of IPv6.
_IPV6_PREFIX: Final = 64


@dataclass(frozen=True, slots=True)
class Window:
    """One counter: its key, what it may reach, and when it ends (seconds since 1970)."""

    key: str
    limit: int
    ends: int


class Limiter:
    """Counts, and refuses what is too much.

    ``allowed`` are addresses and CIDR blocks that no limit applies to; one that is neither is a ValueError.
    """

    def __init__(
        self,
        table: Table,
        global_hourly: int,
        address_daily: int,
        allowed: Iterable[str] = (),
        now: Clock = clock.now,
    ) -> None:
        self._table = table
        self._global_hourly = global_hourly
        self._address_daily = address_daily
        self._allowed = tuple(ipaddress.ip_network(entry, strict=False) for entry in allowed)
        self._now = now

    def spend(self, address: str) -> None:
        """Count one request from this address.

        Raises:
            ApiError: 429, with the seconds until the window ends. Nothing is counted then.
        """
        if self._is_allowed(address):
            return
        now = self._now()
        of_address = self._address_window(address, now)
        if not self._add(of_address):
            raise limit_exceeded(
                "address_limit",
                f"This address may make {of_address.limit} requests a day.",
                _remaining(of_address, now),
            )
        of_all = self._global_window(now)
        if not self._add(of_all):
            self._give_back(of_address)
            raise limit_exceeded(
                "global_limit", "All callers together have made too many requests.", _remaining(of_all, now)
            )

    def refund(self, address: str) -> None:
        """Take back one request that could not be served."""
        if self._is_allowed(address):
            return
        now = self._now()
        self._give_back(self._address_window(address, now))
        self._give_back(self._global_window(now))

    def _is_allowed(self, address: str) -> bool:
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._allowed)

    def _address_window(self, address: str, now: float) -> Window:
        day = int(now) // clock.DAY_SECONDS
        key = f"limit#address#{_caller(address)}#{timestamp(now)[:10]}"
        return Window(key, self._address_daily, (day + 1) * clock.DAY_SECONDS)

    def _global_window(self, now: float) -> Window:
        hour = int(now) // clock.HOUR_SECONDS
        key = f"limit#global#{timestamp(now)[:13]}"
        return Window(key, self._global_hourly, (hour + 1) * clock.HOUR_SECONDS)

    def _add(self, window: Window) -> bool:
        try:
            self._table.update(
                window.key,
                "SET expiresAt = :expires ADD used :one",
                "attribute_not_exists(used) OR used < :limit",
                {},
                {":one": 1, ":limit": window.limit, ":expires": window.ends + _AFTERLIFE_SECONDS},
            )
        except ConditionFailed:
            return False
        return True

    def _give_back(self, window: Window) -> None:
        try:
            self._table.update(window.key, "ADD used :less", "used > :none", {}, {":less": -1, ":none": 0})
        except ConditionFailed:
            return


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _caller(address: str) -> str:
    """What counts as one caller: an IPv4 address, or an IPv6 network."""
    parsed = _parse(address)
    if parsed is None:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
    return str(parsed)


def _remaining(window: Window, now: float) -> int:
    return max(1, window.ends - int(now))

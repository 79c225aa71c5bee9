"""What the verifier's own address may still send to the paid routes, by the application's own limits.

Whose address it is, as AWS sees it, the gateway's access log tells of any request that was sent from here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from readiness.errors import Unverified
from readiness.probes.http import Answer
from verification import budgets
from verification.resources.counter import give_back_all
from verification.stack import Stack


@dataclass(frozen=True)
class Allowance:
    """One address, and the stack whose limits apply to it."""

    stack: Stack = field(repr=False)
    address: str = field(repr=False)

    @classmethod
    def of(cls, stack: Stack, answer: Answer) -> Allowance:
        """The allowance of the caller that received this answer.

        Raises:
            Unverified: the gateway's log does not tell whose request it was.
        """
        id_ = answer.headers.get("apigw-requestid", "")
        moment = parsedate_to_datetime(answer.headers["date"])
        lines = stack.access_log.wait_for(
            id_, moment, lambda lines: any(line.mentions(id_) for line in lines)
        )
        addresses = {address for line in lines if line.mentions(id_) for address in line.addresses}
        if len(addresses) != 1:
            raise Unverified(
                f"{stack.access_log!r} names {len(addresses)} addresses for request {id_!r}, expected one"
            )
        return cls(stack, addresses.pop())

    @property
    def is_unlimited(self) -> bool:
        """Whether the address is allow-listed, so that no limit applies to it and nothing is counted."""
        listed = self.stack.api.environment.get("ALLOWED_ADDRESSES", "")
        own = ipaddress.ip_address(self.address)
        return any(
            own in ipaddress.ip_network(entry.strip(), strict=False)
            for entry in listed.split(",")
            if entry.strip()
        )

    @property
    def left(self) -> int:
        """Requests that the address may still send this day."""
        limit = int(self.stack.api.environment.get("ADDRESS_DAILY_LIMIT", budgets.ADDRESS_REQUESTS_PER_DAY))
        return limit - self.stack.counters.of_address(self.address).used

    def require(self, requests: int, what: str) -> None:
        """Make sure that the address may send so many requests.

        Raises:
            Unverified: it may not.
        """
        if not self.is_unlimited and self.left < requests:
            raise Unverified(
                f"{what} sends {requests} requests that count, and the verifier's address has {max(0, self.left)} left of "
                f"this day; deploy '{self.stack.env.name}' with AllowedAddresses naming the address (docs/DEPLOYMENT.md), "
                "or run again after midnight UTC",
                cause="the verifier's address has too few requests left of this day",
            )

    def give_back(self, counted: Sequence[Answer]) -> None:
        """Take requests that were let through off the limits."""
        moments = [parsedate_to_datetime(answer.headers["date"]) for answer in counted]
        give_back_all(self.stack.table, self.address, moments)

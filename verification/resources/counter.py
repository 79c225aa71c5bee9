"""How many requests were counted: rows of the table, one a window. Their form is that of `pixel_prompt.limits`."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from readiness.aws.table import Table
from readiness.progress import waiting
from verification import budgets

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_IPV6_PREFIX = 64


@dataclass(frozen=True)
class Counter:
    """One window's count. `ends` is when the window does."""

    table: Table
    key: str
    ends: datetime

    @property
    def _client(self) -> DynamoDBClient:
        return self.table.env.client("dynamodb")

    @property
    def used(self) -> int:
        """Requests that count by now, 0 when there is no row. Read again each time."""
        return self._number("used")

    @property
    def _expires(self) -> int:
        """When DynamoDB may remove the row, in seconds since 1970."""
        return int((self.ends + _HOUR).timestamp())

    def _number(self, attribute: str) -> int:
        key = {"pk": {"S": self.key}}
        answer = self._client.get_item(TableName=self.table.name, Key=key, ConsistentRead=True)
        return int(answer.get("Item", {}).get(attribute, {}).get("N", 0))

    @property
    def over(self) -> bool:
        """Whether the window has ended, by AWS's clock."""
        return self.table.clock >= self.ends

    def add(self, count: int) -> None:
        """Count more, or fewer, at once; what others count meanwhile stays counted."""
        self._client.update_item(
            TableName=self.table.name,
            Key={"pk": {"S": self.key}},
            UpdateExpression="SET expiresAt = if_not_exists(expiresAt, :expires) ADD used :count",
            ExpressionAttributeValues={":expires": {"N": str(self._expires)}, ":count": {"N": str(count)}},
        )

    def give_back(self, count: int = 1) -> bool:
        """Take that many off the count, unless so many were never counted; whether they were."""
        try:
            self._client.update_item(
                TableName=self.table.name,
                Key={"pk": {"S": self.key}},
                UpdateExpression="ADD used :less",
                ConditionExpression="used >= :count",
                ExpressionAttributeValues={":less": {"N": str(-count)}, ":count": {"N": str(count)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def forget(self) -> None:
        """Remove the row; none is no error."""
        self._client.delete_item(TableName=self.table.name, Key={"pk": {"S": self.key}})

    @contextmanager
    def raised_to(self, used: int) -> Iterator[None]:
        """The counter at a number, for as long as the context lasts; then take the same amount back, also after an error.

        The row says how much it was lifted, so that neither a repeated call counts twice nor a run that was
        killed leaves it lifted: the next one takes that back first.
        """
        self.restore()
        try:
            self._lift(used - self.used)
            yield
        finally:
            self.restore()

    def restore(self) -> None:
        """Take back what the counter was lifted, if it was."""
        lifted = self._number("lifted")
        if lifted:
            self._update("REMOVE lifted ADD used :less", "lifted = :lifted", less=-lifted, lifted=lifted)

    def _lift(self, count: int) -> None:
        if count:
            self._update(
                "SET lifted = :count, expiresAt = if_not_exists(expiresAt, :expires) ADD used :count",
                "attribute_not_exists(lifted)",
                count=count,
                expires=self._expires,
            )

    def _update(self, expression: str, condition: str, **values: int) -> None:
        """Change the row under a condition; that it does not hold means that this was done before."""
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self.table.name,
                Key={"pk": {"S": self.key}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues={f":{name}": {"N": str(value)} for name, value in values.items()},
            )


@dataclass(frozen=True)
class Counters:
    """The counters of a moment, which is not close to the end of any window."""

    table: Table
    at: datetime

    @classmethod
    def of(cls, table: Table) -> Counters:
        """The counters of now; waits when the hour is about to end, for what is seen would belong to two windows."""
        now = table.clock
        left = _start(now, _HOUR) + _HOUR - now
        if left < budgets.WINDOW_MARGIN:
            with waiting("the next hour, for this one is about to end"):
                time.sleep(left.total_seconds() + 1)
            now = table.clock
        return cls(table, now)

    @property
    def of_all(self) -> Counter:
        """What all callers have used of this hour."""
        ends = _start(self.at, _HOUR) + _HOUR
        return Counter(self.table, f"limit#global#{self.at:%Y-%m-%dT%H}", ends)

    def of_address(self, address: str, days_ago: int = 0) -> Counter:
        """What one address, or the /64 of an IPv6 one, has used of this day, or of one before."""
        parsed = ipaddress.ip_address(address)
        if isinstance(parsed, ipaddress.IPv6Address):
            address = str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
        day = _start(self.at, _DAY) - days_ago * _DAY
        return Counter(self.table, f"limit#address#{address}#{day:%Y-%m-%d}", day + _DAY)


def give_back_all(table: Table, address: str, moments: Iterable[datetime]) -> int:
    """Take requests that were let through at these moments off the daily counters of their addresses and the global hourly counters; return how many.

    An address that no limit applies to was not counted, so nothing is taken off for it.
    """
    given = 0
    for counters in (Counters(table, moment) for moment in moments):
        if counters.of_address(address).give_back():
            counters.of_all.give_back()
            given += 1
    return given


@contextmanager
def forgotten(*counters: Counter) -> Iterator[None]:
    """Delete these counters when the context ends, also after an error."""
    try:
        yield
    finally:
        for counter in counters:
            counter.forget()


def _start(moment: datetime, window: timedelta) -> datetime:
    """When the window of that length began that holds the moment."""
    seconds = int(window.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)

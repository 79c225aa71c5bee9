"""AWS::Logs::LogGroup."""

from __future__ import annotations

import ipaddress
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from readiness import budgets
from readiness.aws.policy import Statement, statements_of
from readiness.environment import Environment
from readiness.errors import Missing
from readiness.progress import waiting

_SEPARATORS = re.compile(r"[\s,;|\"'<>]+")
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")

_STREAMS = 10  # of a log group that are read at most


@dataclass(frozen=True)
class LogEvent:
    """One line of a log. `at` is the time when it was written, by the writer's clock."""

    at: datetime
    message: str = field(repr=False)

    @property
    def fields(self) -> Mapping[str, Any]:
        """A structured line's fields, empty for any other line."""
        try:
            content = json.loads(self.message)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    def mentions(self, id_: str) -> bool:
        """Return whether the line contains an id as a whole value, and not as a part of another value."""
        return id_ in _values(self.message)

    @property
    def addresses(self) -> Sequence[str]:
        """The IP addresses among the line's values, with or without a port, except unspecified ones such as 0.0.0.0."""
        found = [address for value in _values(self.message) if (address := _address(value))]
        return [str(address) for address in found if not address.is_unspecified]


def _values(message: str) -> Sequence[str]:
    """Return the values of a line.

    The stage of an API sets the format of its access log. JSON is parsed. CSV, XML and the common log format are split
    at the characters that separate values.
    Source: API Gateway Developer Guide, "Configure logging for HTTP APIs in API Gateway".
    """
    try:
        content = json.loads(message)
    except ValueError:
        words = _SEPARATORS.split(message)
        return [value for word in words for value in (word, word.partition("=")[2]) if value]
    return list(_leaves(content))


def _leaves(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from _leaves(part)
    elif isinstance(content, str):
        yield from (value.strip() for value in content.split(","))  # as X-Forwarded-For has several


def _address(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    bare = found["v6"] or found["v4"] if (found := _WITH_PORT.fullmatch(value)) else value
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@dataclass(frozen=True)
class LogGroup:
    """A live log group."""

    env: Environment = field(repr=False)
    name: str

    @cached_property
    def description(self) -> Mapping[str, Any]:
        pages = (
            self.env.client("logs")
            .get_paginator("describe_log_groups")
            .paginate(logGroupNamePrefix=self.name)
        )
        for page in pages:
            for group in page["logGroups"]:
                if group["logGroupName"] == self.name:
                    return dict(group)
        raise Missing(
            f"log group '{self.name}' does not exist; declare it in backend/template.yaml",
            cause=f"log group '{self.name}' does not exist",
        )

    @cached_property
    def policy_statements(self) -> Sequence[Mapping[str, Any]]:
        """Of the group's own policy, and of those of the account's policies for logs what is about this group."""
        arn = str(self.description["arn"]).removesuffix(":*")
        pages = self.env.client("logs").get_paginator("describe_resource_policies")
        found = [
            statement
            for policies in (
                pages.paginate(policyScope="RESOURCE", resourceArn=arn),
                pages.paginate(policyScope="ACCOUNT"),
            )
            for page in policies
            for policy in page["resourcePolicies"]
            for statement in statements_of(policy["policyDocument"])
        ]
        parts = (arn, f"{arn}:*", f"{arn}:log-stream:any")
        return [one for one in found if any(Statement(one).is_about(part) for part in parts)]

    def events(self, since: datetime, term: str = "") -> Iterator[LogEvent]:
        """Events from `since` on, oldest first; with a term, those that hold it literally."""
        wanted: dict[str, Any] = {"filterPattern": f'"{term}"'} if term else {}
        pages = (
            self.env.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=self.name, startTime=int(since.timestamp() * 1000), **wanted)
        )
        for page in pages:
            for event in page["events"]:
                yield LogEvent(datetime.fromtimestamp(event["timestamp"] / 1000, UTC), event["message"])

    def latest(self, since: datetime, count: int) -> Sequence[LogEvent]:
        """The last events of its streams that were written to last, at most `count` of them, newer than a moment."""
        client = self.env.client("logs")
        streams = client.describe_log_streams(
            logGroupName=self.name, orderBy="LastEventTime", descending=True, limit=_STREAMS
        )["logStreams"]
        begin = int(since.timestamp() * 1000)
        found: list[LogEvent] = []
        for stream in streams:
            if len(found) >= count or stream.get("lastEventTimestamp", begin) < begin:
                break
            answer = client.get_log_events(
                logGroupName=self.name,
                logStreamName=stream["logStreamName"],
                startTime=begin,
                limit=count - len(found),
                startFromHead=False,
            )
            found += [
                LogEvent(datetime.fromtimestamp(event["timestamp"] / 1000, UTC), event["message"])
                for event in answer["events"]
            ]
        return found

    @waiting("lines in a log")
    def wait_for(
        self,
        term: str,
        since: datetime,
        enough: Callable[[Sequence[LogEvent]], bool] = bool,
        deadline: timedelta = budgets.LOG_DEADLINE,
    ) -> Sequence[LogEvent]:
        """Return the events that contain a term. Read again until there are enough: CloudWatch Logs shows events late.

        After the deadline, return the events that were found. The caller decides what it means that events are missing.
        """
        pause, until = 0.2, time.monotonic() + self.env.patience(deadline).total_seconds()
        while True:
            found = list(self.events(since - budgets.CLOCK_SKEW, term))
            if enough(found) or time.monotonic() > until:
                return found
            time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  # jitter, not a secret
            pause = min(pause * 1.5, 5)

    @property
    def arn(self) -> str:
        return str(self.description["arn"]).removesuffix(":*")

    @property
    def kms_key_arn(self) -> str:
        """The key that encrypts it, '' for none but AWS's own."""
        return str(self.description.get("kmsKeyId", ""))

    @property
    def retention(self) -> timedelta | None:
        """How long events are kept, None without a limit."""
        days = self.description.get("retentionInDays")
        return timedelta(days=days) if days else None

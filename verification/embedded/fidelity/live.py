"""The account of a stack, one live resource in it, and what the readers of every service share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

Read = Callable[["Live"], Any]
Shape = Callable[[Any, Mapping[str, Any]], Any]
ABSENT_CODES = frozenset(
    {
        "BucketNotEmpty",
        "NoSuchBucketPolicy",
        "NoSuchCORSConfiguration",
        "NoSuchLifecycleConfiguration",
        "NoSuchMonitoringSubscription",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchTagSet",
        "NoSuchTagSetError",
        "NoSuchWebsiteConfiguration",
        "NotFoundException",
        "OwnershipControlsNotFoundError",
        "ReplicationConfigurationNotFoundError",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "WAFNonexistentItemException",
    }
)


class Aws:
    """The account that a stack is in; every answer is asked for once.

    Args:
        client: makes the client of a service; each is made once.
        account_id: the account's number.
        region: where the stack is.
    """

    def __init__(self, client: Callable[[str], Any], account_id: str, region: str) -> None:
        self.account_id = account_id
        self.region = region
        self.client = cache(client)
        self._answers: dict[tuple[str, str, str], Any] = {}

    def again(self) -> Aws:
        """Return the same account with the same clients, without the answers so far."""
        return Aws(self.client, self.account_id, self.region)

    def ask(self, service: str, operation: str, **parameters: Any) -> Any:
        """Return a service's answer; {} when it says that there is no such thing."""
        key = (service, operation, repr(sorted(parameters.items())))
        if key not in self._answers:
            try:
                self._answers[key] = getattr(self.client(service), operation)(**parameters)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in ABSENT_CODES:
                    raise
                self._answers[key] = {}
        return self._answers[key]


class Live:
    """One live resource, with the properties that its template declares."""

    def __init__(self, aws: Aws, physical_id: str, declared: Mapping[str, Any]) -> None:
        self.aws = aws
        self.id = physical_id
        self.declared = declared

    def ask(self, service: str, operation: str, **parameters: Any) -> Any:
        """See Aws.ask."""
        return self.aws.ask(service, operation, **parameters)


@dataclass(frozen=True)
class Type:
    """How to read one type of resource back, in the shape that a template gives it.

    Args:
        properties: a reader of each property.
        attributes: a reader of each attribute that GetAtt can ask for.
        shapes: reduces a declared property to what can be read back at all, where it is not comparable as it is written.
    """

    properties: dict[str, Read]
    attributes: dict[str, Read] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)


def member(source: Callable[[Live], Mapping[str, Any]], *path: str, default: Any = None) -> Read:
    """Return a reader of one member of an answer."""

    def read(live: Live) -> Any:
        value: Any = source(live)
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return default if value is None else value

    return read


def members(source: Callable[[Live], Mapping[str, Any]], *names: str) -> dict[str, Read]:
    """Return readers of members that have the same name in the template and in the answer."""
    return {name: member(source, name) for name in names}


def tag_list(tags: object) -> list[dict[str, str]]:
    """Return tags, whichever of AWS's three spellings they have, as a template's list."""
    if isinstance(tags, Mapping):
        return [{"Key": str(key), "Value": str(value)} for key, value in tags.items()]
    found = tags if isinstance(tags, list) else []
    return [
        {"Key": one.get("Key", one.get("TagKey")), "Value": one.get("Value", one.get("TagValue"))}
        for one in found
    ]


def all_equal(policies: list[Any]) -> Any:
    """Return the one policy that every target has, or all of them when they differ."""
    return policies[0] if policies and all(one == policies[0] for one in policies) else policies

"""Reading that continues where a service denies a part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from readiness.discovery.graph import Edge, Unread
from readiness.errors import Denied, Unverified

Found: TypeAlias = Edge | Unread
"""A relation, or what could not be read of them."""


def attempt(what: str, read: Callable[[], Iterable[Found]]) -> Iterator[Found]:
    """What a reading finds, and why it came to an end, if it did.

    Args:
        what: the resource or service that is read.
        read: finds its relations.
    """
    try:
        yield from read()
    except Denied as problem:
        yield Unread(what, problem.action, str(problem))
    except (Unverified, ClientError, BotoCoreError) as problem:
        yield Unread(what, "", f"{problem}; read it by hand, or run again")

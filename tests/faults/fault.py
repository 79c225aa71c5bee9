"""What a fault is, and the register of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from readiness.verdict import Outcome


class Realm(StrEnum):
    """Where a fault acts, which decides what has to be looked at again."""

    LIVE = "live"  # the deployed stack, its data plane or its providers
    SOURCE = "source"  # a copy of the source tree


@dataclass(frozen=True)
class Fault:
    """A change after which `item`, and `relatives` with it, must no longer pass, and everything else must.

    Args:
        item: the item that the fault is about.
        what: the change in a few words.
        realm: where it acts.
        inject: makes the change for as long as its context lasts.
        outcome: what the item must turn to.
        relatives: other items that cannot pass while the fault lasts, whatever their outcome.
        alone: whether it cannot last beside others: it updates the stack, commits what lies in the tree, or stops every job.
        apart_from: items that it cannot last beside a fault of, since the two together turn more, or hide each other.
        finding: a regular expression that one finding of the item must match, '' where the outcome is enough. Two faults of
            one item may last at the same time if each has one.
    """

    item: str
    what: str
    realm: Realm
    inject: Callable[[Any], AbstractContextManager[None]]
    outcome: Outcome
    relatives: frozenset[str]
    alone: bool = False
    apart_from: frozenset[str] = frozenset()
    finding: str = ""

    @property
    def turned(self) -> frozenset[str]:
        """Every item that cannot pass while the fault lasts."""
        return self.relatives | {self.item}

    def __str__(self) -> str:
        return f"{self.item}-{re.sub(r'[^a-z0-9]+', '-', self.what.lower()).strip('-')}"


FAULTS: list[Fault] = []


def fault(
    item: str,
    what: str,
    *,
    realm: Realm = Realm.LIVE,
    outcome: Outcome = Outcome.FAIL,
    relatives: set[str] | None = None,
    alone: bool = False,
    apart_from: set[str] | None = None,
    finding: str = "",
) -> Callable[[Callable[[Any], Iterator[None]]], Callable[[Any], Iterator[None]]]:
    """Register a generator function that makes a change, yields, and takes it back."""

    def register(inject: Callable[[Any], Iterator[None]]) -> Callable[[Any], Iterator[None]]:
        known = frozenset(relatives or ())
        FAULTS.append(
            Fault(
                item,
                what,
                realm,
                contextmanager(inject),
                outcome,
                known,
                alone,
                frozenset(apart_from or ()),
                finding,
            )
        )
        return inject

    return register


def _bear(one: Fault, other: Fault) -> bool:
    """Whether two faults may last at the same time."""
    if one.alone or other.alone or one.realm is not other.realm:
        return False
    told_apart = {one.item} if one.item == other.item and one.finding and other.finding else set()
    if (one.turned & other.turned) - told_apart:
        return False
    return not (one.turned & other.apart_from or other.turned & one.apart_from)


def together(faults: Sequence[Fault], size: int) -> list[tuple[Fault, ...]]:
    """Groups of at most `size` faults that may last at the same time: each turns items that no other of them turns."""
    groups: list[list[Fault]] = []
    for one in faults:
        for group in groups:
            if len(group) < size and all(_bear(one, other) for other in group):
                group.append(one)
                break
        else:
            groups.append([one])
    return [tuple(group) for group in groups]

"""What a live document has beyond a declared one and AWS's defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from readiness.catalogue.undeclared.declarations import ATTACHED
from readiness.catalogue.undeclared.subject import Document
from readiness.discovery.comparison import differences
from readiness.discovery.template import UNKNOWN

FILE: Final = Path(__file__).with_name("defaults.toml")
_IDENTITIES: Final = (
    "RouteKey",
    "ResourceId",
    "PathPattern",
    "Id",
    "ErrorCode",
    "IndexName",
    "UUID",
    "Name",
    "StorageClass",
)
"""Members that say which element of a list one is."""
_NAMES_OF_ITS_OWN: Final = ("IdentityProviders",)
"""Attachments whose physical id is unique only within what they are attached to, so that another stack may have the same."""
_IDS: Final = ("UUID", "SubscriptionArn", "Sid")
_VARIABLES: Final = "Environment.Variables."
"""Values that a report does not show, because they may be secrets."""


@dataclass(frozen=True)
class Extra:
    """One thing that is live and not declared."""

    path: str
    value: Any

    @property
    def id(self) -> str:
        """By what CloudFormation may know it, where it is an attachment; empty where it is a setting."""
        if self.path not in ATTACHED or self.path in _NAMES_OF_ITS_OWN:
            return ""
        if isinstance(self.value, Mapping):
            return str(next((self.value[name] for name in _IDS if name in self.value), ""))
        return str(self.value)

    def __str__(self) -> str:
        found = self.path if self.path.startswith(_VARIABLES) else f"{self.path} {_shown(self)}"
        return f"expected nothing beyond the template and AWS's defaults, found {found}; take it away, or declare it"


def _shown(extra: Extra) -> str:
    """A value as a report shows it, without a person's address."""
    value = extra.value
    if extra.path == "Subscriptions" and not str(value.get("Endpoint", "")).startswith("arn:"):
        return str(value.get("Protocol"))
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={one}" for name, one in value.items() if one not in (None, [], {}, ""))
    return str(value)


@cache
def defaults() -> Mapping[str, Any]:
    """AWS's defaults by type, see defaults.toml."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def extras(kind: str, declared: Document, live: Document, words: Mapping[str, str]) -> Iterator[Extra]:
    """Everything that is live, not declared, and no default.

    Args:
        kind: the resource's type.
        declared: what the templates say of it.
        live: what its services answer.
        words: what a default may name, such as the function's name in that of its log group.
    """
    own = defaults().get(kind, {})
    usual = own.get("defaults", {})
    search = _Search(frozenset(own.get("ignored", [])), usual, words, frozenset(declared))
    for name, value in live.items():
        if name in ATTACHED:
            yield from search.attached(declared.get(name), value, name)
        else:
            yield from search.within(_member(declared, name), value, name)


_NOTHING: Final = object()


def _member(declared: Any, name: str) -> Any:
    """A member by its name, without regard to case: AcmCertificateArn, ACMCertificateArn."""
    if name in declared:
        return declared[name]
    return next((value for key, value in declared.items() if str(key).lower() == name.lower()), _NOTHING)


@dataclass(frozen=True)
class _Search:
    ignored: frozenset[str]
    usual: Mapping[str, Mapping[str, Any]]
    words: Mapping[str, str]
    properties: frozenset[str]

    def attached(self, declared: Any, live: Any, path: str) -> Iterator[Extra]:
        """Live elements of which no declared one says the same."""
        if declared == UNKNOWN:
            return
        wanted = declared if isinstance(declared, list) else []
        for one in live if isinstance(live, list) else [live] if live else []:
            partner = _partner(one, wanted)
            if partner is not None and path == "Routes":
                yield from self.answering(partner, one, path)
            elif not any(_same(each, one) for each in wanted):
                yield Extra(path, one)

    def answering(self, declared: Document, live: Document, path: str) -> Iterator[Extra]:
        """What answers a route otherwise than declared, which drift does not compare where a definition declares it."""
        if declared.get("Integration") == UNKNOWN:
            return
        for name, value in live["Integration"].items():
            where = f"{path}.Integration.{name}"
            if name in declared["Integration"]:
                if not _same(declared["Integration"][name], value):
                    yield Extra(f"{path} {live['RouteKey']}: {name}", value)
            else:
                for extra in self.leaf(value, where):
                    yield Extra(f"{path} {live['RouteKey']}: {name}", extra.value)

    def within(self, declared: Any, live: Any, path: str) -> Iterator[Extra]:
        """What a property has that is not declared of it. A declared value that differs is drift."""
        if path in self.ignored or declared == UNKNOWN:
            return
        if declared is _NOTHING:
            yield from self.leaf(live, path)
        elif isinstance(declared, Mapping) and isinstance(live, Mapping):
            for name, value in live.items():
                member, where = _member(declared, name), f"{path}.{name}"
                if member is _NOTHING:
                    yield from self.leaf(value, where, beside=True)
                else:
                    yield from self.within(member, value, where)
        elif isinstance(declared, list) and isinstance(live, list):
            partners = [_partner(one, declared) for one in live]
            for one, partner in zip(live, partners, strict=True):
                if partner is not None:
                    yield from self.within(partner, one, path)
            alone = [one for one, partner in zip(live, partners, strict=True) if partner is None]
            lone = [one for one in declared if not any(one is partner for partner in partners)]
            left = [one for one in _left(lone, alone) if not any(_same(each, one) for each in lone)]
            yield from (Extra(path, one) for one in left)

    def leaf(self, live: Any, path: str, *, beside: bool = False) -> Iterator[Extra]:
        """What of an undeclared value is no default; nothing set is none.

        Args:
            live: the value.
            path: its property.
            beside: whether other members of the same property are declared.
        """
        if path in self.ignored or live in (None, "", [], {}):
            return
        usual = self.usual.get(path, {})
        if usual.get("unless") in self.properties:
            return
        values = usual.get("beside", usual.get("values", [])) if beside else usual.get("values", [])
        if any(_same(self._worded(one), live) for one in values):
            return
        if isinstance(live, Mapping):
            for name, value in live.items():
                yield from self.leaf(value, f"{path}.{name}")
        else:
            yield Extra(path, live)

    def _worded(self, value: Any) -> Any:
        return value.replace("{name}", self.words["name"]) if isinstance(value, str) else value


def _partner(live: Any, declared: Sequence[Any]) -> Any:
    """The declared element that means the same thing, by its identity."""
    if not isinstance(live, Mapping):
        return None
    for one in declared:
        names = [name for name in _IDENTITIES if isinstance(one, Mapping) and name in one and name in live]
        if names and all(_same(one[name], live[name]) for name in names):
            return one
    return None


def _left(declared: Sequence[Any], live: Sequence[Any]) -> Sequence[Any]:
    """The live elements that are left when each declared one has taken the one that differs least from it."""
    pairs = sorted(
        (sum(_size(found.declared) for found in differences(one, each, "")), mine, its)
        for mine, one in enumerate(declared)
        for its, each in enumerate(live)
    )
    taken: dict[int, int] = {}
    for _, mine, its in pairs:
        if mine not in taken and its not in taken.values():
            taken[mine] = its
    return [one for its, one in enumerate(live) if its not in taken.values()]


def _size(value: Any) -> int:
    """How many values a structure has, so that one statement of another kind differs more than a name's case."""
    if isinstance(value, Mapping):
        value = list(value.values())
    return sum(map(_size, value)) if isinstance(value, list) else 1


def _same(declared: Any, live: Any) -> bool:
    return not list(differences(declared, live, ""))

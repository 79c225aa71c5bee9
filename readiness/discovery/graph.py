"""The live stack as a typed graph: its resources, nested stacks included, and the relations between them.

Checks ask it by type and by relation, never by a logical id, so that a renamed resource is the same resource.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, TypeVar

from readiness.discovery import arns
from readiness.errors import Unverified

_K = TypeVar("_K")
_V = TypeVar("_V")
_WORD: Final = re.compile(r"[\w.\-/:$+@|]+")
_SHORTEST_NAME: Final = 4
"""Characters that a name has at least, for a text that holds it as a word to mean the resource."""


class Relation(StrEnum):
    """How one resource belongs to another; read as a sentence from source to target."""

    INVOKES = "invokes"
    """API, rule, schedule, bucket, topic, state machine or event source: the function or state machine that it starts."""
    READS_FROM = "reads from"
    """Function: the queue or stream that an event source mapping feeds it from."""
    ROUTES_TO = "routes to"
    """API: what answers a route; the edge's label is the route, such as `GET /entries`."""
    SERVES = "serves"
    """Distribution: the bucket, API or function URL behind a cache behaviour; the label is the path pattern."""
    LOGS_TO = "logs to"
    """Function, stage, state machine, distribution or bucket: the log group or bucket that its logs go to."""
    WATCHES = "watches"
    """Alarm: what its dimensions name."""
    NOTIFIES = "notifies"
    """Alarm, rule or bucket: the topic or queue that it writes to."""
    ASSUMES = "assumes"
    """Function, state machine, rule: its role."""
    ENCRYPTS_WITH = "encrypts with"
    """Bucket, table, queue, topic, log group, secret: its KMS key."""
    DEAD_LETTERS_TO = "dead letters to"
    """Queue, function, rule or topic: the queue or topic of what failed."""
    AUTHORIZED_BY = "authorized by"
    """API: the authorizer of a route, and its function or user pool; the label is the route."""
    PROTECTED_BY = "protected by"
    """Distribution or stage: its web ACL."""
    CONTAINS = "contains"
    """Stack: its resources."""
    USES = "uses"
    """Function or state machine: the table, bucket, queue, topic, secret or key that its role's policies or its environment
    name; the label is the actions, or the variable."""
    MAY_INVOKE = "may invoke"
    """Whom a function's policy lets in, a resource or a service: the function."""


@dataclass(frozen=True)
class Resource:
    """One live resource.

    Args:
        type: CloudFormation's, such as `AWS::SQS::Queue`.
        logical_id: from the outermost stack on, such as `Alarms/ErrorsAlarm` for one of a nested stack.
        physical_id: as CloudFormation tells it.
        properties: what the processed template sets, intrinsic functions included.
        declared: False for what the stack does not declare but its resources use.
        arn: as AWS's APIs name it, empty where its type is not known to have one.
    """

    type: str
    logical_id: str
    physical_id: str
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    declared: bool = True
    arn: str = field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        return self.logical_id


@dataclass(frozen=True)
class Edge:
    """One relation; `label` says under which route, path or event."""

    source: Resource
    relation: Relation
    target: Resource
    label: str = ""


@dataclass(frozen=True)
class Unread:
    """What could not be read, so that a relation that the graph lacks is not known to be absent.

    Args:
        what: the resource or service.
        action: the IAM action that was denied, empty where something else was in the way.
        reason: in words.
        relations: which may be incomplete.
    """

    what: str
    action: str
    reason: str
    relations: frozenset[Relation] = frozenset()

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


@dataclass(frozen=True)
class Graph:
    """All resources of a stack, how they belong together, and what of that could not be read."""

    resources: Sequence[Resource]
    edges: Sequence[Edge] = ()
    gaps: Sequence[Unread] = ()

    def of(self, *types: str) -> Sequence[Resource]:
        """Every resource of these types, in the template's order."""
        return [resource for resource in self.resources if resource.type in types and resource.declared]

    def from_(self, source: Resource, *relations: Relation) -> Sequence[Edge]:
        """The relations that a resource has to others."""
        return [edge for edge in self._from.get(source, ()) if edge.relation in relations]

    def to(self, target: Resource, *relations: Relation) -> Sequence[Edge]:
        """The relations that others have to a resource."""
        return [edge for edge in self._to.get(target, ()) if edge.relation in relations]

    def require(self, *relations: Relation) -> None:
        """Make sure that these relations were read whole, before their absence is held against a resource.

        Raises:
            Unverified: a part of them could not be read.
        """
        for gap in self.gaps:
            if gap.relations & set(relations):
                cause = f"denied {gap.action}" if gap.action else gap.reason
                raise Unverified(f"{gap}; what belongs together is not known without it", cause=cause)

    def named(self, physical_id: str, types: Iterable[str] = ()) -> Resource | None:
        """The resource with this physical id or ARN, None where the stack has none.

        An ARN may say more than which resource it is, such as a function's version, an object's key or a table's stream.
        With types, the name of a queue, rule or topic is enough.
        """
        wanted = tuple(types)
        candidates = [
            *self._by_arn.get(physical_id, ()),
            *self._by_arn.get(arns.reduced(physical_id), ()),
            *self._by_id.get(physical_id, ()),
            *(self._by_name.get(physical_id, ()) if wanted else ()),
        ]
        return next((one for one in candidates if not wanted or one.type in wanted), None)

    def by_arn(self, arn: str) -> Resource | None:
        """The declared resource that has exactly this ARN."""
        return next((one for one in self._by_arn.get(arn, ()) if one.declared and one.arn == arn), None)

    def at(self, reference: str, otherwise: str = "") -> Resource:
        """What an API's answer refers to: a resource of the stack, or one that the stack does not declare.

        Args:
            reference: an ARN, a physical id, or a name where `otherwise` is given.
            otherwise: the type, where the reference does not say it.
        """
        type_ = arns.kind(reference) or otherwise
        if found := self.named(
            reference, [otherwise] if otherwise and not reference.startswith("arn:") else []
        ):
            return found
        return Resource(type_ or "AWS", arns.name(reference), reference, declared=False, arn=reference)

    def mentioned(self, text: str) -> Sequence[Resource]:
        """The resources that a text names, such as a state machine's definition or a variable's value."""
        words = [word.strip(".:/") for word in _WORD.findall(text)]
        found = [self.named(word) for word in words if len(word) >= _SHORTEST_NAME]
        return list(dict.fromkeys(one for one in found if one and one.declared))

    def matching(self, pattern: str) -> Sequence[Resource]:
        """The resources that a pattern of a policy covers, those that it covers a part of included; none for `*` alone."""
        if pattern.strip("*") in ("", "arn:", "arn:aws:"):
            return []
        if found := self.named(pattern):
            return [found]
        if "*" not in pattern and "?" not in pattern:
            return []
        whole = [
            one
            for one in self.resources
            if one.arn and fnmatch.fnmatchcase(one.arn, pattern.replace("[", "[[]"))
        ]
        stem = re.split(r"[/:][*?]", pattern)[0]
        return whole or [one for one in self.resources if one.arn == stem]

    def plus(self, found: Iterable[Edge | Unread]) -> Graph:
        """The graph with further relations; what they lead to and the stack does not declare is added."""
        found = list(found)
        edges = [one for one in found if isinstance(one, Edge)]
        known = set(self.resources)
        ends = (end for edge in edges for end in (edge.source, edge.target))
        return replace(
            self,
            resources=[*self.resources, *dict.fromkeys(end for end in ends if end not in known)],
            edges=list(dict.fromkeys([*self.edges, *edges])),
            gaps=list(dict.fromkeys([*self.gaps, *(one for one in found if isinstance(one, Unread))])),
        )

    @cached_property
    def _from(self) -> Mapping[Resource, Sequence[Edge]]:
        return _grouped((edge.source, edge) for edge in self.edges)

    @cached_property
    def _to(self) -> Mapping[Resource, Sequence[Edge]]:
        return _grouped((edge.target, edge) for edge in self.edges)

    @cached_property
    def _by_arn(self) -> Mapping[str, Sequence[Resource]]:
        return _grouped((arns.reduced(one.arn), one) for one in self.resources if one.arn)

    @cached_property
    def _by_id(self) -> Mapping[str, Sequence[Resource]]:
        # An ARN that is the physical id of a helper, such as a function URL's, means the function.
        return _grouped(
            (one.physical_id, one)
            for one in sorted(self.resources, key=lambda one: not one.arn)
            if one.physical_id
        )

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[Resource]]:
        return _grouped((arns.short(one.physical_id), one) for one in self.resources if one.physical_id)


def _grouped(pairs: Iterator[tuple[_K, _V]]) -> Mapping[_K, Sequence[_V]]:
    groups: dict[_K, list[_V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups

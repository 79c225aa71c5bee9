"""The part of a graph that a picture shows: how work gets from an entry point to the data, and what watches it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from readiness.discovery.graph import Edge, Graph, Relation, Resource

_ALARMS: Final = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_ENTRIES: Final = (
    "AWS::CloudFront::Distribution",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGateway::RestApi",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::Lambda::Url",
    "AWS::Events::Rule",
    "AWS::Scheduler::Schedule",
)
_STORES: Final = ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
"""What outsiders fill, and what tells of it."""
_VERBS: Final[Mapping[Relation, str]] = {
    Relation.SERVES: "serves",
    Relation.ROUTES_TO: "routes to",
    Relation.INVOKES: "invokes",
    Relation.NOTIFIES: "notifies",
    Relation.READS_FROM: "feeds",
    Relation.USES: "uses",
    Relation.DEAD_LETTERS_TO: "dead letters to",
    Relation.LOGS_TO: "logs to",
    Relation.WATCHES: "is watched by",
    Relation.AUTHORIZED_BY: "is authorized by",
}
_KINDS: Final[Mapping[str, str]] = {
    "AWS::ApiGateway::RestApi": "REST API",
    "AWS::ApiGatewayV2::Api": "HTTP API",
    "AWS::CloudFront::Distribution": "CloudFront distribution",
    "AWS::DynamoDB::Table": "DynamoDB table",
    "AWS::Lambda::Function": "Lambda function",
    "AWS::Lambda::Url": "function URL",
    "AWS::S3::Bucket": "S3 bucket",
    "AWS::SNS::Subscription": "subscriber",
    "AWS::SNS::Topic": "SNS topic",
    "AWS::SQS::Queue": "SQS queue",
    "AWS::SecretsManager::Secret": "secret",
    "AWS::Events::Rule": "EventBridge rule",
    "AWS::StepFunctions::StateMachine": "state machine",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancer",
    "AWS::Cognito::UserPool": "user pool",
}


_SHOWN_ENDS: Final[Mapping[Relation, Sequence[str]]] = {
    Relation.LOGS_TO: ("AWS::S3::Bucket",),
    Relation.AUTHORIZED_BY: ("AWS::Lambda::Function", "AWS::Cognito::UserPool"),
}
"""Relations that are shown only to these types, because every function has a log group, and authorizers are indirect."""


@dataclass(frozen=True)
class Node:
    """A resource, or several alarms that watch and tell the same."""

    resources: tuple[Resource, ...]
    observes: bool = False

    def __str__(self) -> str:
        return str(self.resources[0]) if len(self.resources) == 1 else f"{len(self.resources)} alarms"

    @property
    def kind(self) -> str:
        """What it is, in words."""
        if len(self.resources) > 1:
            return ", ".join(str(one).rpartition("/")[2].removesuffix("Alarm") for one in self.resources)
        type_ = self.resources[0].type
        return _KINDS.get(type_, type_.rpartition("::")[2].lower())


@dataclass(frozen=True)
class Arrow:
    """How one node leads to another, with all routes or actions of it."""

    source: Node
    target: Node
    relations: tuple[Relation, ...]
    labels: tuple[str, ...]

    @property
    def verb(self) -> str:
        return _VERBS[self.relations[0]]

    @property
    def observing(self) -> bool:
        """Whether it only watches or keeps logs."""
        return set(self.relations) <= {Relation.WATCHES, Relation.LOGS_TO}


@dataclass(frozen=True)
class Flow:
    """Nodes and arrows, from the entry points on."""

    nodes: Sequence[Node]
    arrows: Sequence[Arrow]

    def out_of(self, node: Node) -> Sequence[Arrow]:
        return [arrow for arrow in self.arrows if arrow.source == node]

    def into(self, node: Node, *, observing: bool) -> Sequence[Arrow]:
        return [arrow for arrow in self.arrows if arrow.target == node and arrow.observing is observing]

    @cached_property
    def roots(self) -> Sequence[Node]:
        """Where work enters: public addresses, rules, and what nothing else leads to; of a circle, its first."""
        found = [node for node in self.nodes if not node.observes and self._is_entered_from_outside(node)]
        found.sort(key=lambda node: _rank(node.resources[0]))
        reached = set(_reached(self, found))
        for node in self.nodes:
            if not node.observes and node not in reached:
                found.append(node)
                reached |= set(_reached(self, [node]))
        return found

    def _is_entered_from_outside(self, node: Node) -> bool:
        """Nothing leads there, but for work that it started itself and that uses it, as a file's import reads the file."""
        into = self.into(node, observing=False)
        if not into or node.resources[0].type not in _STORES:
            return not into
        own = set(_reached(self, [node]))
        return all(arrow.relations == (Relation.USES,) and arrow.source in own for arrow in into)


def _rank(resource: Resource) -> int:
    return _ENTRIES.index(resource.type) if resource.type in _ENTRIES else len(_ENTRIES)


def _reached(shown: Flow, start: Sequence[Node]) -> Iterator[Node]:
    queue, seen = list(start), set(start)
    while queue:
        node = queue.pop()
        yield node
        for arrow in shown.out_of(node):
            if arrow.target not in seen:
                seen.add(arrow.target)
                queue.append(arrow.target)


def flow(graph: Graph) -> Flow:
    """What of a graph leads from entry points to data, and who watches it."""
    steps = list(_steps(graph))
    groups = _alarms(graph)
    ends = dict.fromkeys(end for source, _, target in steps for end in (source, target))
    beyond = _beyond(graph, steps)
    node_of = {
        end: groups.get(end) or Node((end,), observes=end in beyond)
        for end in (*graph.of(*_ENTRIES, *_ALARMS), *ends)
    }
    for function in graph.of("AWS::Lambda::Function", "AWS::StepFunctions::StateMachine"):
        node_of.setdefault(function, Node((function,)))
    together: dict[tuple[Node, Node], list[Edge]] = {}
    for source, edge, target in steps:
        together.setdefault((node_of[source], node_of[target]), []).append(edge)
    arrows = [
        Arrow(
            *ends_,
            tuple(dict.fromkeys(edge.relation for edge in edges)),
            tuple(dict.fromkeys(edge.label for edge in edges if edge.label)),
        )
        for ends_, edges in together.items()
    ]
    return Flow(list(dict.fromkeys(node_of.values())), arrows)


def _steps(graph: Graph) -> Iterator[tuple[Resource, Edge, Resource]]:
    """Edges in the direction in which work goes; a watched resource leads to its alarm."""
    fed = {(edge.source, edge.target) for edge in graph.edges if edge.relation is Relation.READS_FROM}
    for edge in graph.edges:
        if edge.relation in (Relation.READS_FROM, Relation.WATCHES):
            yield edge.target, edge, edge.source
        elif edge.target.type not in _SHOWN_ENDS.get(edge.relation, (edge.target.type,)):
            continue
        elif edge.relation in _VERBS and not (
            edge.relation is Relation.USES and (edge.source, edge.target) in fed
        ):
            yield edge.source, edge, edge.target


def _alarms(graph: Graph) -> Mapping[Resource, Node]:
    """Alarms that watch and tell the same are one node."""
    groups: dict[object, list[Resource]] = {}
    for alarm in graph.of(*_ALARMS):
        watched = frozenset(edge.target for edge in graph.from_(alarm, Relation.WATCHES))
        told = frozenset(edge.target for edge in graph.from_(alarm, Relation.NOTIFIES, Relation.INVOKES))
        groups.setdefault((watched, told), []).append(alarm)
    return {alarm: Node(tuple(alarms), observes=True) for alarms in groups.values() for alarm in alarms}


def _beyond(graph: Graph, steps: Sequence[tuple[Resource, Edge, Resource]]) -> set[Resource]:
    """What only alarms and logs lead to: whom alarms tell, and buckets of logs."""
    alarms = set(graph.of(*_ALARMS))
    into: dict[Resource, list[tuple[Resource, Relation]]] = {}
    for source, edge, target in steps:
        into.setdefault(target, []).append((source, edge.relation))
    observing = set(alarms)
    while True:
        more = {
            target
            for target, sources in into.items()
            if target not in observing
            and all(source in observing or relation is Relation.LOGS_TO for source, relation in sources)
        }
        if not more:
            return observing - alarms
        observing |= more

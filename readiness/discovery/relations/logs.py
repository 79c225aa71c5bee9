"""Which keys encrypt log groups, and whom their lines are handed to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (Relation.ENCRYPTS_WITH, Relation.INVOKES, Relation.NOTIFIES)
_GROUP: Final = "AWS::Logs::LogGroup"
_AT_ONCE: Final = 50
"""Log groups that one request may name. Source: CloudWatch Logs API Reference, DescribeLogGroups, logGroupIdentifiers."""


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Keys and subscription filters of the stack's log groups."""
    groups = graph.of(_GROUP)
    for start in range(0, len(groups), _AT_ONCE):
        names = [group.physical_id for group in groups[start : start + _AT_ONCE]]
        yield from attempt("log groups", partial(_keys, env, graph, names))
    if graph.of("AWS::Logs::SubscriptionFilter"):
        for group in groups:
            yield from attempt(str(group), partial(_subscriptions, env, graph, group))


def _keys(env: Environment, graph: Graph, names: list[str]) -> Iterator[Edge]:
    pages = env.client("logs").get_paginator("describe_log_groups").paginate(logGroupIdentifiers=names)
    for page in pages:
        for found in page["logGroups"]:
            group = graph.named(found["logGroupName"], [_GROUP])
            if group and found.get("kmsKeyId"):
                yield Edge(group, Relation.ENCRYPTS_WITH, graph.at(found["kmsKeyId"], "AWS::KMS::Key"))


def _subscriptions(env: Environment, graph: Graph, group: Resource) -> Iterator[Edge]:
    found = env.client("logs").describe_subscription_filters(logGroupName=group.physical_id)
    for one in found["subscriptionFilters"]:
        target = graph.at(one["destinationArn"])
        relation = Relation.INVOKES if target.type == "AWS::Lambda::Function" else Relation.NOTIFIES
        yield Edge(group, relation, target, one.get("filterPattern", ""))

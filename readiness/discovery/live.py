"""Reads the graph of a deployed stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from readiness.aws.cloudformation import CloudFormationStack
from readiness.discovery import arns
from readiness.discovery.graph import Edge, Graph, Relation, Resource, Unread
from readiness.discovery.reading import Found, attempt
from readiness.discovery.relations import MODULES
from readiness.environment import Environment
from readiness.errors import Unverified

_STACK = "AWS::CloudFormation::Stack"


def read(env: Environment) -> Graph:
    """Return the graph of the environment's stack as it is deployed now.

    Denied reads are in `gaps`, and the other services are still read. A service without a resource in the stack is not
    read.

    Raises:
        Unverified: the stack's resources cannot be read.
    """
    graph = resources(env)
    for module in MODULES:
        name = module.__name__.rpartition(".")[2].rstrip("_")
        relations = frozenset(module.RELATIONS)
        read_now = list(attempt(name, lambda module=module, graph=graph: module.edges(env, graph)))  # type: ignore[misc]
        graph = graph.plus(_with(one, relations) for one in read_now)
    return graph


def resources(env: Environment) -> Graph:
    """Return the resources with no relation but which stack contains which. Read CloudFormation alone.

    Raises:
        Unverified: the stack's resources cannot be read.
    """
    home = arns.Home(env.partition, env.region, env.account_id)
    found = list(_resources(env, env.stack_name, home))
    graph = Graph([one for one in found if isinstance(one, Resource)])
    graph = graph.plus(one for one in found if isinstance(one, Unread))
    return graph.plus(_contains(graph))


def _with(found: Found, relations: frozenset[Relation]) -> Found:
    return replace(found, relations=found.relations or relations) if isinstance(found, Unread) else found


def _resources(env: Environment, stack: str, home: arns.Home, path: str = "") -> Iterator[Resource | Unread]:
    declared: Mapping[str, Any] = {}
    try:
        declared = CloudFormationStack(env, stack).declared
    except Unverified as problem:
        yield Unread(f"template of {path or stack}", getattr(problem, "action", ""), str(problem))
    for page in env.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack):
        for found in page["StackResourceSummaries"]:
            type_, name = found["ResourceType"], found["LogicalResourceId"]
            physical_id = found.get("PhysicalResourceId", "")
            properties = (declared.get(name) or {}).get("Properties") or {}
            arn = arns.arn(type_, physical_id, home)
            yield Resource(type_, path + name, physical_id, properties, arn=arn)
            if type_ == _STACK and physical_id:
                yield from _resources(env, physical_id, home, f"{path}{name}/")


def _contains(graph: Graph) -> Iterator[Edge]:
    stacks = {stack.logical_id: stack for stack in graph.of(_STACK)}
    for resource in graph.resources:
        if parent := stacks.get(resource.logical_id.rpartition("/")[0]):
            yield Edge(parent, Relation.CONTAINS, resource)

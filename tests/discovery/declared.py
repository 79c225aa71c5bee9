"""What a graph of the tests is made of, and its relations in words."""

from __future__ import annotations

from typing import Any

from readiness.discovery import arns
from readiness.discovery.graph import Graph, Resource
from tests.answering import ACCOUNT, REGION

HOME = arns.Home("aws", REGION, ACCOUNT)


def resource(type_: str, logical_id: str, physical_id: str, **properties: Any) -> Resource:
    """A declared resource with its ARN."""
    kind = f"AWS::{type_}"
    return Resource(kind, logical_id, physical_id, properties, arn=arns.arn(kind, physical_id, HOME))


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def sentences(graph: Graph) -> set[str]:
    """The relations in words, `*` behind what is not declared."""
    return {
        f"{edge.source} {edge.relation} {edge.target}{'' if edge.target.declared else '*'}"
        + (f" [{edge.label}]" if edge.label else "")
        for edge in graph.edges
    }

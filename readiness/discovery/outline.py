"""The outline of a graph, for a report: types, names and relations, without properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readiness.discovery.graph import Edge, Graph, Relation, Resource


def outline(graph: Graph) -> dict[str, Any]:
    """The graph as JSON's own types. An edge names its resources by their place in the list."""
    every = list(
        dict.fromkeys(
            (*graph.resources, *(end for edge in graph.edges for end in (edge.source, edge.target)))
        )
    )
    places = {resource: place for place, resource in enumerate(every)}
    return {
        "resources": [
            {
                "type": resource.type,
                "name": resource.logical_id,
                "physical": resource.physical_id,
                "declared": resource.declared,
            }
            for resource in every
        ],
        "edges": [
            {
                "source": places[edge.source],
                "relation": edge.relation.value,
                "target": places[edge.target],
                "label": edge.label,
            }
            for edge in graph.edges
        ],
    }


def graph_of(kept: Mapping[str, Any]) -> Graph:
    """The graph that an outline was made of, without properties."""
    every = [
        Resource(one["type"], one["name"], one["physical"], declared=one["declared"])
        for one in kept["resources"]
    ]
    edges = [
        Edge(every[one["source"]], Relation(one["relation"]), every[one["target"]], one["label"])
        for one in kept["edges"]
    ]
    return Graph(every, edges)

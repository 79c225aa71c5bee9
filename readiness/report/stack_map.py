"""The stack's graph in the report: which findings name which resource."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from readiness.discovery.graph import Resource
from readiness.discovery.outline import graph_of
from readiness.discovery.picture import svg
from readiness.report.document import Document

_SHORTEST = 4
"""Characters that a name has at least, for a text that holds it as a word to mean the resource."""
_JUDGED = ("fail", "unverified", "waived")
"""The outcomes that a resource can take, the gravest first."""


def picture(document: Document) -> str:
    """The graph as SVG, each resource with the gravest outcome whose findings name it; empty where none was read."""
    if not document.get("map"):
        return ""
    graph = graph_of(document["map"])
    judged = [item for item in document["items"] if item["outcome"] in _JUDGED]
    texts = [(item, "\n".join(_texts(item))) for item in judged]
    named = {str(resource): items for resource in graph.resources if (items := _items(texts, resource))}
    return svg(
        graph,
        {name: items[0]["outcome"] for name, items in named.items()},
        {name: items[0]["id"] for name, items in named.items()},
    )


def _items(texts: Sequence[tuple[Mapping[str, Any], str]], resource: Resource) -> list[Mapping[str, Any]]:
    """The items whose findings name a resource, the gravest first.

    Args:
        texts: each item with what its findings say.
        resource: the resource.
    """
    names = {resource.logical_id.rpartition("/")[2], re.split(r"[/:]", resource.physical_id)[-1]}
    words = [rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in names if len(name) >= _SHORTEST]
    if not words:
        return []
    pattern = re.compile("|".join(words))
    # A search for the plain names comes first: it is many times as fast as that for whole words.
    found = [item for item, text in texts if any(name in text for name in names) and pattern.search(text)]
    return sorted(found, key=lambda item: _JUDGED.index(item["outcome"]))


def _texts(item: Mapping[str, Any]) -> list[str]:
    texts = [text for finding in item["findings"] for text in (finding["place"], finding["text"])]
    return texts or [item["reason"]]

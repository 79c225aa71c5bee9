"""Shows a graph to people: as a tree in a terminal, and as a picture that needs nothing beside itself."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from readiness.discovery.flow import Arrow, Flow, Node, flow
from readiness.discovery.graph import Graph, Relation, Resource
from readiness.discovery.picture import svg

__all__ = ["svg", "text"]

_WIDTH: Final = 120


def text(graph: Graph) -> str:
    """A tree: entry points first, each with what it reaches; then who observes, what could not be read, and the rest."""
    shown = flow(graph)
    seen: set[Node] = set()
    lines = ["Entry points and what they reach"]
    for root in shown.roots:
        lines += _tree(shown, root, seen)
    lines += _observers(shown)
    lines += _runs(graph)
    if graph.gaps:
        lines += ["", "Could not be read", *(f"  {gap}" for gap in graph.gaps)]
    if rest := _rest(graph, shown):
        lines += [
            "",
            "Beside that",
            *textwrap.wrap(rest, _WIDTH, initial_indent="  ", subsequent_indent="  "),
        ]
    return "\n".join(line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…" for line in lines) + "\n"


def _observers(shown: Flow) -> Sequence[str]:
    lines = []
    for node in shown.nodes:
        if not node.observes:
            continue
        watched = sorted({str(arrow.source) for arrow in shown.into(node, observing=True)})
        told = sorted({str(arrow.target) for arrow in shown.out_of(node)})
        names = ", ".join(str(one) for one in node.resources)
        if watched or told or node.resources[0].type.startswith("AWS::CloudWatch::"):
            seen = (
                f"<- {', '.join(watched) or 'nothing of the stack'}"
                if watched or not shown.into(node, observing=False)
                else ""
            )
            tells = f"-> {', '.join(told)}" if told else ""
            lines.append(f"  {names:40}  {seen} {tells}".rstrip())
    return ["", "Observers (<- what they watch, -> whom they tell)", *lines] if lines else []


def _tree(shown: Flow, node: Node, seen: set[Node]) -> Iterator[str]:
    yield f"  {node!s:40}  {node.kind}"
    yield from _branches(shown, node, seen, "  ")


def _branches(shown: Flow, node: Node, seen: set[Node], indent: str) -> Iterator[str]:
    if node in seen:
        return
    seen.add(node)
    arrows = [arrow for arrow in shown.out_of(node) if not arrow.observing]
    for number, arrow in enumerate(arrows):
        last = number == len(arrows) - 1
        again = " (see above)" if arrow.target in seen and shown.out_of(arrow.target) else ""
        start = f"{indent}{'└─' if last else '├─'} {arrow.verb} {arrow.target}{again}"
        yield f"{start:58}  {arrow.target.kind:22}  {_short(arrow)}".rstrip()
        yield from _branches(shown, arrow.target, seen, indent + ("   " if last else "│  "))


def _short(arrow: Arrow) -> str:
    labels = arrow.labels
    return ", ".join(labels) if len(labels) <= 1 else f"{labels[0]} and {len(labels) - 1} more"


def _runs(graph: Graph) -> Sequence[str]:
    """What each function and state machine runs as, and where it logs."""
    lines = []
    for resource in graph.of("AWS::Lambda::Function", "AWS::StepFunctions::StateMachine"):
        role = _targets(graph, resource, Relation.ASSUMES)
        log = _targets(graph, resource, Relation.LOGS_TO)
        lines.append(f"  {resource!s:40}  {role:34}  {log}".rstrip())
    return ["", f"  {'Runs':40}  {'as':34}  and logs to", *lines] if lines else []


def _targets(graph: Graph, resource: Resource, relation: Relation) -> str:
    ends = dict.fromkeys(edge.target for edge in graph.from_(resource, relation))
    return ", ".join(f"{end}" if end.declared else f"{end} (not declared)" for end in ends)


def _rest(graph: Graph, shown: Flow) -> str:
    """How many resources of each type the tree leaves out."""
    there = {resource for node in shown.nodes for resource in node.resources}
    counts: Mapping[str, int] = Counter(
        resource.type.removeprefix("AWS::")
        for resource in graph.resources
        if resource.declared and resource not in there
    )
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))

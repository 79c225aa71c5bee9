"""Draws the flow through a stack as SVG: layers from left to right, ordered so that few arrows cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import Final
from urllib.parse import quote

from readiness.discovery.flow import Arrow, Flow, Node, flow
from readiness.discovery.graph import Graph

_WIDTH, _HEIGHT = 208, 52
_COLUMN, _ROW, _MARGIN, _TOP = 300, 72, 24, 84
_LANE = 26
"""The height that an arrow takes where it passes a layer."""
_SWEEPS: Final = 13
_LETTERS: Final = 25
"""Characters of a label that fit into a node."""
_STYLE: Final = """
svg{--ink:#1f2328;--soft:#59636e;--paper:#fff;--line:#8c959f;--entry:#ddf4ff;--work:#fbefff;--data:#dafbe1;--see:#fff8c5;
--fail:#cf222e;--open:#9a6700;background:var(--paper);font:13px system-ui,sans-serif}
@media (prefers-color-scheme:dark){svg{--ink:#f0f6fc;--soft:#9198a1;--paper:#0d1117;--line:#6e7681;--entry:#0c2d4d;
--work:#2d1b4e;--data:#0f3320;--see:#3b2e0a;--fail:#ff7b72;--open:#d29922}}
text{fill:var(--ink)}.kind,.head{fill:var(--soft);font-size:11px}.head{font-size:12px}
rect{stroke:var(--line);rx:7px}.entry{fill:var(--entry)}.work{fill:var(--work)}.data{fill:var(--data)}.see{fill:var(--see)}
.fail rect{stroke:var(--fail);stroke-width:3}.unverified rect{stroke:var(--open);stroke-width:3;stroke-dasharray:6 3}
.foreign rect{stroke-dasharray:3 3}path{fill:none;stroke:var(--line);stroke-width:1.5}.watch{stroke-dasharray:2 4}
.dead{stroke:var(--fail);stroke-dasharray:7 4}g.arrow:hover path{stroke:var(--ink);stroke-width:3}marker path{fill:var(--line);stroke:none}
a:hover rect,a:focus rect{stroke:var(--ink);stroke-width:2}
"""
_TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker></defs>'
)
_CLASSES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("AWS::Lambda::Function", "AWS::StepFunctions::StateMachine"), "work"),
    **dict.fromkeys(
        (
            "AWS::CloudFront::Distribution",
            "AWS::ApiGatewayV2::Api",
            "AWS::ApiGateway::RestApi",
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "AWS::Lambda::Url",
            "AWS::Events::Rule",
            "AWS::Scheduler::Schedule",
        ),
        "entry",
    ),
}


@dataclass(eq=False)
class _Place:
    """The position of a node, or the point where an arrow passes a layer."""

    layer: int
    height: int
    node: Node | None = None
    y: float = 0
    before: list[_Place] = field(default_factory=list)
    after: list[_Place] = field(default_factory=list)


def svg(
    graph: Graph, outcomes: Mapping[str, str] | None = None, links: Mapping[str, str] | None = None
) -> str:
    """The picture of a graph, self-contained.

    Args:
        graph: what is drawn.
        outcomes: `fail`, `unverified` and the like, by logical id.
        links: the part of the page that a node with an outcome leads to, by logical id. Where None is given, each node
            leads to its logical id.
    """
    shown = flow(graph)
    layers = _layers(shown)
    places = {node: _Place(layer, _ROW, node) for node, layer in layers.items()}
    columns: list[list[_Place]] = [[] for _ in range(max(layers.values(), default=0) + 1)]
    for place in places.values():
        columns[place.layer].append(place)
    routes = [(arrow, _route(arrow, places, columns)) for arrow in shown.arrows]
    _arrange(columns)
    width = 2 * _MARGIN + (len(columns) - 1) * _COLUMN + _WIDTH
    bottom = max((place.y + place.height / 2 for place in places.values()), default=_TOP)
    height = round(bottom + _MARGIN + 20)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="group" aria-labelledby="graph-title" aria-describedby="graph-desc" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        '<title id="graph-title">How the stack\'s resources belong together</title>',
        f'<desc id="graph-desc">{escape(_described(shown))}</desc>',
        f"<style>{_STYLE}</style>",
        _TIP,
        *_legend(),
        *(_drawn(arrow, points) for arrow, points in routes),
        *(_box(node, place, outcomes or {}, links) for node, place in places.items()),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _layers(shown: Flow) -> Mapping[Node, int]:
    """The longest way from an entry point; observers come after all others."""
    working = [arrow for arrow in shown.arrows if not arrow.target.observes and not arrow.observing]
    layers = _longest([node for node in shown.nodes if not node.observes], _forward(shown.roots, working))
    last = max(layers.values(), default=-1)
    watching = [node for node in shown.nodes if node.observes]
    inside = [arrow for arrow in shown.arrows if arrow.source.observes and arrow.target.observes]
    later = _longest(watching, _forward(watching, inside))
    return {**layers, **{node: last + 1 + layer for node, layer in later.items()}}


def _forward(roots: Sequence[Node], arrows: Sequence[Arrow]) -> Sequence[Arrow]:
    """The arrows without those that close a circle."""
    kept: list[Arrow] = []
    done: set[Node] = set()

    def visit(node: Node, path: frozenset[Node]) -> None:
        done.add(node)
        for arrow in arrows:
            if arrow.source == node and arrow.target not in path:
                kept.append(arrow)
                if arrow.target not in done:
                    visit(arrow.target, path | {arrow.target})

    for root in roots:
        if root not in done:
            visit(root, frozenset({root}))
    return kept


def _longest(nodes: Sequence[Node], arrows: Sequence[Arrow]) -> dict[Node, int]:
    layers = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for arrow in arrows:
            layers[arrow.target] = max(layers[arrow.target], min(layers[arrow.source] + 1, len(nodes)))
    return layers


def _route(arrow: Arrow, places: Mapping[Node, _Place], columns: list[list[_Place]]) -> list[_Place]:
    """The places that an arrow passes, one a layer."""
    start, end = sorted((places[arrow.source], places[arrow.target]), key=lambda place: place.layer)
    points = [start]
    for layer in range(start.layer + 1, end.layer):
        lane = _Place(layer, _LANE)
        columns[layer].append(lane)
        points.append(lane)
    points.append(end)
    if start.layer < end.layer:
        for left, right in pairwise(points):
            # What only watches follows the others, and does not draw them apart.
            if not (arrow.observing and left.node):
                left.after.append(right)
            right.before.append(left)
    return points


def _arrange(columns: Sequence[list[_Place]]) -> None:
    """Order each layer by the mean of its neighbours, from left to right and back, and give heights."""
    for column in columns:
        _stack(column)
    for sweep in range(_SWEEPS):
        there = sweep % 2 == 0
        for column in columns if there else reversed(columns):
            for place in column:
                if near := place.before if there else place.after:
                    place.y = sum(one.y for one in near) / len(near)
            column.sort(key=lambda place: place.y)
            _apart(column)
    top = min((place.y - place.height / 2 for column in columns for place in column), default=0)
    for column in columns:
        for place in column:
            place.y += _TOP - top


def _stack(column: Sequence[_Place]) -> None:
    y = 0.0
    for place in column:
        place.y = y + place.height / 2
        y += place.height


def _apart(column: Sequence[_Place]) -> None:
    """Keep the order and leave no two on each other, as near to where they want to be as that allows."""
    blocks: list[tuple[float, list[_Place]]] = []
    for place in column:
        blocks.append((place.y, [place]))
        while len(blocks) > 1 and _end(blocks[-2]) > _start(blocks[-1]):
            (upper, first), (lower, second) = blocks[-2:]
            count = len(first) + len(second)
            blocks[-2:] = [((upper * len(first) + lower * len(second)) / count, [*first, *second])]
    for centre, members in blocks:
        y = centre - sum(one.height for one in members) / 2
        for one in members:
            one.y = y + one.height / 2
            y += one.height


def _start(block: tuple[float, list[_Place]]) -> float:
    return block[0] - sum(one.height for one in block[1]) / 2


def _end(block: tuple[float, list[_Place]]) -> float:
    return block[0] + sum(one.height for one in block[1]) / 2


def _x(place: _Place) -> int:
    return _MARGIN + place.layer * _COLUMN


def _drawn(arrow: Arrow, points: Sequence[_Place]) -> str:
    start, *lanes, end = points
    x, y = _x(start) + _WIDTH, start.y
    way = f"M{x} {y:.0f}"
    for place in (*lanes, end):
        to = _x(place)
        bend = max(abs(to - x) / 2, 40)
        way += f"C{x + bend:.0f} {y:.0f} {to - bend:.0f} {place.y:.0f} {to} {place.y:.0f}"
        x, y = to, place.y
        if place is not end:
            x += _WIDTH
            way += f"H{x}"
    style = "watch" if arrow.observing else "dead" if arrow.verb == "dead letters to" else "way"
    tip = "marker-end" if start.node == arrow.source else "marker-start"
    told = f"{arrow.source} {arrow.verb} {arrow.target}" + (
        f": {', '.join(arrow.labels)}" if arrow.labels else ""
    )
    return f'<g class="arrow"><title>{escape(told)}</title><path class="{style}" d="{way}" {tip}="url(#tip)"/></g>'


def _box(node: Node, place: _Place, outcomes: Mapping[str, str], links: Mapping[str, str] | None) -> str:
    x, y = _x(place), place.y - _HEIGHT / 2
    found = {outcomes.get(str(one), "") for one in node.resources}
    outcome = next((one for one in ("fail", "unverified", "waived", "pass") if one in found), "")
    stack, _, label = str(node).rpartition("/")
    kind = f"{node.kind} in {stack}" if stack else node.kind
    kind = f"{outcome.upper()} · {kind}" if outcome else kind
    look = "see" if node.observes else _CLASSES.get(node.resources[0].type, "data")
    states = f"{outcome} {'' if node.resources[0].declared else 'foreign'}".strip()
    told = ", ".join(str(one) for one in node.resources)
    judged = (links[str(one)] for one in node.resources if links and outcomes.get(str(one)) == outcome)
    link = str(node.resources[0]) if links is None else next(judged, "") if outcome else ""
    tag, address = ("a", f' href="#{quote(link)}"') if link else ("g", "")
    return (
        f'<{tag}{address} class="{states}"><title>{escape(f"{told}: {kind}")}</title>'
        f'<rect class="{look}" x="{x}" y="{y:.0f}" width="{_WIDTH}" height="{_HEIGHT}"/>'
        f'<text x="{x + 12}" y="{y + 22:.0f}">{escape(_cut(label, _LETTERS))}</text>'
        f'<text class="kind" x="{x + 12}" y="{y + 40:.0f}">{escape(_cut(kind, _LETTERS + 7))}</text></{tag}>'
    )


def _cut(label: str, letters: int) -> str:
    return label if len(label) <= letters else f"{label[: letters - 1]}…"


def _legend() -> Sequence[str]:
    kinds = (("entry", "entry point"), ("work", "code"), ("data", "data and queues"), ("see", "observers"))
    lines = []
    for number, (look, words) in enumerate(kinds):
        x = _MARGIN + number * 150
        lines.append(
            f'<rect class="{look}" x="{x}" y="22" width="16" height="16" style="rx:4px"/><text class="head" x="{x + 22}" y="34">{words}</text>'
        )
    for number, (look, words) in enumerate(
        (("way", "leads to"), ("dead", "dead letters"), ("watch", "watched, logged"))
    ):
        x = _MARGIN + number * 150
        lines.append(
            f'<path class="{look}" d="M{x} 54h30" marker-end="url(#tip)"/><text class="head" x="{x + 36}" y="58">{words}</text>'
        )
    return lines


def _described(shown: Flow) -> str:
    return " ".join(f"{arrow.source} {arrow.verb} {arrow.target}." for arrow in shown.arrows)

"""How a check of the catalogue judges every resource of a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from readiness.discovery.graph import Graph, Resource
from readiness.errors import NotApplicable, Unverified


def every(graph: Graph, *types: str) -> Sequence[Resource]:
    """Each resource of these types.

    Raises:
        NotApplicable: the stack has none.
    """
    if not (found := graph.of(*types)):
        raise NotApplicable(f"the stack has no {' or '.join(types)}")
    return found


def findings(
    resources: Iterable[Resource], judge: Callable[[Resource], Iterable[str]]
) -> Mapping[str, Sequence[str]]:
    """What is wrong with which resource, by its logical id; empty where nothing is.

    What was seen to be wrong counts, even where another resource could not be read.

    Args:
        resources: each is judged.
        judge: says what is wrong with one: expected, found, and what to change.

    Raises:
        Unverified: nothing was found to be wrong, and not every resource could be read.
    """
    found: dict[str, Sequence[str]] = {}
    unread: list[tuple[Resource, Unverified]] = []
    for resource in resources:
        try:
            if wrong := list(judge(resource)):
                found[str(resource)] = wrong
        except NotApplicable:
            raise
        except Unverified as problem:
            unread.append((resource, problem))
    if unread and not found:
        names = ", ".join(str(resource) for resource, _ in unread)
        first = unread[0][1]
        raise Unverified(f"{names}: {first}", cause=first.cause) from first
    return found

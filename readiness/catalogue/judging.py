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

    What was seen to be wrong counts, even where something else could not be read, of the same resource or of another one.

    Args:
        resources: each is judged.
        judge: says what is wrong with one: expected, found, and what to change.

    Raises:
        Unverified: nothing was found to be wrong, and not every resource could be read.
        NotApplicable: the claim is about none of the resources.
    """
    found: dict[str, list[str]] = {}
    unread: list[tuple[Resource, Unverified]] = []
    others: list[NotApplicable] = []
    judged = 0
    for resource in resources:
        judged += 1
        wrong: list[str] = []
        try:
            for finding in judge(resource):
                wrong.append(finding)  # noqa: PERF402  # what came before an exception counts
        except NotApplicable as problem:
            others.append(problem)
        except Unverified as problem:
            unread.append((resource, problem))
        if wrong:
            found[str(resource)] = wrong
    if found:
        return found
    if unread:
        names = ", ".join(str(resource) for resource, _ in unread)
        first = unread[0][1]
        raise Unverified(f"{names}: {first}", cause=first.cause) from first
    if others and len(others) == judged:
        raise others[0]
    return {}

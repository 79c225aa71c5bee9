"""A change by hand to a live stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Apply = Callable[[Callable[[str], Any], Mapping[str, str]], None]


@dataclass(frozen=True)
class Change:
    """What a careless colleague does to a live stack that its template does not say.

    Args:
        title: what was changed, in one sentence.
        excuse: why the colleague did it.
        harm: what users or owners suffer.
        touches: logical ids of the resources that it is about.
        apply: makes the change. Takes what makes a boto3 client of a service, and the resources' physical ids by
            their logical ids.
    """

    title: str
    excuse: str
    harm: str
    touches: tuple[str, ...]
    apply: Apply


def into(changes: list[Change]) -> Callable[[str, str, str, *tuple[str, ...]], Callable[[Apply], Apply]]:
    """Return the decorator that adds a function to the changes of a round."""

    def change(title: str, excuse: str, harm: str, *touches: str) -> Callable[[Apply], Apply]:
        def keep(function: Apply) -> Apply:
            changes.append(Change(title, excuse, harm, touches, function))
            return function

        return keep

    return change

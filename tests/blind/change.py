"""A change by hand to a live stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


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
    apply: Callable[[Callable[[str], Any], Mapping[str, str]], None]

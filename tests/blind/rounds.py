"""The rounds, and the number of each change: they count on from one round to the next."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Final

from tests.blind import first, second, third
from tests.blind.change import Change

_numbers = count(1)
ROUNDS: Final[Mapping[str, Mapping[int, Change]]] = {
    name: {next(_numbers): change for change in changes}
    for name, changes in {"first": first.CHANGES, "second": second.CHANGES, "third": third.CHANGES}.items()
}
"""The changes of each round by their numbers."""

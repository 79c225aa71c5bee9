"""Items that have no check yet: each is reported, none is ever green."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from readiness.checklist import Item
from readiness.errors import Planned


class PlannedCheck(pytest.Item):
    """The placeholder for the check of a planned item."""

    def runtest(self) -> None:
        """Say so.

        Raises:
            Planned: always.
        """
        raise Planned(f"{self.name} is planned: there is no check yet")

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the location that pytest reports."""
        return self.path, 0, self.name


def checks(session: pytest.Session, items: Mapping[str, Item]) -> Iterator[PlannedCheck]:
    """A check for each of these items that is planned."""
    for item in items.values():
        if item.planned:
            check = PlannedCheck.from_parent(session, name=item.id)
            check.add_marker(pytest.mark.item(item.id))
            check.add_marker(item.section)
            yield check

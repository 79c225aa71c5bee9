"""What a run judges: which application, which items, and the folders of their checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from readiness import checklist, written
from readiness.application import FILE, Application
from readiness.checklist import Item
from readiness.errors import UsageProblem

CATALOGUE = Path(__file__).resolve().parent / "catalogue"


@dataclass(frozen=True)
class Part:
    """One checklist and the folder whose tests settle it."""

    items: Mapping[str, Item]
    folder: Path

    def holds(self, path: Path) -> bool:
        """Whether a file or folder belongs to its checks."""
        return self.folder in (path, *path.parents)

    def is_whole(self, given: Iterable[Path]) -> bool:
        """Whether these paths name all of its checks."""
        return bool({*given} & {self.folder, self.folder / "checks"})


@dataclass(frozen=True)
class Suite:
    """The items of one run.

    Args:
        application: what is verified.
        parts: the catalogue where it applies, then the application's own items where there are some.
    """

    application: Application
    parts: Sequence[Part]

    @classmethod
    def of(cls, application: Application, *, catalogue: bool) -> Suite:
        """Return all items of an application.

        Args:
            application: the application to verify.
            catalogue: whether the items of the catalogue, which apply to every application, are included.

        Raises:
            UsageProblem: a checklist is malformed, or both checklists have an item of the same id.
        """
        parts = []
        if catalogue:
            items = [checklist.load(file) for file in sorted((CATALOGUE / "items").glob("*.md"))]
            parts.append(
                Part({id_: item for each in items for id_, item in each.items()}, CATALOGUE / "checks")
            )
        if application.checklist.is_file():
            parts.append(Part(checklist.load(application.checklist), application.checks))
        own = parts[-1].items if len(parts) > 1 else {}
        if twice := own.keys() & parts[0].items.keys() if len(parts) > 1 else set():
            raise UsageProblem(
                f"{application.checklist.name}: {', '.join(sorted(twice))} is an id of the catalogue; give the item another one"
            )
        suite = cls(application, parts)
        for item in application.left_out:
            if item not in suite.items:
                raise UsageProblem(
                    f"{FILE}: left-out: no item '{item}'{written.nearest(item, suite.items)}; remove the entry, or correct its id"
                )
        return suite

    @property
    def items(self) -> Mapping[str, Item]:
        """Every item by its id, in the order of the checklists."""
        return {id_: item for part in self.parts for id_, item in part.items.items()}

    def verifies(self, given: Iterable[Path]) -> bool:
        """Whether any of these paths holds checks of it."""
        return any(part.holds(path) for part in self.parts for path in given)

    def expected(self, given: Sequence[Path], bound: Iterable[str]) -> Mapping[str, Item]:
        """The items that must have a check in a run over these paths, of which `bound` have been found."""
        found = {*bound}
        return {
            id_: item
            for part in self.parts
            for id_, item in part.items.items()
            if part.is_whole(given) or id_ in found
        }

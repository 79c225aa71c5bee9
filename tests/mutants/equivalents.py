"""Which mutants change nothing that anybody can observe: equivalent.toml, kept and reviewed by people."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "equivalent.toml"


@dataclass(frozen=True)
class Row:
    """Mutants that are equivalent for one reason.

    Args:
        ids: patterns of their ids, as fnmatch reads them.
        reason: why nothing changes, with the default that AWS documents.
        says: a pattern of what the mutant says: the row holds for the present value only.
        type: the resource's type, where it matters.
    """

    ids: Sequence[str]
    reason: str
    says: str = "*"
    type: str = "*"

    def means(self, mutant: str, says: str, type_: str) -> bool:
        return (
            any(_matches(mutant, pattern) for pattern in self.ids)
            and _matches(says, self.says)
            and _matches(type_, self.type)
        )


def equivalent(mutant: str, says: str, type_: str) -> str | None:
    """Why a mutant changes nothing, None where it changes something: by its id, what it says, and the resource's type."""
    return next((row.reason for row in rows() if row.means(mutant, says, type_)), None)


@cache
def rows() -> Sequence[Row]:
    """The rows of the file.

    Raises:
        TypeError: a row has a key that is none of Row's, or has no reason.
    """
    return [Row(**row) for row in tomllib.loads(_FILE.read_text(encoding="utf-8"))["equivalent"]]


def _matches(text: str, pattern: str) -> bool:
    """Whether a pattern means a text. A bracket stands for itself: lists are shown with theirs."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))

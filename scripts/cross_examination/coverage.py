"""docs/coverage.toml, kept by hand: what answers for each finding of another tool.

    [prowler]
    s3_bucket_kms_encryption = { reason = "why it does not matter here" }
    sns_topics_kms_encryption_at_rest_enabled = { items = ["SEC-11"] }
    "cloudfront_distributions_default_root_object@Distribution" = { open = "what is missing" }

    [[mended]]
    tool = "prowler"
    finding = "..."
    what = "what was changed, so that the finding is gone"

A key is the tool's id of the finding, or that id, an at sign and the logical id of the one resource that it is about,
which goes first. `note` may stand beside `items`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from readiness.errors import UsageProblem
from scripts.cross_examination.answers import TOOLS, Finding

_KINDS = ("items", "reason", "open")


@dataclass(frozen=True)
class Row:
    """What answers for one finding: items of the checklist, a reason, or nothing yet."""

    tool: str
    key: str
    items: Sequence[str] = ()
    reason: str = ""
    open: str = ""
    note: str = ""


@dataclass(frozen=True)
class Mended:
    """A finding that led to a change and is gone."""

    tool: str
    finding: str
    what: str


@dataclass(frozen=True)
class Coverage:
    """The whole table."""

    rows: Mapping[tuple[str, str], Row]
    mended: Sequence[Mended]

    def row(self, finding: Finding) -> Row | None:
        """What answers for a finding; None when nothing does."""
        one = self.rows.get((finding.tool, f"{finding.id}@{finding.resource}"))
        return one or self.rows.get((finding.tool, finding.id))


def load(file: Path, items: Collection[str]) -> Coverage:
    """The table, made sure of.

    Args:
        file: docs/coverage.toml.
        items: ids that the checklist has.

    Raises:
        UsageProblem: the file is malformed, names an unknown tool or item, or a row answers in no way or in two.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        mended = [Mended(**entry) for entry in content.pop("mended", [])]
        rows = [
            Row(tool, key, **entry) for tool, entries in content.items() for key, entry in entries.items()
        ]
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise UsageProblem(f"{file.name} cannot be read: {problem}") from problem
    if problems := [problem for row in rows for problem in _problems(row, items)]:
        raise UsageProblem(f"{file.name}: {'; '.join(problems)}")
    return Coverage({(row.tool, row.key): row for row in rows}, mended)


def _problems(row: Row, items: Collection[str]) -> list[str]:
    where = f"{row.tool}.{row.key}"
    problems = []
    if row.tool not in TOOLS:
        problems.append(f"{where}: unknown tool, expected one of {', '.join(TOOLS)}")
    if sum(bool(getattr(row, kind)) for kind in _KINDS) != 1:
        problems.append(f"{where}: expected one of {', '.join(_KINDS)}")
    if isinstance(row.items, str):
        return [*problems, f"{where}: items is a list"]
    return problems + [
        f"{where}: item {item} does not stand in PRODUCTION_CHECKLIST.md"
        for item in row.items
        if item not in items
    ]

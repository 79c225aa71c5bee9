"""The files of an application: what is versioned, or would be."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from readiness.errors import Unverified
from readiness.probes import process

# Generated or vendored, never written by the application's authors.
_MADE: Final = {
    *(".git", ".aws-sam", ".readiness", ".venv", "venv", "node_modules", "__pycache__", "reports", "cdk.out"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".terraform", ".tox", "vendor", "third_party"),
}
# A folder below that holds one of these is an application of its own.
_OWN: Final = ("readiness.toml", "samconfig.toml", "samconfig.yaml")
_LARGEST: Final = 1_000_000
"""Bytes. Larger files are not written by hand."""


def files(folder: Path, own: Sequence[Path]) -> list[Path]:
    """The files in a folder, without what is made, ignored by Git or part of another application.

    Args:
        folder: the application's.
        own: files of the application, whose folders are never another's.
    """
    folder = folder.resolve()
    mine = {folder, *(file.resolve().parent for file in own)}
    known = _versioned(folder)
    found = known if known is not None else list(_walked(folder))
    others = {file.parent for file in found if file.name in _OWN} - mine
    return sorted(
        file
        for file in found
        if not {*file.relative_to(folder).parts[:-1]} & _MADE
        and not others & {*file.parents}
        and file.is_file()
        and not file.is_symlink()
        and file.stat().st_size <= _LARGEST
    )


def _versioned(folder: Path) -> list[Path] | None:
    """What Git has or would take; None where the folder is in no repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = process.run(command, folder=folder)
    except Unverified:
        return None
    names = [name for name in done.stdout.split("\0") if name]
    return [folder / name for name in names] if done.returncode == 0 and names else None


def _walked(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _MADE]
        yield from (Path(place, name) for name in names)

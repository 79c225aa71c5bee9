"""A folder of its own for the temporary files of SAM and npm, which leave some behind however they end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from verification.environment import ROOT

_NAME = "tmp"


def remove_left_behind(private: Path) -> None:
    """Remove what a killed deployment left, once nothing that it had started runs any more."""
    shutil.rmtree(private / _NAME, ignore_errors=True)


@contextmanager
def variables(private: Path) -> Iterator[Mapping[str, str]]:
    """What a tool's environment needs so that its temporary files are gone at the end of the `with` block.

    Args:
        private: a folder of the caller's own. It lies outside the system's temporary directory, so that whoever is
            killed leaves nothing there.
    """
    remove_left_behind(private)
    (private / _NAME).mkdir(parents=True, mode=0o700)
    try:
        # npm's compiled code is worth keeping; it would lie in the folder otherwise.
        cache = ROOT / ".local" / "node-compile-cache"
        yield {"TMPDIR": str(private / _NAME), "NODE_COMPILE_CACHE": str(cache)}
    finally:
        remove_left_behind(private)

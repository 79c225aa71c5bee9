"""A folder of its own for the temporary files of SAM and npm, which leave some behind however they end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from verification.application import ROOT

_NAME = "tmp"


@contextmanager
def variables(private: Path) -> Iterator[Mapping[str, str]]:
    """What a tool's environment needs so that its temporary files are gone at the end of the `with` block.

    Args:
        private: a folder that no other process uses at the same time. It is outside the system's temporary
            directory, so that a killed process leaves nothing there.
    """
    made = private / _NAME
    shutil.rmtree(made, ignore_errors=True)  # left by a killed process
    made.mkdir(parents=True, mode=0o700)
    try:
        # npm's compiled code is worth keeping; it would lie in the folder otherwise.
        cache = ROOT / ".local" / "node-compile-cache"
        yield {"TMPDIR": str(made), "NODE_COMPILE_CACHE": str(cache)}
    finally:
        shutil.rmtree(made, ignore_errors=True)

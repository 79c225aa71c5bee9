"""The processes that a run has started, found by the temporary folder that they were given.

Every process of a run has the run's folder, or a folder within it, as `TMPDIR` in its environment. Its children
inherit that, also those that leave their parent's process group, as a browser does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

VARIABLE = "TMPDIR"


def of(folder: Path) -> Iterator[psutil.Process]:
    """Every other process whose temporary folder is this one, or lies within it."""
    for process in psutil.process_iter():
        try:
            where = process.environ().get(VARIABLE, "")
        except (psutil.Error, OSError):  # it has ended, or belongs to another user
            continue
        if process.pid != os.getpid() and Path(where).is_relative_to(folder):
            yield process


def kill(folder: Path) -> None:
    """End them at once. Repeats until none is left, for a process may start another one meanwhile."""
    while found := list(of(folder)):
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(found, timeout=1)

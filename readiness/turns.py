"""The lock of a stack: many checks may read it at a time, or one drill may disturb it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from readiness.progress import waiting


@contextmanager
def turn(path: Path, *, alone: bool) -> Iterator[None]:
    """Wait for the lock and hold it. A process that dies releases it.

    Args:
        path: a path for the stack, from which the names of two lock files are made.
        alone: whether no other check may hold the lock at the same time. Later processes wait for the same gate, so that
            they do not overtake this one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.with_name(f"{path.name}.gate").open("a") as gate,
        path.with_name(f"{path.name}.turn").open("a") as own,
    ):
        with waiting("another check or drill of this stack to end"):
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(own, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        if not alone:
            fcntl.flock(gate, fcntl.LOCK_UN)
        yield

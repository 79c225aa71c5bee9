"""Whose turn it is to look at a stack: many who only look, or one drill that disturbs it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from readiness.progress import waiting


@contextmanager
def turn(path: Path, *, alone: bool) -> Iterator[None]:
    """Wait for a turn and keep it; a process that dies gives its turn back.

    Args:
        path: names the stack; two lock files beside each other are made from it.
        alone: whether nobody else may have a turn meanwhile. Who waits for that is not overtaken by
            those who came later, for they have to pass the same gate.
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

"""One deployment at a time from one checkout: two would build into the same folder.

The kernel keeps a lock and drops it with the process, however that ends, so a dead holder never blocks anyone. Two
files, because a killed deployment's children live on: `held` is the deployment's own, and `quiet` is the one that its
children hold as well, so that a later deployment can wait for them.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from readiness.errors import UsageProblem

_PAUSE_S = 0.5


@contextmanager
def held(path: Path, purpose: str) -> Iterator[None]:
    """Hold the lock file for the length of a `with` block. Child processes do not inherit it.

    Args:
        path: the lock file; gone afterwards.
        purpose: what the holder does, for the message that others get.

    Raises:
        UsageProblem: another process holds it; names who, what and since when.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = _taken(path)
    if descriptor is None:
        raise UsageProblem(
            f"another deployment is under way from this checkout ({_holder(path)}); wait until it has ended, then run again"
        )
    try:
        os.truncate(descriptor, 0)
        started = datetime.now(UTC).strftime("%H:%M:%S UTC")
        os.write(
            descriptor,
            json.dumps({"pid": os.getpid(), "purpose": purpose, "since": started}).encode(),
        )
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def quiet(path: Path, *, patience_s: float, say: Callable[[str], None]) -> Iterator[int]:
    """Begin once nothing runs any more that a killed deployment had started. Only for who holds the other lock.

    Args:
        path: the lock file; gone afterwards.
        patience_s: how long to wait.
        say: tells a person that, and why, this waits.

    Yields:
        The descriptor that the children are given, which makes them holders too.

    Raises:
        UsageProblem: something runs for longer than that.
    """
    descriptor = _taken(path)
    end = time.monotonic() + patience_s
    if descriptor is None:
        say(
            "an earlier deployment was killed, and what it had started still runs; waiting until that has ended"
        )
    while descriptor is None:
        if time.monotonic() > end:
            raise UsageProblem(
                f"what a killed deployment had started still runs after {patience_s:.0f} s; look for 'sam' or 'npm' in "
                "the list of processes, end it, then run again"
            )
        time.sleep(_PAUSE_S)
        descriptor = _taken(path)
    try:
        yield descriptor
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _taken(path: Path) -> int | None:
    """Return a descriptor that holds the lock, or None when another process has it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The last holder may have removed the file between our open and our lock.
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text())
        return f"{holder['purpose']}, process {holder['pid']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "just starting"

"""One deployment at a time from one checkout: two would build into the same folder."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from verification.errors import UsageProblem


@contextmanager
def held(path: Path, purpose: str) -> Iterator[None]:
    """Hold the lock file for the length of a `with` block.

    The kernel keeps the lock and drops it with the process, however that ends, so a dead holder
    never blocks anyone. Child processes do not inherit it.

    Args:
        path: the lock file; gone afterwards.
        purpose: what the holder does, for the message that others get.

    Raises:
        UsageProblem: another process holds it; names who, what and since when.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = _acquire(path)
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


def _acquire(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The last holder may have removed the file between our open and our lock.
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except BlockingIOError as problem:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise UsageProblem(
                f"another deployment is under way from this checkout ({holder}); wait until it has ended, then run again"
            ) from problem
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 1000, 0))
        return f"{holder['purpose']}, process {holder['pid']}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "just starting"

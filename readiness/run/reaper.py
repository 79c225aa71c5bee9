"""Waits for a run to end, however it ends, then removes what the run has left. A process of its own.

usage: python -P reaper.py FOLDER GRACE OTHER...

Its standard input stays open as long as the run lives. A run that ends in order says so with one line first. When a run
was killed, its workers get GRACE seconds to clean up: a drill may have to delete a stack.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from readiness.run import processes

_PAUSE = 0.2  # seconds


def main(folder: Path, grace: float, *others: Path) -> None:
    """Wait, kill what is left, and remove the folder and the others."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    in_order = bool(sys.stdin.buffer.read())
    until = time.monotonic() + (0 if in_order else grace)
    while time.monotonic() < until and any(processes.of(folder)):
        time.sleep(_PAUSE)
    processes.kill(folder)
    for path in (folder, *others):
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), *map(Path, sys.argv[3:]))

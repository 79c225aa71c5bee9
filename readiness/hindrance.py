"""How long a process and its descendants have waited for a processor.

A machine that is busy with something else makes every page slow. Linux counts, for each thread, how long it was ready
to run and did not. A duration that is over its budget by no more than that says nothing about what was measured.
Source: the kernel's documentation, "Scheduler Statistics", /proc/<pid>/schedstat, second field, nanoseconds.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from pathlib import Path

_PROC = Path("/proc")


def waited(process: int, proc: Path = _PROC) -> timedelta:
    """How long a process and its descendants have waited so far, added up over their threads.

    Take it twice: the difference is the most by which anything that these processes did in between came late. Where
    the system does not count, it is always nothing, and durations are judged as they are.
    """
    nanoseconds = 0
    for one in _family(process, proc):
        for thread in proc.glob(f"{one}/task/*/schedstat"):
            if counted := _words(thread):
                nanoseconds += int(counted[1])
    return timedelta(microseconds=nanoseconds / 1000)


def _family(first: int, proc: Path) -> list[int]:
    children = defaultdict[int, list[int]](list)
    for stat in proc.glob("[0-9]*/stat"):
        # The name, in parentheses, may hold anything; state and parent follow the last one.
        if found := _words(stat, after=")"):
            children[int(found[1])].append(int(stat.parent.name))
    family = [first]
    for one in family:
        family += children[one]
    return family


def _words(file: Path, after: str = "") -> list[str]:
    """What a file of /proc says; nothing where its process has ended meanwhile."""
    try:
        text = file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return (text.rpartition(after)[2] if after else text).split()

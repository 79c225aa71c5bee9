"""What the suite waits for at the moment, for a person who watches the terminal.

A process that waits writes a small file, because the terminal may belong to another process. The process with the
terminal reads the folder. So does the process that reports what a check waited for when it was ended.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

FIRST_WORD = timedelta(seconds=5)  # a wait that ends before is not worth a line
_LOOK = timedelta(seconds=0.5)
_numbers = count()
_folder: Path | None = None
_stack: list[str] = []


def tell(folder: Path | None) -> None:
    """Set the folder in which this process reports its waits, None for none."""
    global _folder  # noqa: PLW0603  # a process has one terminal, and a wait deep in a resource does not receive it
    _folder = folder


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Report a wait while the block runs. `what` completes the sentence 'waiting for ...'."""
    _stack.append(what)
    word = _folder / f"{os.getpid()}-{next(_numbers)}" if _folder and _folder.is_dir() else None
    try:
        if word:
            with suppress(OSError):  # the folder goes when the run ends
                word.write_text(what, encoding="utf-8")
        yield
    finally:
        _stack.remove(what)
        if word:
            with suppress(OSError):
                word.unlink()


def now() -> str:
    """What this process waits for at this moment, as the end of a sentence; empty for nothing."""
    return f", while it waited for {_stack[-1]}" if _stack else ""


def of(process: int) -> str:
    """The same of another process of the run, by its id."""
    words = _words(process)
    with suppress(OSError, IndexError):
        return f", while it waited for {words[-1].read_text(encoding='utf-8')}"
    return ""


def forget(process: int) -> None:
    """A process has ended, and waits for nothing any more."""
    for word in _words(process):
        word.unlink(missing_ok=True)


def _words(process: int) -> list[Path]:
    """What a process has left word of, the latest last."""
    found = _folder.glob(f"{process}-*") if _folder else ()
    return sorted(found, key=lambda word: int(word.name.partition("-")[2]))


@dataclass
class Watcher:
    """Prints a line for each long wait, and again whenever its time has doubled.

    Args:
        folder: the folder in which processes report their waits.
        write: prints one line.
        first: how long a wait lasts before its first line.
    """

    folder: Path
    write: Callable[[str], None]
    first: timedelta

    def __post_init__(self) -> None:
        self._stopped = threading.Event()
        self._seen: dict[str, tuple[float, float]] = {}
        self._thread = threading.Thread(target=self._watch, daemon=True, name="progress")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def look(self, now: float) -> None:
        """Print what is due at a moment of the monotonic clock."""
        words = {word.name: word for word in self.folder.iterdir()}
        self._seen = {name: seen for name, seen in self._seen.items() if name in words}
        for name, word in sorted(words.items()):
            began, due = self._seen.setdefault(name, (now, self.first.total_seconds()))
            if now - began >= due:
                with suppress(OSError):  # it has just ended
                    self.write(f"waiting for {word.read_text(encoding='utf-8')}, {now - began:.0f} s so far")
                self._seen[name] = (began, due * 2)

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK.total_seconds()):
            with suppress(OSError):
                self.look(time.monotonic())

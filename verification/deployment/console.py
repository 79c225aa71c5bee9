"""What a person running a deployment reads: facts on stdout, progress and notes on stderr."""

from __future__ import annotations

import sys


def out(text: str) -> None:
    """A fact. Flushed at once, so that it stands above what a child process prints next."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def err(text: str) -> None:
    """Progress, a note or an error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()

"""What a person running a deployment reads: facts on stdout, progress and notes on stderr."""

from __future__ import annotations

import sys

from readiness.errors import UsageProblem


def out(text: str) -> None:
    """A fact. Flush it at once, so that it precedes the output of the next child process."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def err(text: str) -> None:
    """Progress, a note or an error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def note(text: str) -> None:
    """Something to know that is neither progress nor an error."""
    err(f"note: {text}")


def require_terminal() -> None:
    """Make sure that a user can be asked for consent.

    Raises:
        UsageProblem: no user can be asked.
    """
    # A shell can close it (`<&-`), and then Python has none.
    if not (sys.stdin and sys.stdin.isatty()):
        raise UsageProblem(
            "cannot ask for consent (no terminal); read the plan with --dry-run, then use --yes"
        )


def answer(question: str) -> str:
    """What a person types, in small letters; nothing when the input ends instead."""
    try:
        return input(question).strip().lower()
    except EOFError:
        return ""


def agreed(expected: str, what: str) -> bool:
    """Ask for the words that mean this very thing."""
    typed = answer(f"Type '{expected}' to {what}: ")
    return typed == expected or (expected == "yes" and typed == "y")

"""Texts that are too long for their place, cut in a way that says so."""

from __future__ import annotations

LONGEST = 300_000  # characters of one text that are looked at; all places of a report together hold fewer

_LONGEST_KEY = 10_000  # characters


def beginning(text: str) -> str:
    """Return the beginning of a text that may be megabytes long, before secrets are removed from it.

    It ends with a whole word, because half a key cannot be recognized as a key.
    """
    if len(text) <= LONGEST:
        return text
    head = text[:LONGEST]
    last = head.rsplit(maxsplit=1)[-1] if head.strip() else ""
    whole = head[: len(head) - min(len(last), _LONGEST_KEY)]
    return f"{whole}\n[... {len(text) - len(whole)} characters more ...]\n"


def shorten(text: str, limit: int) -> str:
    """At most so many characters, and a note of how many are missing: the end of a text tells most, then its beginning."""
    if len(text) <= limit:
        return text
    note = f"\n[... {len(text) - limit} characters and more cut ...]\n"
    room = max(limit - len(note), 0)
    head = room // 3
    return text[:head] + note + text[len(text) - (room - head) :]

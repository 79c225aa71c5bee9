"""Texts that are too long for their place, cut in a way that says so."""

from __future__ import annotations


def shorten(text: str, limit: int) -> str:
    """At most so many characters, and a note of how many are missing: the end of a text tells most, then its beginning."""
    if len(text) <= limit:
        return text
    note = f"\n[... {len(text) - limit} characters and more cut ...]\n"
    room = max(limit - len(note), 0)
    head = room // 3
    return text[:head] + note + text[len(text) - (room - head) :]

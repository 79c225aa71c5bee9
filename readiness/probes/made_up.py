"""Invented texts that match a regular expression, such as a token of the form that an authorizer requires."""

from __future__ import annotations

import re
import secrets
import string
import uuid
from collections.abc import Callable
from typing import Final

from readiness.errors import Unverified

_PRINTED: Final = string.ascii_lowercase + string.digits + string.ascii_uppercase + string.punctuation + " "
_KINDS: Final = {"d": r"\d", "w": r"\w", "s": r"\s", "D": r"\D", "W": r"\W", "S": r"\S"}
_GROUP: Final = re.compile(r"\((?:\?:|\?P?<[A-Za-z]\w*>)?")
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_COUNT: Final = re.compile(r"([*+?]|\{(\d+)(,?)(\d*)\})[?+]?")
_ENOUGH: Final = 16  # characters where the expression leaves it open


def token(expression: str) -> str:
    """A made-up token that matches a regular expression as a whole; any where there is none.

    Raises:
        Unverified: none could be made.
    """
    if not expression:
        return f"Bearer {uuid.uuid4().hex}"
    try:
        made, another = (_Reader(expression).alternatives() for _ in range(2))
        fits = re.fullmatch(expression, made) is not None
    except (re.error, _NotUnderstoodError, IndexError):
        made, another, fits = "", "", False
    # One that cannot be otherwise is not made up: it may be the right one.
    if not fits or made == another or made != made.strip():
        raise Unverified(
            f"expected to make up a token of the form {expression}, found none; ask a route with a made-up token yourself",
            cause="an authorizer's expression that no token could be made up for",
        )
    return made


class _NotUnderstoodError(Exception):
    """The expression has something that is not read here."""


class _Reader:
    """Reads a regular expression from left to right, and writes a text that it matches."""

    def __init__(self, expression: str) -> None:
        self._rest = expression

    def alternatives(self) -> str:
        """What matches up to a closing parenthesis or the end, by the first of several ways."""
        first = self._sequence()
        while self._rest[:1] == "|":
            self._rest = self._rest[1:]
            self._sequence()
        return first

    def _sequence(self) -> str:
        made = ""
        while self._rest and self._rest[0] not in "|)":
            one = self._one()
            made += "".join(one() for _ in range(self._count()))
        return made

    def _one(self) -> Callable[[], str]:
        """What makes one more of the next element."""
        first = self._rest[0]
        if first == "(":
            return self._group()
        if first == "[":
            return _any_of(self._taken(_CLASS))
        self._rest = self._rest[1:]
        if first == "\\":
            escaped, self._rest = self._rest[0], self._rest[1:]
            if escaped in _KINDS:
                return _any_of(_KINDS[escaped])
            if escaped.isalnum():
                raise _NotUnderstoodError(escaped)
            return lambda: escaped
        if first == ".":
            return _any_of("[a-z0-9]")
        return lambda: "" if first in "^$" else first

    def _group(self) -> Callable[[], str]:
        self._taken(_GROUP)
        if self._rest[:1] == "?":
            raise _NotUnderstoodError("a condition, such as a look ahead")
        made = self.alternatives()
        self._rest = self._rest[1:]
        return lambda: made

    def _count(self) -> int:
        """Return how often the previous element is repeated."""
        if not (found := _COUNT.match(self._rest)):
            return 1
        self._rest = self._rest[found.end() :]
        sign, least, comma, most = found.groups()
        if sign in ("*", "+"):
            return _ENOUGH
        if sign == "?":
            return 1
        return max(int(least), min(_ENOUGH, int(most or _ENOUGH))) if comma else int(least)

    def _taken(self, pattern: re.Pattern[str]) -> str:
        if not (found := pattern.match(self._rest)):
            raise _NotUnderstoodError(self._rest)
        self._rest = self._rest[found.end() :]
        return found[0]


def _any_of(characters: str) -> Callable[[], str]:
    """What draws a character of a class, a letter or digit where it has one."""
    fitting = [one for one in _PRINTED if re.fullmatch(characters, one)]
    preferred = [one for one in fitting if one.isalnum()] or fitting
    return lambda: secrets.choice(preferred)

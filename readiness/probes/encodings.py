"""What a text says in the encodings that people use to carry a value: base64, hexadecimal, JSON, and that of URLs."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

_DEPTH: Final = 3
"""Encodings one within another that are undone: such as base64 of JSON, within a URL."""
# Of the words of 16 characters one in 100,000 is base64 of a text by chance.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX: Final = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2}){8,})")


def spellings(name: str, text: str, depth: int = _DEPTH) -> Iterator[tuple[str, str]]:
    """A setting as it is written, then what it says once its encodings are undone, each with its name.

    A member of a JSON object has the member's name. What decodes to no readable text is left out, for most words happen
    to be base64 of something.

    Args:
        name: of the setting.
        text: its value.
        depth: encodings one within another that are undone.
    """
    yield name, text
    if depth:
        for inner, decoded in dict.fromkeys(_decoded(name, text)):
            if decoded != text:
                yield from spellings(inner, decoded, depth - 1)


def _decoded(name: str, text: str) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(ValueError):
        yield from _leaves(name, json.loads(text))
    if "%" in text:
        yield name, unquote(text)
    for word in _HEX.fullmatch(text), *_HEX.finditer(text):
        if word and (readable := _readable(bytes.fromhex(word[1]))):
            yield name, readable
    for found in _BASE64.finditer(text):
        bare = found[0].rstrip("=").replace("-", "+").replace("_", "/")
        try:
            content = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        except binascii.Error:
            continue
        if readable := _readable(content):
            yield name, readable


def _leaves(name: str, content: Any) -> Iterator[tuple[str, str]]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _leaves(key, value)
    elif isinstance(content, list):
        for value in content:
            yield from _leaves(name, value)
    elif isinstance(content, str):
        yield name, content


def _readable(content: bytes) -> str:
    """The text that these bytes are, '' for bytes that are none."""
    try:
        text = content.decode("ascii").strip()
    except UnicodeDecodeError:
        return ""
    return text if all(one.isprintable() or one in "\t\r\n" for one in text) else ""

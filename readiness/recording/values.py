"""Values of Python as JSON has them, and back: bytes and moments are marked."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

TEXT, BYTES, TIME = "$utf8", "$base64", "$time"
OF_CHECKOUT = "$checkout"
"""A file by its SHA-256, whose content is taken from the checkout in a replay."""


def plain(value: Any) -> Any:
    """As JSON's own types.

    Raises:
        TypeError: it holds something that no exchange may.
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | io.BytesIO):
        return of_bytes(value.getvalue() if isinstance(value, io.BytesIO) else bytes(value))
    if isinstance(value, datetime | date):
        return {TIME: value.isoformat()}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    raise TypeError(f"{type(value).__name__} cannot be recorded")


def of_bytes(content: bytes) -> dict[str, str]:
    """Bytes as text where they are text."""
    try:
        return {TEXT: content.decode("utf-8")}
    except UnicodeDecodeError:
        return {BYTES: base64.b64encode(content).decode("ascii")}


def bytes_of(marked: Mapping[str, Any]) -> bytes:
    """The inverse of `of_bytes`."""
    return marked[TEXT].encode("utf-8") if TEXT in marked else base64.b64decode(marked[BYTES])


def restored(value: Any) -> Any:
    """The inverse of `plain`."""
    if isinstance(value, Mapping):
        if len(value) == 1 and (TEXT in value or BYTES in value):
            return bytes_of(value)
        if len(value) == 1 and TIME in value:
            return datetime.fromisoformat(value[TIME])
        return {key: restored(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [restored(inner) for inner in value]
    return value

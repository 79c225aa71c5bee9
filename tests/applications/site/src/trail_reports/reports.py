"""Reports: what is in one, and how the table keeps them."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

TRAILS = ("lake-loop", "north-ridge", "old-mill")
LONGEST_TEXT = 2000
KEPT_SECONDS = 365 * 24 * 3600
PAGE_SIZE = 20


class Invalid(ValueError):
    """What was sent is no report; the message is for whoever sent it."""


@cache
def table() -> Any:
    """Return the table, connected to once in each environment of a function."""
    config = Config(connect_timeout=2, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.resource("dynamodb", config=config).Table(os.environ["TABLE_NAME"])


def known_trail(name: object) -> str:
    """Return the trail's name.

    Raises:
        Invalid: there is no such trail.
    """
    if not isinstance(name, str) or name not in TRAILS:
        raise Invalid(f"trail must be one of {', '.join(TRAILS)}")
    return name


def new_report(sent: object, author: str) -> dict[str, Any]:
    """Return a report as the table keeps it.

    Raises:
        Invalid: it names no trail, or says nothing or too much.
    """
    if not isinstance(sent, Mapping):
        raise Invalid("a report is a JSON object")
    trail, text = known_trail(sent.get("trail")), sent.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_TEXT:
        raise Invalid(f"text must have 1 to {LONGEST_TEXT} characters")
    now = int(time.time())
    return {
        "trail": trail,
        # Sorts by time, and names nobody.
        "id": f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}-{secrets.token_hex(4)}",
        "text": text.strip(),
        "author": author,
        "writtenAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "expiresAt": now + KEPT_SECONDS,
    }


def shown(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a report what everybody may see."""
    return {name: item[name] for name in ("trail", "id", "text", "writtenAt")}

"""Answers of the API: JSON, kept by no cache."""

from __future__ import annotations

import json
from typing import Any


def answer(status: int, body: Any = None) -> dict[str, Any]:
    """Return what an HTTP API takes from a function."""
    made: dict[str, Any] = {"statusCode": status, "headers": {"cache-control": "no-store"}}
    if body is not None:
        made["headers"]["content-type"] = "application/json"
        made["body"] = json.dumps(body)
    return made

"""Answers of the API: JSON, kept by no cache."""

from __future__ import annotations

import json
from typing import Any


def answer(status: int, body: Any = None) -> dict[str, Any]:
    """Return what a REST API takes from a function."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Type": "application/json",
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
    }
    return {"statusCode": status, "headers": headers, "body": "" if body is None else json.dumps(body)}

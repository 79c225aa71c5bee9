"""Answers with the notes."""

from typing import Any

from . import shelf


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request."""
    return {"statusCode": 200, "body": str(shelf)}

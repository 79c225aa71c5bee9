"""Takes a value out of a vendor's JSON, whatever the vendor has sent."""

import base64
import binascii
from typing import Any

from pixel_prompt.adapters.transport import VendorError


def find(document: Any, *path: str | int) -> Any:
    """The value at a path of names and positions, or None when there is none."""
    for step in path:
        if isinstance(step, str) and isinstance(document, dict):
            document = document.get(step)
        elif isinstance(step, int) and isinstance(document, list) and step < len(document):
            document = document[step]
        else:
            return None
    return document


def image_bytes(encoded: Any) -> bytes:
    """The bytes of an image that came as base64.

    Raises:
        VendorError: invalid_response.
    """
    if not isinstance(encoded, str) or not encoded:
        raise VendorError("invalid_response")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise VendorError("invalid_response") from None


def required_key(key: str) -> str:
    """The key, if one was given.

    Raises:
        VendorError: unauthorized; there is none, so no call is made.
    """
    if not key:
        raise VendorError("unauthorized")
    return key

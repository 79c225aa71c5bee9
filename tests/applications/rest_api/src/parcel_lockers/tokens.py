"""Tokens of couriers: `NAME.EXPIRY.SIGNATURE`, signed by a key that only the authorizer reads."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable


def issue(courier: str, expires_at: int, key: str) -> str:
    """Return a courier's token, good until a time in seconds since 1970."""
    return f"{courier}.{expires_at}.{_signature(f'{courier}.{expires_at}', key)}"


def courier(token: str, keys: Iterable[str]) -> str | None:
    """Return whose token it is, or None if no key has signed it or its time is over."""
    signed, _, signature = token.rpartition(".")
    if not any(hmac.compare_digest(signature, _signature(signed, key)) for key in keys):
        return None
    name, _, expires_at = signed.rpartition(".")
    return name if int(expires_at) > time.time() else None


def _signature(signed: str, key: str) -> str:
    return hmac.new(key.encode(), signed.encode(), hashlib.sha256).hexdigest()

"""The vendors' keys, from Secrets Manager."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

# A key that is replaced is used after this time at the latest.
_KEEP_SECONDS: Final = 300.0


class SecretsManager(Protocol):
    """The call of botocore's client that is used here."""

    def get_secret_value(self, **arguments: Any) -> Mapping[str, Any]: ...


class KeyRing:
    """Reads all keys with one call and keeps them for a few minutes."""

    def __init__(
        self, client: SecretsManager, secret: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._secret = secret
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._keys: Mapping[str, str] = {}
        self._read_at: float | None = None

    def __repr__(self) -> str:
        return f"KeyRing({self._secret!r})"

    def key(self, vendor: str) -> str:
        """The vendor's key; empty when none was given."""
        with self._lock:
            if self._read_at is None or self._monotonic() - self._read_at > _KEEP_SECONDS:
                answer = self._client.get_secret_value(SecretId=self._secret)
                self._keys = json.loads(answer["SecretString"])
                self._read_at = self._monotonic()
            return self._keys.get(vendor, "").strip()

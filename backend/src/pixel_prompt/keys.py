"""The vendors' keys, from Secrets Manager."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

# A key that is replaced is used after this time at the latest.
_KEEP_SECONDS: Final = 300.0
# Secrets Manager's word that the value cannot be had, however often it is asked.
# Source: GetSecretValue, "Errors".
_REFUSALS: Final = frozenset(
    {
        "AccessDeniedException",
        "DecryptionFailure",
        "InvalidRequestException",
        "ResourceNotFoundException",
    }
)


class SecretsManager(Protocol):
    """The call of botocore's client that is used here."""

    def get_secret_value(self, **arguments: Any) -> Mapping[str, Any]: ...


class BadSecret(Exception):
    """The secret holds no keys that can be read. The message says what is wrong with it, never what it holds."""


class KeyRing:
    """Reads all keys with one call and keeps them for a few minutes."""

    def __init__(
        self, client: SecretsManager, secret: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self.secret: Final = secret
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._keys: Mapping[str, Any] = {}
        self._read_at: float | None = None

    def __repr__(self) -> str:
        return f"KeyRing({self.secret!r})"

    def key(self, vendor: str) -> str:
        """The vendor's key; empty when none was given.

        Raises:
            BadSecret: the secret holds no keys.
        """
        key = self._all().get(vendor, "")
        return key.strip() if isinstance(key, str) else ""

    def problems(self, vendors: Iterable[str]) -> list[str]:
        """What is wrong with the secret, and with these vendors' keys in it; each completes "the secret ..."."""
        try:
            keys = self._all()
        except BadSecret as problem:
            return [str(problem)]
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code not in _REFUSALS:
                raise
            return [f"cannot be read: {code}"]
        return [problem for vendor in vendors for problem in _problems(keys, vendor)]

    def _all(self) -> Mapping[str, Any]:
        with self._lock:
            if self._read_at is None or self._monotonic() - self._read_at > _KEEP_SECONDS:
                answer = self._client.get_secret_value(SecretId=self.secret)
                self._keys = _read(answer.get("SecretString"))
                self._read_at = self._monotonic()
            return self._keys


def _read(text: str | None) -> Mapping[str, Any]:
    if text is None:
        raise BadSecret("holds bytes, expected a text")
    try:
        keys = json.loads(text)
    except json.JSONDecodeError as problem:
        # Not chained: the decoder's exception carries the whole text.
        raise BadSecret(
            f"is no JSON: {problem.msg} at line {problem.lineno}, column {problem.colno}"
        ) from None
    if not isinstance(keys, dict):
        raise BadSecret(
            f"is JSON of another kind ({type(keys).__name__}), expected an object of keys by vendor"
        )
    return keys


def _problems(keys: Mapping[str, Any], vendor: str) -> list[str]:
    if vendor not in keys:
        return [f"has no key for '{vendor}'"]
    if not isinstance(keys[vendor], str):
        return [f"has something else than a text for '{vendor}'"]
    return [] if keys[vendor].strip() else [f"has an empty key for '{vendor}'"]

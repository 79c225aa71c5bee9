"""What leaves this machine and what comes back, at one place, so that a run can be recorded and replayed.

See docs/adr/0030-recorded-runs.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

OWN = "own"
"""The kind of exchange that gives content of the checkout."""


class Exchanges(Protocol):
    """Intercepts every request of the suite."""

    def attend(self, client: Any) -> None:
        """Have every call of a boto3 client pass here."""

    def call(self, kind: str, request: Mapping[str, Any], do: Callable[[], Any]) -> Any:
        """Make one exchange without a boto3 client.

        Args:
            kind: the kind of exchange, such as `http`.
            request: everything that the answer depends on, as JSON types, bytes and datetimes.
            do: makes the exchange. It returns the same types, or raises Unverified where no server answers.

        Raises:
            Unverified: no server answers, or no server answered when the run was recorded.
        """


class Direct:
    """Keeps nothing and changes nothing."""

    def attend(self, client: Any) -> None:
        """Leave the client as it is."""

    def call(self, kind: str, request: Mapping[str, Any], do: Callable[[], Any]) -> Any:
        """Make the exchange."""
        del kind, request
        return do()


def comparable(exchanges: Exchanges, name: str, content: bytes) -> bytes:
    """Content of the checkout, as it has to be held against what was answered.

    A recording hides mail addresses and the like in answers. A replay hides them here too, or what is the same would differ.

    Args:
        exchanges: the environment's.
        name: of the file, for the message.
        content: as the checkout has it.

    Raises:
        Unverified: in a replay, where the recorded run held another content against the answer.
    """
    request = {"name": name, "sha256": hashlib.sha256(content).hexdigest()}
    return bytes(exchanges.call(OWN, request, lambda: content))

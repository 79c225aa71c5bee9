"""To whom an exchange belongs: to a check, or to something that many checks share."""

from __future__ import annotations

import threading
from typing import Any

from readiness.recording.chance import Chance
from readiness.recording.watch import Watch


class Scopes:
    """What recorder and player of a process have alike.

    Args:
        chance: what random names are drawn from, for each scope its own.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._scopes = [""]
        self._is_static = False
        self._lock = threading.Lock()
        self._watch = Watch(self._past_the_exchanges)

    def enter(self, scope: str) -> None:
        """What follows belongs to a check, or to something that many checks share."""
        self._scopes.append(scope)
        self._chance.enter(scope)

    def leave(self) -> None:
        """It has ended."""
        self._scopes.pop()
        self._chance.leave()

    def _past_the_exchanges(self, what: str, arguments: tuple[Any, ...]) -> None:
        """Something opens a connection or starts a tool by itself."""
        raise NotImplementedError

"""Simulated AI vendors: six protocols, refusing what the vendors refuse, failing how the vendors fail.

* ``app`` serves the vendors' HTTP APIs and the hosts that their image URLs point to, by Host header.
* ``install`` puts Bedrock's models behind MiniStack's own endpoint, after IAM has had its say.
* ``Control`` answers ``/_embedded/providers`` on the main port: faults, latencies, counters.
* ``keys`` makes up well-formed keys; it needs nothing but the standard library.

Nothing here imports MiniStack before ``install`` is called.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from . import keys
from .application import HOSTS, Vendors
from .control import ControlPanel
from .ledger import VENDORS, Fault, Ledger

if TYPE_CHECKING:
    from verification.embedded.server.context import App, Context

__all__ = ["HOSTS", "VENDORS", "Control", "Fault", "app", "install", "keys", "ledger"]

ledger = Ledger()
app = Vendors(ledger)


def install(context: Context) -> None:
    """Serve Bedrock's models; the vendors need no other place than `app`.

    Raises:
        HookMissingError: MiniStack is not the version that this was written for.
    """
    del context  # Bedrock is reached through MiniStack alone
    # Only the server's environment has MiniStack, and an import of `keys` must not need it.
    importlib.import_module(f"{__package__}.seam").install_into(ledger)


class Control(ControlPanel):
    """The control in front of the main port's app."""

    def __init__(self, app: App, context: Context) -> None:
        del context  # the control needs no more than the vendors' memory
        super().__init__(app, ledger)

"""A run's recording or replay as the run knows it: made from its options, and finished with its verdicts."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from readiness.exchanges import Exchanges
from readiness.recording import tape
from readiness.recording.chance import Chance, Clock, Modules
from readiness.recording.hooks import Hooks, left_out
from readiness.recording.record import Recorder
from readiness.recording.replay import Player
from readiness.recording.scrub import OWN_ACCOUNT, Scrubber

_CONTROLLER = "controller"
# A tool that asks a public service gets no answer there: port 9 of this machine discards.
_NOWHERE = dict.fromkeys(
    ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"
)


@dataclass
class Recording:
    """A run that is recorded.

    Args:
        folder: where to.
        started: when the run did.
        worker: the name of this process among the run's workers; empty for the controller.
        said: what the controller said; empty in the controller itself.
    """

    folder: Path
    started: datetime
    worker: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        if not self.said:
            tape.open_folder(self.folder)
        recording = self.said.get("recording", {})
        self.seed = recording.get("seed") or secrets.token_hex(16)
        self._salt = recording.get("salt") or secrets.token_hex(32)
        self._chance = Chance(f"{self.seed}/{self.worker or _CONTROLLER}")
        scrubber = Scrubber(self._salt, self.said.get("account", ""))
        part = tape.Part(self.folder, self.worker or _CONTROLLER)
        self._recorder = Recorder(part, scrubber, self._chance, self.started)
        self.exchanges: Exchanges = self._recorder

    def hello(self) -> Mapping[str, Any]:
        """What makes all processes of the run draw alike, and make the same stand-ins."""
        return {"recording": {"seed": self.seed, "salt": self._salt}}

    def hooks(self, item_of: Callable[[pytest.Item], str], checks: Path) -> Hooks:
        """The plugin of the process that runs the checks; `checks` is the application's folder of them."""
        return Hooks(self._recorder, Modules(self._chance, None), item_of, checks)

    def finish(self, about: Mapping[str, Any], items: Mapping[str, tuple[str, str]]) -> str:
        """Make the recording whole, and say in a sentence what it is."""
        made = tape.finish(
            self.folder,
            {**about, "started": self.started.isoformat(), "account": OWN_ACCOUNT, "seed": self.seed},
            items,
        )
        size = sum(file.stat().st_size for file in self.folder.iterdir()) / 1e6
        out = sum(bool(item["left_out"]) for item in made["items"].values())
        return (
            f"recording: {self.folder}, {made['exchanges']} exchanges of {len(made['items'])} items in {size:.1f} MB; "
            f"{out} of them cannot be replayed{', for the recording was full' * made['full']}"
        )


class Replay:
    """A run that is answered from a recording.

    Args:
        folder: of the recording.
        sources: the folder of the application's template.
        worker: the name of this process among the run's workers; empty for the controller.
        runs_checks: whether it does, or has workers for that.
    """

    def __init__(self, folder: Path, sources: Path, *, worker: str, runs_checks: bool) -> None:
        self.about = tape.about(folder)
        parts = list(self.about["workers"])
        number = int(worker[1:] or 0) if worker else 0
        part = parts[number] if number < len(parts) else _CONTROLLER
        self.started = datetime.fromisoformat(self.about["started"])
        self._chance = Chance(f"{self.about['seed']}/{part}")
        self._clock = Clock(self.started)
        lines = tape.exchanges(folder)
        self._player = Player(lines, part, self._chance, self._clock, sources)
        self.exchanges: Exchanges = self._player
        if runs_checks:
            os.environ.update(_NOWHERE, NO_PROXY="127.0.0.1,localhost", no_proxy="127.0.0.1,localhost")

    def hello(self) -> Mapping[str, Any]:
        """Nothing: each worker reads the recording itself."""
        return {}

    def hooks(self, item_of: Callable[[pytest.Item], str], checks: Path) -> Hooks:
        """The plugin of the process that runs the checks; `checks` is the application's folder of them."""

        def out(item: pytest.Item) -> str:
            has_browser = item.get_closest_marker("browser") is not None
            is_static = item.get_closest_marker("static") is not None
            return left_out(self.about["items"], item_of(item), has_browser=has_browser and not is_static)

        return Hooks(self._player, Modules(self._chance, self._clock), item_of, checks, out)

    @property
    def workers(self) -> Mapping[str, list[str]]:
        """The checks that each process ran, in order, by the name of the worker that repeats it."""
        return {f"w{number}": nodes for number, nodes in enumerate(self.about["workers"].values())}

    def differences(self, outcomes: Mapping[str, str]) -> list[str]:
        """Where items end otherwise than recorded, a sentence each.

        Args:
            outcomes: of the items that were replayed.
        """
        recorded = self.about["items"]
        return [
            f"{item}: recorded {recorded[item]['outcome']}, replayed {outcome}"
            for item, outcome in outcomes.items()
            if recorded[item]["outcome"] != outcome
        ]

"""How long each check took the last time, kept in a small file. It orders checks and decides nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Durations:
    """Seconds by pytest's name of a check; what cannot be read is as good as nothing."""

    file: Path

    def read(self) -> Mapping[str, float]:
        try:
            content = json.loads(self.file.read_bytes())
            return {str(node): float(seconds) for node, seconds in content.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def keep(self, seconds: Mapping[str, float]) -> None:
        """Add those of a run."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        draft.write_text(json.dumps({**self.read(), **seconds}), encoding="utf-8")
        draft.replace(self.file)

"""Values that one process of a run makes for all processes, because they cost money.

Each is in a file of the run's temporary folder. A lock lets one process make it while the others wait. A failure is not
retried: every process gets the same error.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from readiness.errors import BudgetSpent, Unverified
from readiness.progress import waiting


@dataclass(frozen=True)
class Shared:
    """The folder of what the run's processes share."""

    folder: Path

    def once(self, name: str, make: Callable[[], Any], *, repeatable: bool = False) -> Any:
        """Return what `make` returned in the first process that called this, as JSON types.

        Args:
            name: short and unique, for the files' names.
            make: makes the value.
            repeatable: whether another process may make it again after a process ended while it made the value.

        Raises:
            Unverified: the value could not be made.
        """
        kept, begun = (self.folder / f"{name}.{kind}" for kind in ("json", "begun"))
        with (self.folder / f"{name}.lock").open("a") as lock:
            with waiting(f"the {name} that all checks of the run share"):
                fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                if begun.exists() and not repeatable:
                    raise Unverified(f"the check that was making the {name} was ended; it is not made again")
                begun.touch()
                unfinished = kept.with_suffix(".unfinished")
                unfinished.write_text(json.dumps(_outcome(make)), encoding="utf-8")
                unfinished.replace(kept)
        outcome = json.loads(kept.read_text(encoding="utf-8"))
        if "problem" in outcome:
            kind = BudgetSpent if outcome["is_of_budget"] else Unverified
            raise kind(outcome["problem"], cause=outcome["cause"])
        return outcome["made"]

    def made(self, name: str) -> Any:
        """Return the value of that name, None where no process has made it."""
        kept = self.folder / f"{name}.json"
        return json.loads(kept.read_text(encoding="utf-8")).get("made") if kept.exists() else None


def _outcome(make: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"made": make()}
    except Unverified as problem:
        return {
            "problem": str(problem),
            "cause": problem.cause,
            "is_of_budget": isinstance(problem, BudgetSpent),
        }
    except Exception as problem:  # noqa: BLE001  # for any error, no other check pays to see it again
        message = f"{type(problem).__name__}: {problem}"
        return {"problem": message, "cause": message, "is_of_budget": False}

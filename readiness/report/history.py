"""Earlier runs of the same environment: small files in a folder, and what has changed since one of them.

A run over part of the checklist has no outcome for the other items. So each item is compared with the latest run that
checked it, the chosen one or an older one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

from readiness.errors import UsageProblem
from readiness.verdict import Outcome

FOLDER = "history"
KEPT = 50  # runs; one takes about 5 KB
_VERSION = 1
_OUTCOMES = frozenset(Outcome)


@dataclass(frozen=True)
class Past:
    """An earlier run.

    Args:
        started: its start, in the form of the report.
        commit: the application's commit.
        verdict: its verdict in one line.
        outcomes: the outcome of each item that it checked.
        failing_since: the start of the first of the consecutive failures, for each item that failed.
        seconds: the time of each section's checks; empty in a record of an earlier suite.
    """

    started: str
    commit: str
    verdict: str
    outcomes: Mapping[str, str]
    failing_since: Mapping[str, str]
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        """Sorts as time does."""
        return re.sub(r"[^\dTZ]", "", self.started.replace("+00:00", "Z")) + ".json"

    def named_by(self, wish: str) -> bool:
        """Return whether a text names this run: the beginning of its start, of its file's name, or of its commit."""
        asked = wish.removesuffix(".json")
        return bool(asked) and any(
            name.startswith(asked) for name in (self.started, self.file_name, self.commit)
        )


@dataclass(frozen=True)
class History:
    """The runs of one environment.

    Args:
        folder: where they are kept.
        same: what a run must have in common with this one to be compared with: stack, region, whether emulated.
        since: which run to compare with, as `Past.named_by` understands it; the latest when empty.
    """

    folder: Path
    same: Mapping[str, Any]
    since: str = ""
    notes: list[str] = field(default_factory=list)
    """What in the folder could not be used, and why."""

    @cached_property
    def runs(self) -> Sequence[Past]:
        """Comparable runs, the latest first. Other files in the folder are noted and not changed."""
        files = sorted(self.folder.glob("*"), reverse=True) if self.folder.is_dir() else []
        return sorted(
            (past for file in files if (past := self._read(file))),
            key=lambda past: past.started,
            reverse=True,
        )

    @cached_property
    def baselines(self) -> Sequence[Past]:
        """The run to compare with and those before it, the latest first; empty when there is none.

        Raises:
            UsageProblem: no run is the one that was asked for.
        """
        if not self.since:
            return self.runs
        for number, past in enumerate(self.runs):
            if past.named_by(self.since):
                return self.runs[number:]
        there = (
            ", ".join(f"{past.started} ({past.commit or 'no commit'})" for past in self.runs[:5]) or "none"
        )
        raise UsageProblem(
            f"--since {self.since}: no run of this environment begins so in {self.folder} (latest: {there}); "
            "name the beginning of a run's time or commit"
        )

    def require_baseline(self) -> None:
        """Find the run to compare with.

        Raises:
            UsageProblem: it was asked for and is not there.
        """
        _ = self.baselines

    def compare(self, outcomes: Mapping[str, str], started: str) -> dict[str, Any]:
        """What has changed since, for the report."""
        changes: dict[str, list[dict[str, str]]] = {
            name: [] for name in ("newly_failing", "still_failing", "fixed", "newly_unverified")
        }
        since = self.failing_since(outcomes, started)
        for item, now in outcomes.items():
            before = next((past for past in self.baselines if item in past.outcomes), None)
            was = before.outcomes[item] if before else ""
            kind = _change(was, now)
            if kind and self.baselines:
                changes[kind].append({"id": item, "before": was, "since": since.get(item, "")})
        latest = self.baselines[0] if self.baselines else None
        return {
            "with": None
            if latest is None
            else {"started": latest.started, "commit": latest.commit, "verdict": latest.verdict},
            **changes,
            "notes": self.notes,
        }

    def failing_since(self, outcomes: Mapping[str, str], started: str) -> Mapping[str, str]:
        """When each item that fails now began to."""
        return {
            item: self._first_failure(item) or started
            for item, now in outcomes.items()
            if now == Outcome.FAIL
        }

    def keep(self, past: Past) -> None:
        """Add a run, and drop the oldest of those that are too many."""
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f".{past.file_name}"
        unfinished.write_text(
            json.dumps({"version": _VERSION, **self.same, **vars(past)}, indent=1) + "\n", encoding="utf-8"
        )
        unfinished.replace(self.folder / past.file_name)
        for old in sorted(self.folder.glob("[0-9]*.json"), reverse=True)[KEPT:]:
            old.unlink()

    def _first_failure(self, item: str) -> str:
        looked = (past for past in self.runs if item in past.outcomes)
        failed = list(takewhile(lambda past: past.outcomes[item] == Outcome.FAIL, looked))
        return failed[-1].failing_since.get(item, failed[-1].started) if failed else ""

    def _read(self, file: Path) -> Past | None:
        try:
            content = json.loads(file.read_bytes())
            differs = [name for name, value in self.same.items() if content[name] != value]
            if content["version"] != _VERSION or differs:
                wrong = f"of another {differs[0]}" if differs else f"of version {content['version']}"
                self.notes.append(f"{file.name} was left out: it is {wrong}")
                return None
            return _past(content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
            self.notes.append(f"{file.name} was left out: it is no run's record ({type(problem).__name__})")
            return None


def _change(was: str, now: str) -> str | None:
    if now == Outcome.FAIL:
        return "still_failing" if was == Outcome.FAIL else "newly_failing"
    if now == Outcome.UNVERIFIED and was in (Outcome.FAIL, Outcome.PASS, Outcome.WAIVED):
        return "newly_unverified"
    if now == Outcome.PASS and was in (Outcome.FAIL, Outcome.WAIVED):
        return "fixed"
    return None


def _past(content: Mapping[str, Any]) -> Past:
    """A record whose every part has its shape.

    Raises:
        ValueError: one has not.
    """
    past = Past(
        **{name: content[name] for name in Past.__dataclass_fields__ if name != "seconds" or name in content}
    )
    if not all(isinstance(seconds, int | float) for seconds in past.seconds.values()):
        raise ValueError("a time that is no number")
    if datetime.fromisoformat(past.started).tzinfo is None:
        raise ValueError("a time without its zone")
    if not all(isinstance(text, str) for text in _texts(past)) or set(past.outcomes.values()) - _OUTCOMES:
        raise ValueError("a value of another kind")
    return past


def _texts(past: Past) -> Iterator[object]:
    yield from (past.commit, past.verdict)
    for mapping in (past.outcomes, past.failing_since):
        for pair in mapping.items():
            yield from pair

"""What became of mutants, kept as lines of JSON, and the share of them that was noticed."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from tests.mutants.mutant import Mutant

# What they claim is that the whole stack or template is in order, so that they are about no change in particular.
GENERAL = ("SRC-01", "STACK-01", "INF-01")


class Fate(StrEnum):
    """How a mutant ended."""

    KILLED = "killed"
    SURVIVED = "survived"
    UNSURE = "unsure"
    """Items that passed ended UNVERIFIED, and none failed: nobody was told that something is wrong."""
    STILLBORN = "stillborn"
    EQUIVALENT = "equivalent"
    ALIVE = "alive"
    """The quick items did not notice it; the others have not run yet."""


LIVED = (Fate.KILLED, Fate.SURVIVED, Fate.UNSURE)
"""Those that were deployed and mean something."""


@dataclass(frozen=True)
class Result:
    """What became of one mutant.

    Args:
        mutant: its id.
        application: whose template it changes.
        resource: the logical id; '' where it changes none in particular.
        type: the resource's type.
        where: the path of the change, from the resource or the section on.
        operator: the kind of change.
        says: the change in plain words.
        fate: how it ended.
        items: those that failed, or that could not tell any more; true for those whose finding is about the change.
        by: who refused it, where it was.
        message: in whose words, or why it is equivalent.
        seconds: its share of the time.
        commit: of the checks that judged it.
    """

    mutant: str
    application: str
    resource: str
    type: str
    where: str
    operator: str
    says: str
    fate: Fate
    commit: str
    items: Mapping[str, bool] = field(default_factory=dict)
    by: str = ""
    message: str = ""
    seconds: float = 0.0

    @classmethod
    def of(cls, mutant: Mutant, fate: Fate, commit: str, **facts: Any) -> Self:
        where = ".".join(str(part) for part in mutant.path[2 if mutant.resource else 0 :])
        return cls(
            *(mutant.id, mutant.application, mutant.resource, mutant.type, where, mutant.operator),
            *(mutant.says, fate, commit),
            **facts,
        )

    @property
    def meant(self) -> bool:
        """Whether an item whose claim is about the change has noticed it."""
        return any(self.items.values())

    @property
    def property(self) -> str:
        """The property that is changed, without the places in lists."""
        return ".".join(part for part in self.where.split(".") if not part.isdigit())


@dataclass(frozen=True)
class Run:
    """What a run was: lines of the same file tell of it.

    Args:
        application: whose mutants were tried.
        commit: of the checks.
        mutants: how many the template has.
        sample: how many of them were drawn; None where all were taken.
        seed: what drew them.
        seconds: how long it took.
        workers: how many embedded AWS at a time.
        unfit: items that do not pass on the good application, and so could not notice much.
    """

    application: str
    commit: str
    mutants: int
    sample: int | None
    seed: int
    seconds: float
    workers: int
    unfit: Sequence[str] = ()


@dataclass(frozen=True)
class Peer:
    """What another tool says of an application's mutants and not of the good template; lines of the same file tell it.

    Args:
        tool: which one.
        application: whose mutants.
        said: its findings, by the mutant's id.
    """

    tool: str
    application: str
    said: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Results:
    """A file of results. The last line about a mutant counts."""

    results: Mapping[str, Result]
    runs: Sequence[Run]
    peers: Sequence[Peer] = ()

    @classmethod
    def read(cls, file: Path) -> Self:
        """A file's results; none where there is no file."""
        results: dict[str, Result] = {}
        runs: list[Run] = []
        peers: dict[tuple[str, str], Peer] = {}
        for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
            try:
                content = json.loads(line)
            except ValueError:
                continue  # the line that an interruption has cut
            if "run" in content:
                runs.append(Run(**content["run"]))
            elif "peer" in content:
                peer = Peer(**content["peer"])
                peers[peer.tool, peer.application] = peer
            else:
                result = Result(**{**content, "fate": Fate(content["fate"])})
                results[result.mutant] = result
        return cls(results, runs, list(peers.values()))

    def of(self, application: str) -> list[Result]:
        return [one for one in self.results.values() if one.application == application]


def append(file: Path, entry: Result | Run | Peer) -> None:
    """Add a line, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = asdict(entry)
    if not isinstance(entry, Result):
        content = {type(entry).__name__.lower(): content}
    line = json.dumps(content, ensure_ascii=False)
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Score:
    """How many mutants of some kind ended in which way."""

    killed: int = 0
    meant: int = 0
    """Of the killed: by an item whose claim is about the change."""
    survived: int = 0
    unsure: int = 0
    stillborn: int = 0
    equivalent: int = 0
    alive: int = 0

    @classmethod
    def of(cls, results: Iterable[Result]) -> Self:
        listed = list(results)
        counted = Counter(str(one.fate) for one in listed)
        meant = sum(one.fate is Fate.KILLED and one.meant for one in listed)
        return cls(meant=meant, **{str(fate): counted[fate] for fate in Fate})

    @property
    def share(self) -> float | None:
        """The killed among the killed and the survived; None where there is neither."""
        lived = self.killed + self.survived
        return self.killed / lived if lived else None

    @property
    def percent(self) -> str:
        """The share; none where the slow items have not run for all, for only kills are known until then."""
        return "-" if self.share is None or self.alive else f"{100 * self.share:.0f} %"


def by(results: Iterable[Result], kind: Callable[[Result], str]) -> dict[str, Score]:
    """The scores of results by some kind, the kinds in the order of their names."""
    parts: dict[str, list[Result]] = {}
    for one in results:
        parts.setdefault(kind(one), []).append(one)
    return {name: Score.of(parts[name]) for name in sorted(parts)}


def lost(now: Results, before: Results) -> list[Result]:
    """Mutants that were noticed before and are not now."""
    return [
        one
        for id_, one in now.results.items()
        if one.fate in (Fate.SURVIVED, Fate.UNSURE)
        and id_ in before.results
        and before.results[id_].fate is Fate.KILLED
    ]

"""Tries mutants: several in one deployment, the quick items first, and who noticed is told by what a finding names."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from subprocess import TimeoutExpired
from typing import Protocol, Self

from tests.mutants.mutant import REMOVED, Mutant
from tests.mutants.score import GENERAL, Fate
from tests.mutants.stand import DRIFT, OWN, Look, Refused, Said

TOGETHER = 8
_SHORT = 8
"""A name that is shorter and no logical id, such as an alias's, may be anybody's."""
_NOTICED = ("fail", "unverified")


class Place(Protocol):
    """Where mutants are tried; see Stand."""

    def deploy(self, mutants: Sequence[Mutant]) -> None: ...

    def look(self, step: str) -> Look: ...

    def names(self, mutant: Mutant) -> frozenset[str]: ...

    def related(self, one: str, other: str) -> bool: ...


@dataclass(frozen=True)
class Told:
    """What a trial said of one mutant."""

    mutant: Mutant
    fate: Fate
    items: Mapping[str, bool] = field(default_factory=dict)
    by: str = ""
    message: str = ""


def sample(mutants: Sequence[Mutant], number: int | None, seed: int) -> list[Mutant]:
    """Some of an application's mutants, the same ones for the same seed; all of them for None.

    A larger sample holds the smaller ones, so that a run can go on with it, and a change of the template changes little.
    """
    drawn = sorted(mutants, key=lambda one: hashlib.sha256(f"{seed} {one.id}".encode()).digest())[:number]
    return [each for each in mutants if each in drawn]


def groups(
    mutants: Sequence[Mutant], related: Callable[[str, str], bool], size: int = TOGETHER
) -> list[list[Mutant]]:
    """Mutants that can be tried at once: of different resources, a policy and what it governs counting as one.

    A mutant that belongs to no resource may change all of them, and goes alone.
    """
    alone = [[each] for each in mutants if not each.resource]
    made: list[list[Mutant]] = []
    for mutant in (each for each in mutants if each.resource):
        fitting = (
            group
            for group in made
            if len(group) < size and not any(related(mutant.resource, other.resource) for other in group)
        )
        group = next(fitting, None)
        if group is None:
            made.append(group := [])
        group.append(mutant)
    return made + alone


def steps(application: str, last: str, of: str = "template") -> list[str]:
    """The steps in which items run, the quick ones first where the others take much longer and may then be spared.

    A source and a contract are judged by what the API does, which few of the quick ones ask. Drift reports every change by hand, and
    not what it means, so that it is asked about the changes that no other item has noticed.
    """
    if of == "by-hand":
        return [last, DRIFT]
    quick_first = (application, last) == (OWN, "all") and of in ("template", "samconfig")
    return ["read-only", "all"] if quick_first else [last]


@dataclass(frozen=True)
class Tried:
    """What one deployment has shown.

    Args:
        told: the mutants of which it told how they end.
        apart: groups to try next, because nothing told the mutants apart.
        rest: mutants beside which others were noticed, to be tried without those.
    """

    told: Sequence[Told] = ()
    apart: Sequence[Sequence[Mutant]] = ()
    rest: Sequence[Mutant] = ()


def attempt(place: Place, base: Look, group: Sequence[Mutant], step: str) -> Tried:
    """Deploy mutants at once and look.

    Args:
        place: where.
        base: what the items say of the good application.
        group: the mutants.
        step: which items run.
    """
    try:
        place.deploy(group)
    except Refused as refused:
        return _apart(group, Told(group[0], Fate.STILLBORN, by=refused.by, message=refused.message))
    try:
        noticed = _noticed(place.look(step), base)
    except (AssertionError, TimeoutExpired) as problem:
        message = f"the run ended without a report: {str(problem)[-500:]}"
        return _apart(group, Told(group[0], Fate.UNSURE, message=message))
    if not noticed:
        return Tried([Told(mutant, Fate.SURVIVED) for mutant in group])
    if not (blamed := _blamed(place, group, noticed)):
        return _halves(group)
    # Only where nothing is noticed have all survived: what names one resource may come from another.
    told = []
    for mutant in (each for each in group if each.id in blamed):
        items = blamed[mutant.id]
        failed = {item: meant for item, meant in items.items() if noticed[item].outcome == "fail"}
        told.append(Told(mutant, Fate.KILLED if failed else Fate.UNSURE, failed or items))
    return Tried(told, rest=[mutant for mutant in group if mutant.id not in blamed])


def _apart(group: Sequence[Mutant], alone: Told) -> Tried:
    return Tried([alone]) if len(group) == 1 else _halves(group)


def _halves(group: Sequence[Mutant]) -> Tried:
    middle = len(group) // 2
    return Tried(apart=[group[:middle], group[middle:]])


def _noticed(look: Look, base: Look) -> Look:
    """What was not said of the good application."""
    return {
        item: said
        for item, said in look.items()
        if said.outcome in _NOTICED and (item not in base or base[item].outcome not in ("fail", said.outcome))
    }


def _blamed(place: Place, group: Sequence[Mutant], noticed: Mapping[str, Said]) -> dict[str, dict[str, bool]]:
    """The items that noticed each mutant, by its id; true where the finding is about the change."""
    blamed: dict[str, dict[str, bool]] = {}
    for item, said in noticed.items():
        for finding in said.findings:
            named = [each for each in group if _names(place, each, finding)]
            if len(group) == 1:
                (each,) = group
                meant = item not in GENERAL and (bool(named) or _speaks_of(each, finding))
            elif len(named) == 1:
                (each,), meant = named, item not in GENERAL
            else:
                continue
            items = blamed.setdefault(each.id, {})
            items[item] = items.get(item, False) or meant
    return blamed


def _names(place: Place, mutant: Mutant, finding: str) -> bool:
    told = [name for name in place.names(mutant) if name == mutant.resource or len(name) >= _SHORT]
    return bool(told) and bool(_words(told).search(finding))


def _words(texts: Sequence[str]) -> re.Pattern[str]:
    alternatives = "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{alternatives})(?![A-Za-z0-9])")


def _speaks_of(mutant: Mutant, finding: str) -> bool:
    """Whether a finding that names no resource is about what was changed: its property, or the kind that is gone."""
    properties = [part for part in mutant.path[2:] if isinstance(part, str) and part != "Properties"]
    about = (
        properties[-1:] if properties else [mutant.type.split("::")[-1]] if mutant.value is REMOVED else []
    )
    spelt = [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name) for name in about]
    return any(name.lower() in finding.lower() for name in (*about, *spelt))


@dataclass
class _Known:
    """What the deployments of one step have shown so far.

    Args:
        told: what was last told of a mutant, by its id.
        beside: the mutants that were deployed beside it and not noticed.
        rest: those that are to be tried once more.
    """

    told: dict[str, Told] = field(default_factory=dict)
    beside: dict[str, Sequence[Mutant]] = field(default_factory=dict)
    rest: list[Mutant] = field(default_factory=list)

    def add(self, tried: Tried) -> None:
        self.rest.extend(tried.rest)
        for each in tried.told:
            self.told[each.mutant.id] = each
            self.beside[each.mutant.id] = tried.rest

    def doubtful(self) -> list[Mutant]:
        """Those whose every item has since noticed a mutant that was deployed beside them."""
        found = []
        for id_, others in self.beside.items():
            since = {item for each in others if each.id in self.told for item in self.told[each.id].items}
            if (items := self.told[id_].items) and items.keys() <= since:
                found.append(self.told[id_].mutant)
        return found


class Workers:
    """Several places at once, each with the application in it.

    Args:
        made: what makes a place.
        number: how many.
        until: when no more is begun, by time.monotonic(); None for no end.
    """

    def __init__(
        self, made: Callable[[], AbstractContextManager[Place]], number: int, until: float | None
    ) -> None:
        self._made, self._number, self._until = made, number, until
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self.places: list[Place] = []

    def __enter__(self) -> Self:
        with ThreadPoolExecutor(self._number) as pool:
            for started in [pool.submit(self._begin) for _ in range(self._number)]:
                started.result()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _begin(self) -> None:
        context = self._made()
        place = context.__enter__()
        with self._lock:
            self._stack.push(context)
            self.places.append(place)

    def look(self, step: str) -> Look:
        """What the items say of the good application, deployed as mutants are."""
        self.places[0].deploy([])
        return self.places[0].look(step)

    def judge(
        self, mutants: Sequence[Mutant], base: Look, step: str, tell: Callable[[Told, float], None]
    ) -> None:
        """Try all mutants, and tell of each with its share of the time; of some again, where it was not what it seemed."""
        known = _Known()
        waiting = groups(mutants, self.places[0].related)
        while waiting:
            known.rest.clear()
            self._round(waiting, known, lambda place, group: attempt(place, base, group, step), tell)
            waiting = groups(known.rest, self.places[0].related)
            if not waiting:
                waiting = [[mutant] for mutant in known.doubtful()]
                known.beside.clear()

    def _round(
        self,
        waiting: list[list[Mutant]],
        known: _Known,
        attempted: Callable[[Place, Sequence[Mutant]], Tried],
        tell: Callable[[Told, float], None],
    ) -> None:
        def work(place: Place) -> None:
            while group := self._next(waiting):
                begun = time.monotonic()
                tried = attempted(place, group)
                share = (time.monotonic() - begun) / len(group)
                with self._lock:
                    waiting[:0] = [list(part) for part in tried.apart]
                    known.add(tried)
                    for each in tried.told:
                        tell(each, share)

        with ThreadPoolExecutor(len(self.places)) as pool:
            for done in [pool.submit(work, place) for place in self.places]:
                done.result()

    def _next(self, waiting: list[list[Mutant]]) -> list[Mutant] | None:
        with self._lock:
            late = self._until is not None and time.monotonic() > self._until
            return None if late or not waiting else waiting.pop(0)


def try_all(
    application: str,
    mutants: Sequence[Mutant],
    workers: Workers,
    last: str,
    keep: Callable[[Told, Fate, float], None],
    *,
    of: str = "template",
    quickly_alive: frozenset[str] = frozenset(),
) -> list[str]:
    """Try an application's mutants step by step; the items that do not pass on the good application.

    Args:
        application: which one.
        mutants: those that are still to be judged.
        workers: where.
        last: the last step.
        keep: is told of each mutant with how it ended and its share of the time.
        of: what the mutants are of.
        quickly_alive: ids of mutants that an earlier run's first step did not notice.
    """
    unfit: set[str] = set()
    unsure: dict[str, Told] = {}
    alive = list(mutants)
    for step in (order := steps(application, last, of)):
        final = step == order[-1]
        passed = [] if final else [each for each in alive if each.id in quickly_alive]
        begun = [each for each in alive if each not in passed]
        if not begun:
            continue
        base = workers.look(step)
        unfit |= {item for item, said in base.items() if said.outcome in _NOTICED}
        surviving: list[Mutant] = []

        def tell(
            told: Told,
            seconds: float,
            *,
            step: str = step,
            final: bool = final,
            into: list[Mutant] = surviving,
        ) -> None:
            fate = told.fate
            if not final and fate in (Fate.SURVIVED, Fate.UNSURE):
                # What the quick items could not tell, the others may.
                into.append(told.mutant)
                if fate is Fate.UNSURE:
                    unsure[told.mutant.id] = told
                fate = Fate.ALIVE
            elif step == DRIFT and fate is Fate.SURVIVED and told.mutant.id in unsure:
                # No later step repeats the items that could not tell.
                told, fate = unsure[told.mutant.id], Fate.UNSURE
            keep(told, fate, seconds)

        workers.judge(begun, base, step, tell)
        alive = [*passed, *surviving]
    return sorted(unfit)

"""What Prowler says of the same mutants. It reads a live stack, so each mutant is deployed for it as for the items."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from scripts.cross_examination.scene import Scene
from tests.applications import prowler
from tests.mutants.mutant import Mutant
from tests.mutants.run import Told, Workers
from tests.mutants.score import Fate
from tests.mutants.stand import Look, Said, Stand, stand

NAME: Final = "prowler"
SERVICES: Final = (*prowler.SERVICES, "wafv2")


class Watched:
    """A place where Prowler judges, and no item.

    Args:
        place: where the application is deployed.
        tool: Prowler's command.
        version: of Prowler.
    """

    def __init__(self, place: Stand, tool: Path, version: str) -> None:
        self._place, self._tool, self._version = place, tool, version
        self.names, self.related = place.names, place.related

    def deploy(self, mutants: Sequence[Mutant]) -> None:
        self._place.deploy(mutants)

    def look(self, step: str) -> Look:  # Prowler has one step
        """Prowler's findings about the stack.

        Raises:
            UsageProblem: it did not run, or looked at nothing of the stack.
        """
        with tempfile.TemporaryDirectory(prefix="prowler-") as place:
            folder = Path(place)
            prowler.ask(self._tool, self._version, self._place.state, folder, SERVICES)
            stack = prowler.scene(self._place.state, self._place.stack)
            answer = prowler.read(folder, stack, ())
        return said(stack, ((one.id, one.resource) for one in answer.findings))


def said(stack: Scene, findings: Iterator[tuple[str, str]]) -> Look:
    """Each finding by its check and resource: one check may find fault with one resource of several.

    The text has the resource's logical ids and its name in AWS, because a bucket and its policy share that name.
    """
    look = {}
    for check, resource in findings:
        physical = stack.resources[resource]
        sharing = [name for name, one in stack.resources.items() if one == physical]
        look[f"{check} {resource}"] = Said("fail", (" ".join([*sharing, physical]),))
    return look


def noticed(application: str, mutants: Sequence[Mutant], number: int) -> Mapping[str, Sequence[str]]:
    """Prowler's findings about each mutant that it notices, by the mutant's id.

    Args:
        application: one of APPLICATIONS.
        mutants: of its template; each can be deployed.
        number: how many embedded AWS at a time.

    Raises:
        UsageProblem: Prowler did not run, or looked at nothing of the stack.
    """
    tool, version = prowler.bring()

    @contextmanager
    def made() -> Iterator[Watched]:
        with stand(application) as place:
            yield Watched(place, tool, version)

    found: dict[str, Sequence[str]] = {}

    def keep(told: Told, _: float) -> None:
        print(f"{NAME}: {told.fate:10} {told.mutant.id} {' '.join(told.items)}", flush=True)
        found[told.mutant.id] = sorted(told.items) if told.fate is Fate.KILLED else []

    with Workers(made, number, None) as workers:
        workers.judge(mutants, workers.look(NAME), NAME, keep)
    return {id_: findings for id_, findings in found.items() if findings}

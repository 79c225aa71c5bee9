"""What a load profile asks for: users over time, and from that the requests, jobs and their price.

The profile is Artillery's own configuration; nothing of it is repeated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Self

import yaml

from verification import budgets, costs

HERE = Path(__file__).resolve().parent
FILES = {"full": HERE / "artillery-config.yml", "light": HERE / "artillery-config-light.yml"}


@dataclass(frozen=True)
class Phase:
    """One phase: how long it lasts, and how many users come meanwhile."""

    name: str
    seconds: float
    arrivals: int


@dataclass(frozen=True)
class Profile:
    """Users who come, stay and leave, as one of Artillery's configurations has them.

    Args:
        name: what people call it.
        file: the configuration.
        phases: in order; nobody comes during the last two, and all leave during the last.
        think_seconds: the mean pause between two requests of a user.
        scale: what the configuration's durations were multiplied by.
        generators: machines that each run the whole of it.
    """

    name: str
    file: Path
    phases: tuple[Phase, ...]
    think_seconds: float
    scale: float = 1.0
    generators: int = 1

    @classmethod
    def named(cls, name: str) -> Self:
        """Read one of the configurations that lie here."""
        config = yaml.safe_load(FILES[name].read_text(encoding="utf-8"))["config"]
        phases = tuple(
            Phase(one["name"], one.get("duration", one.get("pause")), one.get("arrivalCount", 0))
            for one in config["phases"]
        )
        return cls(name, FILES[name], phases, config["variables"]["think_seconds"])

    def scaled(self, scale: float) -> Self:
        """The same with all phases longer or shorter; users and their pauses stay."""
        phases = tuple(replace(phase, seconds=max(1, round(phase.seconds * scale))) for phase in self.phases)
        return replace(self, phases=phases, scale=scale)

    def on(self, generators: int) -> Self:
        """The same, run by several machines, each of which runs the whole."""
        return replace(self, generators=generators)

    @property
    def users(self) -> int:
        """Users who are there at the same time at most."""
        return self.generators * sum(phase.arrivals for phase in self.phases)

    @property
    def seconds(self) -> float:
        return sum(phase.seconds for phase in self.phases)

    @property
    def stay_seconds(self) -> float:
        """Until the first user leaves."""
        return self.seconds - self.phases[-1].seconds

    @property
    def held_between(self) -> tuple[float, float]:
        """Between which seconds, counted from the first user on, all users are there.

        Artillery lets the first of several users come after as long as there is between two of them.
        """
        first = self.phases[0].seconds / self.phases[0].arrivals
        return self.stay_seconds - self.phases[-2].seconds - first, self.stay_seconds - first

    @property
    def requests(self) -> int:
        """How many requests there will be at most: answers take their time as well."""
        there = list(accumulate((phase.arrivals for phase in self.phases), initial=0))
        spans = [(before + after) / 2 for before, after in pairwise(there)]
        spans[-1] = there[-1] / 2
        users_seconds = sum(phase.seconds * users for phase, users in zip(self.phases, spans, strict=True))
        return self.generators * round(users_seconds / self.think_seconds + there[-1])

    @property
    def requests_per_second(self) -> float:
        """While all users are there."""
        return self.users / self.think_seconds

    @property
    def jobs(self) -> int:
        return round(self.requests * budgets.LOAD_MIX["generate"])

    @property
    def images(self) -> int:
        return self.jobs * budgets.MODELS

    def costs(self) -> Mapping[str, float]:
        """What AWS charges for so many jobs in USD, by the monthly estimate, in which users view their images."""
        idle = costs.estimate(costs.Shape(), 0)
        lines = costs.estimate(costs.Shape(), self.jobs)
        return {line.what: line.usd - without.usd for line, without in zip(lines, idle, strict=True)}

    def overrides(self) -> Mapping[str, Any]:
        """What Artillery has to be told where the profile is not what the file says."""
        if self.scale == 1:
            return {}
        phases = [
            {"name": phase.name, "duration": phase.seconds, "arrivalCount": phase.arrivals}
            if phase.arrivals
            else {"name": phase.name, "pause": phase.seconds}
            for phase in self.phases
        ]
        stay, leave = self.stay_seconds, self.phases[-1].seconds
        return {"config": {"phases": phases, "variables": {"stay_seconds": stay, "leave_seconds": leave}}}

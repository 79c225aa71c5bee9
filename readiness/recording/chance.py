"""Time and chance of a run that is recorded or replayed.

Both runs draw the same random names, because they begin from the same seed at each check. A replay's clock shows the
recorded time: each answer moves it to the time of the recorded answer. A replay does not sleep.

This replaces both in the modules of probes, resources and checks, as `names.py` does for host names. These modules use
`time.sleep`, `datetime.now` and `uuid.uuid4` as usual.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from types import ModuleType
from typing import Any

_MISSING = object()


class Chance:
    """Random numbers that follow from a seed and from what draws them."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._sources: list[random.Random] = [self._source("")]

    def enter(self, scope: str) -> None:
        """From here on a check, or something that many checks share, draws."""
        self._sources.append(self._source(scope))

    def leave(self) -> None:
        """Return to the previous scope, because the current one has ended."""
        self._sources.pop()

    @property
    def source(self) -> random.Random:
        """Who draws now."""
        return self._sources[-1]

    def uuid4(self) -> uuid.UUID:
        """A random UUID."""
        return uuid.UUID(int=self.source.getrandbits(128), version=4)

    def _source(self, scope: str) -> random.Random:
        return random.Random(f"{self._seed}/{scope}")  # noqa: S311  # names that recur, no secrets


class Clock:
    """Shows the time of a recording, which never goes back while a check runs.

    Args:
        started: when the recorded run did.
    """

    def __init__(self, started: datetime) -> None:
        self.started = started
        self.seconds = 0.0

    def set(self, seconds: float) -> None:
        """A check begins, so many seconds after the run did."""
        self.seconds = seconds

    def reach(self, seconds: float) -> None:
        """An answer was there by then."""
        self.seconds = max(self.seconds, seconds)

    def sleep(self, seconds: float) -> None:
        """Let time pass, at once."""
        self.seconds += max(seconds, 0)

    def monotonic(self) -> float:
        """Seconds, as `time.monotonic` counts them."""
        return self.seconds

    def time(self) -> float:
        """Seconds since 1970."""
        return self.started.timestamp() + self.seconds

    def now(self, zone: tzinfo | None = None) -> datetime:
        """The moment."""
        return (self.started + timedelta(seconds=self.seconds)).astimezone(zone)


class Given:
    """A module with some of its names replaced."""

    def __init__(self, module: ModuleType, **given: Any) -> None:
        self.__dict__.update(given)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class Modules:
    """What some modules know of time and chance, until it is put back."""

    def __init__(self, chance: Chance, clock: Clock | None) -> None:
        self._given: dict[str, tuple[Any, Any]] = {
            "uuid": (uuid, Given(uuid, uuid4=chance.uuid4)),
            "random": (random, _Draws(chance)),
        }
        if clock:
            own = {"sleep": clock.sleep, "monotonic": clock.monotonic, "time": clock.time}
            self._given["time"] = (time, Given(time, perf_counter=clock.monotonic, **own))
            self._given["datetime"] = (datetime, _moments(clock))
        self._changed: list[tuple[ModuleType, str, Any]] = []

    def give(self, modules: Iterable[ModuleType]) -> None:
        """Have these modules use it."""
        for module in modules:
            for name, (real, given) in self._given.items():
                if vars(module).get(name, _MISSING) is real:
                    self._changed.append((module, name, real))
                    setattr(module, name, given)

    def put_back(self) -> None:
        """Leave the modules as they were."""
        while self._changed:
            setattr(*self._changed.pop())


class _Draws:
    """A replacement of the module `random`."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chance.source, name)


class _OfEveryMoment(type):
    """Makes every datetime an instance of the replaced class."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


def _moments(clock: Clock) -> type[datetime]:
    """The class `datetime`, whose now is the clock's."""

    class Moment(datetime, metaclass=_OfEveryMoment):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return clock.now(tz)

    return Moment

"""readiness/recording/chance.py"""

from __future__ import annotations

import random
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from readiness.recording.chance import Chance, Clock, Modules

STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def module():
    made = ModuleType("probe")
    vars(made).update(time=time, uuid=uuid, random=random, datetime=datetime)
    return made


def drawn(chance: Chance, *scopes: str) -> list[str]:
    names = []
    for scope in scopes:
        chance.enter(scope)
        names.append(str(chance.uuid4()))
        chance.leave()
    return names


def test_each_check_draws_the_same_in_every_run_whatever_ran_before():
    assert drawn(Chance("seed"), "A", "B") == list(reversed(drawn(Chance("seed"), "B", "A")))


def test_two_checks_and_two_seeds_draw_differently():
    assert len({*drawn(Chance("seed"), "A", "B"), *drawn(Chance("other"), "A", "B")}) == 4


def test_a_fixture_does_not_change_what_its_check_draws():
    plain, nested = Chance("seed"), Chance("seed")
    plain.enter("A")
    nested.enter("A")
    drawn(nested, "@job")

    assert plain.uuid4() == nested.uuid4()


def test_a_recorded_run_draws_by_the_seed_and_keeps_its_time(module):
    modules = Modules(Chance("seed"), None)
    modules.give([module])

    assert module.uuid.uuid4() == Chance("seed").uuid4()
    assert 2 <= module.random.uniform(2, 3) <= 3
    assert module.uuid.UUID is uuid.UUID
    assert module.time is time
    assert module.datetime is datetime


def test_a_replay_does_not_sleep(module):
    clock = Clock(STARTED)
    modules = Modules(Chance("seed"), clock)
    modules.give([module])
    began = time.monotonic()
    module.time.sleep(3600)

    assert time.monotonic() - began < 60
    assert module.time.monotonic() == 3600
    assert module.time.time() == STARTED.timestamp() + 3600
    assert module.datetime.now(UTC) == datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC)
    assert isinstance(STARTED, module.datetime)
    assert module.datetime.fromisoformat("2026-01-02T03:04:05+00:00") == STARTED


def test_an_answer_moves_the_clock_and_an_earlier_one_does_not_move_it_back():
    clock = Clock(STARTED)
    clock.reach(10)
    clock.reach(5)

    assert clock.monotonic() == 10


def test_modules_are_put_back(module):
    modules = Modules(Chance("seed"), Clock(STARTED))
    modules.give([module])
    modules.put_back()

    assert (module.time, module.uuid, module.random, module.datetime) == (time, uuid, random, datetime)


def test_what_is_recorded_takes_time_and_chance_as_modules():
    """`from time import sleep` would sleep in a replay, too."""
    folder = Path(sys.modules["verification"].__path__[0])
    files = [file for name in ("resources", "probes", "checks") for file in (folder / name).glob("*.py")]
    taken = [
        f"{file.name}: {line}"
        for file in [*files, folder / "fixtures.py"]
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith(("from time import", "from uuid import", "from random import", "import datetime"))
    ]

    assert taken == []

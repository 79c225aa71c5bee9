import multiprocessing
import os
import signal
import time

from readiness.turns import turn

PROCESSES = multiprocessing.get_context("fork")


def _take(path, alone, entered, leave):
    with turn(path, alone=alone):
        entered.set()
        leave.wait(20)


class Taker:
    """Somebody in another process who asks for a turn."""

    def __init__(self, path, *, alone):
        self.entered, self.leave = PROCESSES.Event(), PROCESSES.Event()
        self.process = PROCESSES.Process(
            target=_take, args=(path, alone, self.entered, self.leave), daemon=True
        )
        self.process.start()

    def got_it(self, seconds):
        return self.entered.wait(seconds)

    def done(self):
        self.leave.set()
        self.process.join(20)


def test_those_who_look_share(tmp_path):
    first, second = Taker(tmp_path / "stack", alone=False), Taker(tmp_path / "stack", alone=False)
    assert first.got_it(20)
    assert second.got_it(20)
    first.done()
    second.done()


def test_a_drill_waits_for_those_who_look_and_is_not_overtaken(tmp_path):
    looking = Taker(tmp_path / "stack", alone=False)
    assert looking.got_it(20)
    drill = Taker(tmp_path / "stack", alone=True)
    assert not drill.got_it(0.3)
    later = Taker(tmp_path / "stack", alone=False)
    assert not later.got_it(0.3)

    looking.done()
    assert drill.got_it(20)
    assert not later.got_it(0.3)
    drill.done()
    assert later.got_it(20)
    later.done()


def test_a_killed_drill_gives_its_turn_back(tmp_path):
    drill = Taker(tmp_path / "stack", alone=True)
    assert drill.got_it(20)
    os.kill(drill.process.pid, signal.SIGKILL)

    started = time.monotonic()
    with turn(tmp_path / "stack", alone=False):
        assert time.monotonic() - started < 20


def test_stacks_do_not_wait_for_each_other(tmp_path):
    drill = Taker(tmp_path / "one", alone=True)
    assert drill.got_it(20)
    with turn(tmp_path / "two", alone=True):
        pass
    drill.done()

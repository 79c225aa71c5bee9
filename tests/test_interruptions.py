"""readiness/interruptions.py"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from readiness.interruptions import held_back

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def interrupting():
    """SIGTERM and SIGHUP interrupt like Ctrl-C, and are as before afterwards."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_takes_effect_after_the_block(interrupting, number):
    done = []

    def work():
        with held_back():
            os.kill(os.getpid(), number)
            done.append("to the end")

    with pytest.raises(KeyboardInterrupt):
        work()

    assert done == ["to the end"]
    assert signal.getsignal(number) is signal.default_int_handler


def test_without_a_signal_nothing_happens(interrupting):
    with held_back():
        pass


def test_an_error_in_the_block_is_not_hidden(interrupting):
    with pytest.raises(ZeroDivisionError), held_back():
        raise ZeroDivisionError


def test_another_thread_may_use_it():
    seen = []

    def use():
        with held_back():
            seen.append(threading.current_thread().name)

    thread = threading.Thread(target=use, name="other")
    thread.start()
    thread.join()

    assert seen == ["other"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_ended_puts_things_back(number):
    script = (
        "import signal, sys, time\nfrom readiness.interruptions import end_as_by_hand\nend_as_by_hand()\n"
        "try:\n    print('ready', flush=True); time.sleep(30)\nfinally:\n    print('put back', flush=True)\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        assert run.stdout.readline() == "ready\n"
        run.send_signal(number)
        assert run.stdout.read() == "put back\n"

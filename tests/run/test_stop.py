"""readiness/run/stop.py"""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta

import pytest

from readiness.run.stop import Stop

LATER = timedelta(hours=1)


@pytest.fixture
def stop():
    made = Stop()
    yield made
    made.forget()


def test_a_signal_is_raised_once_the_session_has_begun(stop):
    stop.watch(LATER)
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop.reason == "by SIGTERM"

    with pytest.raises(KeyboardInterrupt):
        stop.heed()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_request_names_the_reason_and_each_is_raised(stop, number):
    stop.watch(LATER)
    stop.heed()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)

    assert stop.reason == f"by {number.name}"


def test_the_deadline_is_a_request(stop):
    stop.watch(timedelta(seconds=0.05))
    stop.heed()
    with pytest.raises(KeyboardInterrupt):
        time.sleep(10)

    assert stop.reason == "at its deadline of 0.05 s"


def test_a_run_that_is_ending_is_not_ended_again(stop):
    stop.watch(LATER)
    stop.heed()
    stop.ignore()

    signal.raise_signal(signal.SIGTERM)


def test_a_signal_that_was_ignored_stays_ignored(stop, monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop.watch(LATER)
        stop.heed()
        signal.raise_signal(signal.SIGHUP)
        assert stop.reason == ""
    finally:
        stop.forget()
        signal.signal(signal.SIGHUP, before)


def test_signals_are_given_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    stop = Stop()
    stop.watch(LATER)
    stop.forget()

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before

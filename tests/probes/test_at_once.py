"""verification/probes/at_once.py"""

from __future__ import annotations

import threading

import pytest

from verification.probes.at_once import at_once


def test_all_are_under_way_at_the_same_time_and_answer_in_order():
    meeting = threading.Barrier(5)

    def action(number):
        meeting.wait(10)  # breaks unless all five meet
        return number

    assert at_once([lambda number=number: action(number) for number in range(5)]) == [0, 1, 2, 3, 4]


def test_what_one_raises_is_raised_when_all_have_ended():
    ended = []

    def fail():
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        at_once([fail, lambda: ended.append(1), lambda: ended.append(2)])
    assert sorted(ended) == [1, 2]

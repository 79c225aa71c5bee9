"""readiness/shared.py"""

from __future__ import annotations

import multiprocessing
import os
import time

import pytest

from readiness.errors import BudgetSpent, TookTooLong, Unverified
from readiness.shared import Shared


@pytest.fixture
def shared(tmp_path):
    return Shared(tmp_path)


def test_it_is_made_for_the_first_and_given_to_all(shared, tmp_path):
    made = []

    def make():
        made.append(1)
        return {"id": "j1"}

    assert shared.once("job", make) == {"id": "j1"}
    assert Shared(tmp_path).once("job", make) == {"id": "j1"}
    assert made == [1]


@pytest.mark.parametrize(
    ("problem", "kind", "cause"),
    [
        (
            Unverified("no job: 500", cause="POST /generate answers 500"),
            Unverified,
            "POST /generate answers 500",
        ),
        (BudgetSpent("too dear", cause="the budget"), BudgetSpent, "the budget"),
        (AssertionError("no JSON"), Unverified, "AssertionError: no JSON"),
    ],
)
def test_a_failed_value_is_not_tried_again_and_all_get_the_same_message(shared, problem, kind, cause):
    tries = []

    def make():
        tries.append(1)
        raise problem

    for _ in range(3):
        with pytest.raises(Unverified) as told:
            shared.once("job", make)
        assert (type(told.value), told.value.cause) == (kind, cause)
    assert tries == [1]


def test_a_process_that_ended_during_its_request_may_have_paid(shared):
    def make():
        raise TookTooLong

    with pytest.raises(TookTooLong):
        shared.once("job", make)
    with pytest.raises(Unverified, match="was making the job was ended; it is not made again"):
        shared.once("job", lambda: pytest.fail("paid twice"))


def test_a_process_that_ended_during_its_wait_is_replaced(shared):
    def wait():
        raise TookTooLong

    with pytest.raises(TookTooLong):
        shared.once("end", wait, repeatable=True)

    assert shared.once("end", lambda: "completed", repeatable=True) == "completed"


def _ask(folder):
    def make():
        with (folder / "made").open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.3)
        return 1

    assert Shared(folder).once("job", make) == 1


def test_of_processes_that_ask_at_the_same_time_one_makes_it(tmp_path):
    context = multiprocessing.get_context("spawn")
    asking = [context.Process(target=_ask, args=(tmp_path,)) for _ in range(3)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()

    assert [one.exitcode for one in asking] == [0, 0, 0]
    assert len((tmp_path / "made").read_text().splitlines()) == 1

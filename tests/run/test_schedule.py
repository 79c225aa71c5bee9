"""readiness/run/schedule.py"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.checklist import How
from readiness.run.schedule import Check, Schedule


def check(name, *how, group=""):
    return Check(name, name.upper(), frozenset(how or (How.READ_ONLY,)), group)


def test_what_takes_longest_comes_first():
    schedule = Schedule([check("a"), check("b"), check("c")], {"b": 9.0, "c": 5.0})

    assert [schedule.next(worker).node for worker in ("w0", "w1", "w2")] == ["b", "c", "a"]


def test_a_drill_waits_for_every_check_of_the_stack_and_static_ones_run_beside_it():
    drill, live, static = check("drill", How.DRILL, How.ACTIVE), check("live"), check("static", How.STATIC)
    schedule = Schedule([drill, live, static])

    assert schedule.next("w0") == live
    assert schedule.next("w1") == static
    schedule.ended("w1")
    assert schedule.next("w1") is None
    schedule.ended("w0")
    assert schedule.next("w0") == drill
    assert schedule.next("w1") is None
    schedule.ended("w0")
    assert schedule.done


def test_a_static_check_may_start_while_a_drill_runs():
    schedule = Schedule([check("drill", How.DRILL), check("static", How.STATIC)])

    assert schedule.next("w0").node == "drill"
    assert schedule.next("w1").node == "static"


def test_one_worker_runs_a_group_until_it_is_lost():
    pages = [check(f"page {number}", How.BROWSER, group="browser") for number in range(3)]
    schedule = Schedule(pages)

    assert schedule.next("w0") in pages
    assert schedule.next("w1") is None
    schedule.lost("w0")
    assert schedule.next("w1") in pages


def test_a_replay_repeats_each_worker_with_its_checks_in_their_order():
    schedule = Schedule(
        [check("a"), check("b", How.DRILL), check("c"), check("new")], {}, {"w0": "cb", "w1": "a"}
    )

    assert [schedule.next(worker).node for worker in ("w1", "w0", "w1", "w0")] == ["a", "c", "new", "b"]
    assert schedule.next("w0") is None


KINDS = st.sampled_from([(How.STATIC,), (How.READ_ONLY,), (How.ACTIVE,), (How.DRILL,), (How.BROWSER,)])


@given(
    st.lists(st.tuples(KINDS, st.sampled_from(["", "one", "two"])), max_size=12),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_every_check_runs_once_and_no_drill_beside_another_check_of_the_stack(kinds, workers, chance):
    checks = [check(f"c{number}", *how, group=group) for number, (how, group) in enumerate(kinds)]
    schedule, given_out, names = Schedule(checks), [], [f"w{number}" for number in range(workers)]

    while not schedule.done:
        idle = [name for name in names if name not in schedule.running]
        started = [found for name in idle if (found := schedule.next(name))]
        given_out += started
        live = [found for found in schedule.running.values() if not found.is_static]
        assert len(live) <= 1 or not any(found.is_drill for found in live)
        assert schedule.running, "nothing runs, and something waits"
        name = chance.choice(sorted(schedule.running))
        if chance.random() < 0.2:
            schedule.lost(name)
        else:
            schedule.ended(name)

    assert sorted(found.node for found in given_out) == sorted(each.node for each in checks)


def test_nothing_to_run_is_done():
    assert Schedule([]).done
    with pytest.raises(AttributeError):
        Schedule([]).next("w0").node  # noqa: B018

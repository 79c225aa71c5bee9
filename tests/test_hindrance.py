"""readiness/hindrance.py"""

from __future__ import annotations

import os
from datetime import timedelta

from readiness.hindrance import waited


def process(proc, number, parent, *nanoseconds, name="some (odd) name"):
    """One process of a /proc, with as many threads as figures."""
    folder = proc / str(number)
    for thread, waiting in enumerate(nanoseconds, start=number):
        (folder / "task" / str(thread)).mkdir(parents=True)
        (folder / "task" / str(thread) / "schedstat").write_text(f"987654321 {waiting} 12\n")
    (folder / "stat").write_text(f"{number} ({name}) S {parent} {number} 0 0\n")


def test_all_threads_of_a_process_and_its_descendants_count(tmp_path) -> None:
    process(tmp_path, 100, 1, 1_000_000, 2_000_000)
    process(tmp_path, 200, 100, 4_000_000)
    process(tmp_path, 300, 200, 8_000_000)
    process(tmp_path, 400, 1, 16_000_000)

    assert waited(100, tmp_path) == timedelta(milliseconds=15)
    assert waited(200, tmp_path) == timedelta(milliseconds=12)


def test_a_process_that_ends_meanwhile_and_a_thread_that_is_not_counted_are_left_out(tmp_path) -> None:
    process(tmp_path, 100, 1, 1_000_000, 2_000_000)
    (tmp_path / "100" / "task" / "101" / "schedstat").write_text("")
    (tmp_path / "200").mkdir()
    (tmp_path / "200" / "stat").write_text("")

    assert waited(100, tmp_path) == timedelta(milliseconds=1)


def test_where_the_system_does_not_count_it_is_nothing(tmp_path) -> None:
    assert waited(os.getpid(), tmp_path / "absent") == timedelta()


def test_this_machine_can_be_asked() -> None:
    first = waited(os.getpid())
    assert timedelta() <= first <= waited(os.getpid())

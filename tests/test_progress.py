"""readiness/progress.py"""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from readiness import progress
from readiness.progress import Watcher, waiting


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "_folder", tmp_path)
    return tmp_path


@pytest.fixture
def watcher(folder):
    lines = []
    made = Watcher(folder, lines.append, first=timedelta(seconds=5))
    made.lines = lines
    return made


def test_a_wait_gets_its_line_when_it_lasts_and_again_when_that_has_doubled(watcher):
    with waiting("images"):
        for second in range(45):
            watcher.look(second)

    assert watcher.lines == [f"waiting for images, {seconds} s so far" for seconds in (5, 10, 20, 40)]


def test_what_has_ended_is_not_spoken_of(watcher, folder):
    with waiting("images"):
        watcher.look(0)
    watcher.look(100)
    with waiting("a log"):
        watcher.look(101)

    assert watcher.lines == []
    assert list(folder.iterdir()) == []


def test_nested_and_parallel_waits_are_distinguished(watcher):
    with waiting("a drill"):
        watcher.look(0)
        with waiting("an alarm"):
            watcher.look(3)
            watcher.look(6)
            watcher.look(8)

    assert watcher.lines == ["waiting for a drill, 6 s so far", "waiting for an alarm, 5 s so far"]


def test_a_wait_that_fails_has_ended_too(folder):
    with pytest.raises(ValueError, match="no"), waiting("images"):
        raise ValueError("no")

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("gone", [True, False])
def test_without_a_terminal_nothing_is_written(tmp_path, monkeypatch, gone):
    monkeypatch.setattr(progress, "_folder", tmp_path / "gone" if gone else None)

    with waiting("images"):
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_goes_meanwhile_ends_no_wait(folder):
    inner = folder / "inner"
    inner.mkdir()
    progress.tell(inner)
    with waiting("images"):
        for word in inner.iterdir():
            word.unlink()
        inner.rmdir()


def test_a_function_can_be_waited_for(watcher):
    @waiting("a queue")
    def take(number):
        watcher.look(0)
        watcher.look(5)
        return number

    assert take(3) == 3
    assert watcher.lines == ["waiting for a queue, 5 s so far"]


def test_the_latest_wait_of_a_process_is_known_to_itself_and_to_others(folder):
    with waiting("a drill"), waiting("an alarm"):
        assert progress.now() == ", while it waited for an alarm"
        assert progress.of(os.getpid()) == ", while it waited for an alarm"
        assert progress.of(1) == ""
    assert progress.now() == progress.of(os.getpid()) == ""


def test_a_process_that_has_ended_waits_for_nothing(folder):
    (folder / "77-0").write_text("a door")
    (folder / "78-0").write_text("a window")
    assert progress.of(77) == ", while it waited for a door"

    progress.forget(77)

    assert progress.of(77) == ""
    assert [word.name for word in folder.iterdir()] == ["78-0"]


def test_a_wait_is_known_without_a_folder(monkeypatch):
    monkeypatch.setattr(progress, "_folder", None)
    with waiting("a door"):
        assert progress.now() == ", while it waited for a door"
        assert progress.of(os.getpid()) == ""

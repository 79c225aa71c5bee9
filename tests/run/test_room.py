"""readiness/run/room.py, reaper.py and processes.py"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from readiness.errors import UsageProblem
from readiness.run import processes
from readiness.run.room import Room
from verification.application import ROOT

SOON_S = 15


@pytest.fixture(autouse=True)
def _temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def gone(process):
    psutil.wait_procs([psutil.Process(process.pid)] if psutil.pid_exists(process.pid) else [], timeout=SOON_S)
    return process.poll() is not None


def test_a_room_takes_its_files_and_processes_along(tmp_path):
    others = tmp_path / "unfinished"
    others.mkdir()
    room = Room.open(others, grace=timedelta(seconds=1))
    assert Path(tempfile.mkdtemp()).parent == room.folder
    left = subprocess.Popen(["sleep", "60"], start_new_session=True)
    assert [process.pid for process in processes.of(room.folder)] == [left.pid]

    room.close()

    assert gone(left)
    assert list(tmp_path.iterdir()) == []
    assert os.environ["TMPDIR"] == str(tmp_path)


def test_a_process_that_belongs_to_no_room_is_left_alone(tmp_path):
    stranger = subprocess.Popen(["sleep", "60"])
    room = Room.open(grace=timedelta())
    room.close()

    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


OWNER = """
import subprocess, sys, time
from datetime import timedelta
from readiness.run.room import Room

room = Room.open(grace=timedelta(seconds=float(sys.argv[1])))
child = subprocess.Popen([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"])
print(room.folder, child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("grace", [0, 2])
def test_a_killed_owner_is_cleaned_up_behind_after_the_grace(grace):
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(grace)], stdout=subprocess.PIPE, text=True, env=variables
    )
    words = [owner.stdout.readline() for _ in range(2)]
    folder, child = next(line for line in words if "/" in line).split()
    child = psutil.Process(int(child))
    owner.kill()
    owner.wait()
    owner.stdout.close()
    killed = time.monotonic()

    child.wait(SOON_S)

    assert time.monotonic() - killed >= grace * 0.9
    while Path(folder).exists() and time.monotonic() - killed < SOON_S:
        time.sleep(0.05)
    assert not Path(folder).exists()


def test_no_room_is_a_usage_problem(tmp_path, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(UsageProblem, match="No space left on device; free some space there, or set TMPDIR"):
        Room.open(grace=timedelta())

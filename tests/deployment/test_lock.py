"""Two deployments from one checkout must not meet."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from readiness.errors import UsageProblem
from verification.deployment import lock

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from verification.deployment import lock
with lock.held(Path(sys.argv[1]), "deploy staging"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_names_the_holder_and_goes_with_it(tmp_path: Path) -> None:
    """A killed holder leaves its file behind, never its lock."""
    path = tmp_path / "private" / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        with (
            pytest.raises(
                UsageProblem, match=rf"\(deploy staging, process {holder.pid}, since \d\d:\d\d:\d\d UTC\)"
            ),
            lock.held(path, "deploy dev"),
        ):
            pass
        holder.kill()

    assert path.exists()
    with lock.held(path, "deploy dev"):
        assert str(os.getpid()) in path.read_text()
    assert not path.exists()


def test_children_do_not_inherit_it(tmp_path: Path) -> None:
    """A cloud started under the lock would hold it for as long as it runs."""
    with lock.held(tmp_path / "lock", "first"):
        child = subprocess.Popen(["sleep", "30"])
    try:
        with lock.held(tmp_path / "lock", "second"):
            pass
    finally:
        child.kill()
        child.wait()


def test_holder_that_has_not_written_yet(tmp_path: Path) -> None:
    import fcntl

    path = tmp_path / "lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UsageProblem, match="just starting"), lock.held(path, "second"):
            pass


def test_many_at_once_never_hold_it_together(tmp_path: Path) -> None:
    """Takers race for a file that the last holder is just removing."""
    program = """
import sys, time
from pathlib import Path
from verification.deployment import lock
from readiness.errors import UsageProblem
path, inside = Path(sys.argv[1]), Path(sys.argv[2])
end = time.monotonic() + 1.0
while time.monotonic() < end:
    try:
        with lock.held(path, "race"):
            inside.mkdir()
            inside.rmdir()
    except UsageProblem:
        pass
"""
    started = time.monotonic()
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "lock"), str(tmp_path / "inside")], cwd=ROOT
        )
        for _ in range(3)
    ]

    assert [taker.wait(20) for taker in takers] == [0, 0, 0]
    assert time.monotonic() - started < 20


def test_waits_for_what_a_killed_deployment_had_started(tmp_path: Path) -> None:
    """A `sam deploy` that outlives its deployment would meet the next one in the same stack."""
    said: list[str] = []
    with lock.quiet(tmp_path / "children", patience_s=0, say=said.append) as held:
        child = subprocess.Popen(["sleep", "0.7"], pass_fds=[held])
        # As the kernel does for a process that is killed: closed, and nothing else.
        os.dup2(os.open(os.devnull, os.O_RDONLY), held)
        (tmp_path / "kept").hardlink_to(tmp_path / "children")
    (tmp_path / "kept").rename(tmp_path / "children")
    started = time.monotonic()

    with lock.quiet(tmp_path / "children", patience_s=10, say=said.append):
        ended = child.poll()

    assert ended == 0
    assert time.monotonic() - started < 10
    assert said == [
        "an earlier deployment was killed, and what it had started still runs; waiting until that has ended"
    ]


def test_is_patient_only_so_long(tmp_path: Path) -> None:
    with (
        lock.quiet(tmp_path / "children", patience_s=0, say=print),
        pytest.raises(UsageProblem, match="still runs after 0 s; look for 'sam' or 'npm'"),
        lock.quiet(tmp_path / "children", patience_s=0, say=print),
    ):
        pass

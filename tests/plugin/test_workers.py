"""Workers give one verdict, and a terminal shows what they wait for."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from tests.plugin.project import CHECKS

WAIT = "from readiness.progress import waiting; import time\n    with waiting('a slow door'): time.sleep(1.5)"


@pytest.mark.parametrize(
    ("workers", "watched"),
    [
        (("-n", "2"), True),
        pytest.param((), True, marks=pytest.mark.further),
        pytest.param(("-n", "2"), False, marks=pytest.mark.further),
    ],
)
def test_a_terminal_shows_what_is_waited_for(spread, monkeypatch, workers, watched):
    spread.pytester.runpytest_inprocess = lambda *arguments: arguments
    conftest = """
from datetime import timedelta
from readiness import progress
progress.FIRST_WORD = timedelta(seconds=0.3)
"""
    with (spread.root / "conftest.py").open("a") as file:
        file.write(conftest)
    spread.run(*workers, door=WAIT)
    command = [sys.executable, "-m", "pytest", *spread.result]
    monkeypatch.delenv("CI", raising=False)
    screen, line = pty.openpty()
    out = line if watched else subprocess.PIPE

    done = subprocess.Popen(
        command, cwd=spread.root, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "TERM": "xterm"}
    )
    os.close(line)
    shown = b""
    if watched:
        try:
            while chunk := os.read(screen, 65536):
                shown += chunk
        except OSError:  # the other end has closed
            pass
    else:
        shown = done.communicate()[0]
    os.close(screen)

    assert done.wait() == 0
    assert (b"waiting for a slow door, " in shown) is watched


def test_workers_tell_one_verdict(spread):
    assert spread.run("-n", "2", door="assert False, 'open'").ret == 1
    assert spread.outcomes() == {"SEC-01": "fail", "SEC-02": "pass"}


def test_a_worker_that_dies_leaves_its_item_unverified_and_the_rest_goes_on(spread):
    died = "import os; os._exit(1)"

    assert spread.run("-n", "1", door=died).ret == 1
    assert spread.outcomes() == {"SEC-01": "unverified", "SEC-02": "pass"}


def test_a_mismatch_that_workers_find_is_still_a_usage_error(spread):
    checks = CHECKS.replace('@pytest.mark.item("SEC-02")', "")

    assert spread.run("-n", "2", checks=checks).ret == 4
    assert "names no item" in spread.output
    assert not (spread.root / "reports" / "staging" / "verification.json").exists()

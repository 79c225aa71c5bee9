"""benchmarks/conftest.py: how a run is refused before anything is measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import pytest

from tests.benchmarks.conftest import variables
from verification.application import ROOT

HERE = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "benchmarks/test_bundle.py", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env=variables(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_workers_are_refused():
    status, output = run("-n", "2")

    assert status == 4
    assert "benchmarks run one after the other; leave -n out" in output


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (None, "write one with --benchmark-json="),
        ({"environment": "staging", "emulated": False, "machine": HERE}, "environment: then 'staging'"),
    ],
)
def test_what_cannot_be_compared_with_is_refused(tmp_path, measured, said):
    file = tmp_path / "baseline.json"
    figure = {"what": "w", "group": "bundle", "measured": "1", "wanted": "", "held": True}
    if measured:
        file.write_text(json.dumps({"measured": measured, "figures": [figure]}))
    status, output = run(f"--compare-with={file}")

    assert status == 4, output
    assert said in output
    assert "figures ===" not in output


def test_an_absent_stack_is_reported_before_anything_is_measured():
    status, output = run("benchmarks/test_lambda.py", "--cloud", "no-such-cloud")

    assert status == 4, output
    assert "./scripts/cloud.sh up" in output
    assert "figures ===" not in output

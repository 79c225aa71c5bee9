"""readiness/cli.py: which checks a command line runs, and what it says of one that runs none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from verification.application import ROOT

TEMPLATE = """\
Description: A queue
Resources:
  Letters:
    Type: AWS::SQS::Queue
    Properties: { SqsManagedSseEnabled: true }
"""
SAMCONFIG = """\
version = 0.1
[prod.deploy.parameters]
stack_name = "letters"
region = "us-east-1"
"""
OWN_TEST = "def test_of_the_application():\n    pass\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An application whose folders are named as values of options are."""
    app = tmp_path / "app"
    for name in ("local", "prod", "code"):
        (app / name).mkdir(parents=True)
        (app / name / "test_own.py").write_text(OWN_TEST)
    (app / "template.yaml").write_text(TEMPLATE)
    return app


def verify_stack(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "readiness", *words],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_value_that_is_a_folders_name_is_no_path(folder: Path) -> None:
    (folder.parent / "rep").mkdir()

    done = verify_stack(folder, "--static", "-m", "code", "--report-dir", "../rep")

    assert "test_own" not in done.stdout
    assert (folder.parent / "rep" / "verification.json").is_file(), done.stdout + done.stderr


def test_a_run_that_has_no_check_of_the_suite_does_not_start(folder: Path) -> None:
    done = verify_stack(folder, "--static", "local")

    assert done.returncode == 4
    assert "expected checks of the catalogue" in done.stderr
    assert "found local" in done.stderr


def test_files_are_read_without_any_environment(folder: Path) -> None:
    done = verify_stack(folder, "--static", "-k", "test_templates")

    assert "no environment is declared" not in done.stdout + done.stderr
    assert done.returncode != 4, done.stdout + done.stderr


def test_an_unknown_environment_names_the_files_that_are_there(folder: Path) -> None:
    (folder / "samconfig.toml").write_text(SAMCONFIG)

    done = verify_stack(folder, "--env", "stagign")

    assert done.returncode == 4
    assert "unknown environment 'stagign'; known from samconfig.toml: prod" in done.stderr


def test_what_init_writes_is_accepted(folder: Path) -> None:
    (folder / "samconfig.toml").write_text(SAMCONFIG)

    assert verify_stack(folder, "init").returncode == 0
    done = verify_stack(folder, "--static", "-m", "CODE-01")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "CODE-01" in (folder / "reports/static/verification.json").read_text()

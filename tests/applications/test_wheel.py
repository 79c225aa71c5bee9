"""The wheel: what is in it, and what it does to other people's runs of pytest."""

from __future__ import annotations

import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from readiness import starter
from tests.applications import trial
from verification.application import ROOT

pytestmark = pytest.mark.xdist_group("wheel")
OTHERS = """
def pytest_addoption(parser):
    parser.addoption("--env", default="theirs")
    parser.addoption("--app", default="theirs")
"""


def run(python: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PYTEST_", "AWS_"))
    }
    return subprocess.run(
        [str(python), "-m", *words],
        cwd=folder,
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_wheel_holds_the_engine_and_nothing_of_pixel_prompt(python: Path) -> None:
    (wheel,) = python.parents[2].glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"readiness", "stack_readiness"}
    assert not [name for name in names if "embedded" in name or "pixel" in name.lower()]


def test_it_is_silent_in_a_run_that_is_no_verification(python: Path, tmp_path: Path) -> None:
    """Its options have names that another project's conftest.py may use."""
    (tmp_path / "conftest.py").write_text(OTHERS)
    (tmp_path / "test_theirs.py").write_text(
        "def test_theirs(pytestconfig): assert pytestconfig.option.env == 'x'\n"
    )

    done = run(python, tmp_path, "pytest", "--env", "x", "-p", "no:cacheprovider")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "readiness" not in done.stdout.replace("stack-readiness", "")
    assert "verdict" not in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == [
        "conftest.py",
        "test_theirs.py",
    ]


@pytest.mark.parametrize(
    ("files", "words", "says"),
    [
        ({}, (), "expected a template in"),
        ({"template.yaml": "Resources: {}"}, (), "no environment is declared"),
        (
            {"template.yaml": "", "readiness.toml": "templat = 'x'"},
            (),
            "did you mean 'template'?",
        ),
        (
            {"template.yaml": "", "readiness.toml": "[[left-out]]\nitem = 'SQS-99'\nreason = 'x'"},
            ("--static",),
            "no item 'SQS-99'",
        ),
        ({"template.yaml": ""}, ("init", "now"), "init takes no arguments, found now"),
    ],
)
def test_a_wrong_start_says_what_was_expected(
    python: Path, tmp_path: Path, files: dict[str, str], words: tuple[str, ...], says: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    done = run(python, tmp_path, "readiness", *words)

    assert done.returncode == 4, done.stdout
    assert says in done.stdout + done.stderr


def test_every_item_of_the_catalogue_is_listed_and_explained(python: Path, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: {}")
    (tmp_path / "samconfig.toml").write_text(
        "[local.deploy.parameters]\nstack_name = 'x'\nregion = 'us-east-1'\n"
    )

    listed = run(python, tmp_path, "readiness", "--list-items").stdout.splitlines()

    assert len(listed) > 0
    explained = run(python, tmp_path, "readiness", "--explain", listed[0].split()[0])
    assert "Remedy: " in explained.stdout


def test_the_starters_workflow_uses_the_actions_of_our_own() -> None:
    own = "".join(file.read_text(encoding="utf-8") for file in (ROOT / ".github" / "workflows").glob("*.yml"))
    used = re.findall(r"uses: (\S+)", starter._WORKFLOW)

    assert used
    assert [action for action in used if f"uses: {action}" not in own] == []


def test_init_writes_a_starter_that_passes_and_can_fail(python: Path, tmp_path: Path) -> None:
    app = trial.copy("guest book", tmp_path / "app")

    done = run(python, app, "readiness", "init")

    assert done.returncode == 0, done.stderr
    assert "next: verify-stack --static" in done.stdout
    assert run(python, app, "readiness", "--static", "-m", "CODE-01").returncode == 0
    seen_to_fail = run(python, app, "pytest", "tests/test_checks_can_fail.py", "-p", "no:cacheprovider")
    assert seen_to_fail.returncode == 0, seen_to_fail.stdout
    again = run(python, app, "readiness", "init")
    assert again.returncode == 4
    assert "exists already, so nothing was written" in again.stderr

"""scripts/setup.sh: what is there is left alone, what failed is not taken for done, and each message names the next step."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scripts.project import Ended, Project

ENVIRONMENTS = {".venv": "suite", ".tools/cloud": "cloud", ".tools/sam": "sam", ".tools/lambda": "lambda"}
VERSION = "Python 3.12.1"


@pytest.fixture
def fresh(project: Project) -> Project:
    """A checkout that is set up, by tools that are stubs."""
    root = project.root
    (root / ".venv").unlink()
    python = root / "python"
    python.write_text(
        f'#!/bin/sh\ncase "$1" in --version) echo {VERSION} ;; -m) exit "${{VENV_STATUS:-0}}" ;; esac\n'
    )
    python.chmod(0o755)
    for name in ("bootstrap", *ENVIRONMENTS.values()):
        lock(project, f"requirements/{name}.txt")
    for name in ("node", "browser"):
        lock(project, f"requirements/{name}/package-lock.json")
        lock(project, f"requirements/{name}/package.json")
    for name in ("package-lock.json", ".npmrc"):
        lock(project, f"frontend/{name}")
    made(project, ".tools/uv", "requirements/bootstrap.txt")
    project.stub("uv", root / ".tools/uv/bin")
    for folder, name in ENVIRONMENTS.items():
        made(project, folder, f"requirements/{name}.txt")
    made(project, ".tools/node/node_modules", "requirements/node/package-lock.json")
    made(project, "frontend/node_modules", "frontend/package-lock.json")
    project.stub("python", root / ".venv/bin")
    project.behave(root / ".venv/bin", {"python": {"print": str(root / "nodejs")}})
    (root / "nodejs/lib/node_modules/npm/bin").mkdir(parents=True)
    # What setup.sh links to as npm.
    project.stub("npm-cli.js", root / "nodejs/lib/node_modules/npm/bin")
    return project


def lock(project: Project, path: str) -> None:
    (project.root / path).parent.mkdir(parents=True, exist_ok=True)
    (project.root / path).write_text(f"{path}\n")


def made(project: Project, folder: str, of: str) -> None:
    (project.root / folder).mkdir(parents=True, exist_ok=True)
    blob = subprocess.run(
        ["git", "hash-object", str(project.root / of)], capture_output=True, text=True, check=True
    ).stdout.strip()
    (project.root / folder / ".made-from").write_text(f"{VERSION} {blob}")


def set_up(project: Project, **variables: str) -> Ended:
    return project.run(
        "setup.sh", PYTHON=str(project.root / "python"), CHROME_PATH="/usr/bin/true", **variables
    )


def installs(project: Project) -> list[str]:
    """The folders in which npm was run."""
    calls = project.calls(directory=project.root / "nodejs/lib/node_modules/npm/bin")
    return [str(Path(call["cwd"]).relative_to(project.root)) for call in calls]


def test_a_second_run_does_nothing(fresh: Project) -> None:
    ended = set_up(fresh)

    assert (ended.status, ended.out, ended.err) == (0, "", "")
    assert fresh.calls(directory=fresh.root / ".tools/uv/bin") == []
    assert installs(fresh) == []


def test_a_changed_lock_brings_its_packages_anew(fresh: Project) -> None:
    lock(fresh, "frontend/package-lock.json")
    (fresh.root / "frontend/package-lock.json").write_text("newer\n")

    first = set_up(fresh)
    second = set_up(fresh)

    assert (first.status, second.status, second.err) == (0, 0, "")
    assert "setup: npm -> frontend/node_modules" in first.err
    assert installs(fresh) == ["frontend"]


def test_commands_outlive_a_checkout_that_only_points_at_the_tools(fresh: Project, tmp_path: Path) -> None:
    """Its links to .venv and .tools go with it, and what it had linked in .tools would lead nowhere."""
    (fresh.root / "nodejs").rename(tmp_path / "nodejs")
    (fresh.root / "nodejs").symlink_to(tmp_path / "nodejs")

    assert set_up(fresh).status == 0
    (fresh.root / "nodejs").unlink()

    assert (fresh.root / ".tools/bin/npm").exists()


@pytest.mark.parametrize("folder", ["frontend", ".tools/node"])
def test_npm_that_fails_is_not_taken_for_done(fresh: Project, folder: str) -> None:
    (fresh.root / folder / "node_modules/.made-from").unlink()
    bin_ = fresh.root / "nodejs/lib/node_modules/npm/bin"
    fresh.behave(bin_, {"npm-cli.js": {"exit": 7}, "npm": {"exit": 7}})

    failed = set_up(fresh)
    left = (fresh.root / folder / "node_modules/.made-from").exists()
    fresh.behave(bin_, {})
    again = set_up(fresh)

    assert (failed.status, left, again.status) == (7, False, 0)
    assert installs(fresh) == [folder, folder]


def test_uv_that_fails_is_not_taken_for_done(fresh: Project) -> None:
    (fresh.root / "requirements/sam.txt").write_text("newer\n")
    fresh.behave(fresh.root / ".tools/uv/bin", {"uv": {"exit": 2}})

    failed = set_up(fresh)

    assert failed.status == 2
    assert "setup: sam -> .tools/sam" in failed.err
    assert not (fresh.root / ".tools/sam/.made-from").exists()


def test_python_without_venv_is_reported_with_the_remedy(fresh: Project) -> None:
    (fresh.root / ".tools/uv/.made-from").unlink()

    ended = set_up(fresh, VENV_STATUS="1")

    assert ended.status == 4
    assert "-m venv' failed; on Debian and Ubuntu: apt install python3-venv" in ended.err


def test_without_git_nothing_is_removed(fresh: Project, tmp_path: Path) -> None:
    """git says which lock an environment was made from."""
    for command in ("sh", "bash", "dirname", "mktemp", "mkfifo", "rm", "cat", "sleep"):
        found = shutil.which(command)
        assert found
        (tmp_path / command).symlink_to(found)

    ended = set_up(fresh, PATH=str(tmp_path))

    assert ended.status == 4
    assert (
        ended.err
        == "error: expected git, found none on PATH; install it, then run ./scripts/setup.sh again\n"
    )
    assert all((fresh.root / folder / ".made-from").is_file() for folder in ENVIRONMENTS)


@pytest.mark.parametrize(
    ("python", "message"),
    [
        (None, "expected Python >= 3.11, found no 'absent'; install it or set PYTHON"),
        ("#!/bin/sh\necho Python 3.9.1\nexit 1\n", "expected Python >= 3.11, found Python 3.9.1"),
    ],
)
def test_names_the_python_it_needs(
    project: Project, tmp_path: Path, python: str | None, message: str
) -> None:
    old = tmp_path / "old-python"
    if python:
        old.write_text(python)
        old.chmod(0o755)

    ended = project.run("setup.sh", PYTHON=str(old) if python else "absent")

    assert ended.status == 4
    assert message in ended.err

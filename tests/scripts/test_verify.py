"""scripts/verify.sh: the order of its steps, what it skips, and whose exit status it passes on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.scripts.project import Project


@pytest.fixture
def verify(project: Project) -> Project:
    """A checkout in which every command that verify.sh orchestrates is a stub that notes its call."""
    scripts = project.root / "scripts"
    for name in ("setup.sh", "cloud.sh", "deploy.sh"):
        project.stub(name, scripts)
    (project.root / ".venv").unlink()
    for name in ("python", "pytest"):
        project.stub(name, project.root / ".venv" / "bin")
    project.behave(scripts, {"cloud.sh": {"print": "export AWS_ENDPOINT_URL=https://127.0.0.1:1"}})
    return project


def steps(project: Project) -> list[str]:
    """What was called, in order: the scripts, then what the virtual environment ran."""
    return [" ".join([Path(call["argv"][0]).name, *call["argv"][1:]]) for call in _every_call(project)]


def _every_call(project: Project) -> list[dict[str, Any]]:
    calls = [
        *project.calls(directory=project.root / "scripts"),
        *project.calls(directory=project.root / ".venv" / "bin"),
    ]
    return sorted(calls, key=lambda call: float(call["time"]))


def test_first_run_does_everything_in_order(verify: Project) -> None:
    verify.behave(
        verify.root / ".venv" / "bin",
        {"python reuse": {"exit": 1}, "pytest": {"writes": "reports/local/verification.html"}},
    )

    ended = verify.run("verify.sh", "-m", "security")

    assert ended.status == 0, ended.err
    gate = verify.calls("python pixel-prompt-local", verify.root / ".venv" / "bin")
    assert gate[0]["env"]["AWS_ENDPOINT_URL"] == "https://127.0.0.1:1"
    assert steps(verify) == [
        "setup.sh",
        "cloud.sh up --name cloud",
        "python -m verification.deployment reuse local --frontend",
        "deploy.sh local --yes --frontend",
        "cloud.sh env --name cloud",
        "python -m verification.embedded.fidelity pixel-prompt-local",
        "pytest verification --env local -n 2 -m security",
    ]
    assert ended.out.splitlines()[-1] == "report: reports/local/verification.html"


def test_unchanged_deployment_is_reused(verify: Project) -> None:
    ended = verify.run("verify.sh", "--cloud", "mine")

    assert ended.status == 0, ended.err
    assert not [step for step in steps(verify) if step.startswith("deploy.sh")]
    assert "python -m verification.deployment reuse local --frontend --cloud mine" in steps(verify)
    assert steps(verify)[-1] == "pytest verification --env local -n 2 --cloud mine"


@pytest.mark.parametrize("arguments", [["--env", "staging"], ["--env=staging"]])
def test_other_environments_are_neither_started_nor_deployed(verify: Project, arguments: list[str]) -> None:
    """A verification that deploys would verify something else than what its users have."""
    ended = verify.run("verify.sh", *arguments, "--report-dir", "elsewhere")

    assert ended.status == 0, ended.err
    assert steps(verify) == [
        "setup.sh",
        f"pytest verification --env staging -n 2 --paid {' '.join(arguments)} --report-dir elsewhere",
    ]


def test_a_bare_environment_is_refused_before_anything_runs(verify: Project) -> None:
    """deploy.sh takes it so, and pytest would take it for a file."""
    ended = verify.run("verify.sh", "staging")

    assert ended.status == 4
    assert ended.err == (
        "error: expected an option or a check's file, found 'staging'; "
        "for an environment: ./scripts/verify.sh --env staging\n"
    )
    assert steps(verify) == []


def test_a_checks_file_is_passed_on(verify: Project) -> None:
    ended = verify.run("verify.sh", "verification/application.py::test")

    assert ended.status == 0, ended.err
    assert steps(verify)[-1] == "pytest verification --env local -n 2 verification/application.py::test"


def test_passes_the_checklist_status_on(verify: Project) -> None:
    verify.behave(verify.root / ".venv" / "bin", {"pytest": {"exit": 1}})

    assert verify.run("verify.sh").status == 1


@pytest.mark.parametrize(("script", "status"), [("setup.sh", 4), ("cloud.sh", 1), ("deploy.sh", 1)])
def test_a_failed_step_ends_the_run(verify: Project, script: str, status: int) -> None:
    """A checklist run on half a deployment would blame the application."""
    verify.behave(verify.root / ".venv" / "bin", {"python reuse": {"exit": 1}})
    verify.behave(verify.root / "scripts", {script: {"exit": status}})

    ended = verify.run("verify.sh")

    assert ended.status == status
    assert not [step for step in steps(verify) if step.startswith("pytest")]


def test_an_older_report_does_not_pass_for_this_runs(verify: Project) -> None:
    report = verify.root / "reports" / "local" / "verification.html"
    report.parent.mkdir(parents=True)
    report.write_text("of last week")
    os.utime(report, (0, 0))
    verify.behave(verify.root / ".venv" / "bin", {"pytest": {"exit": 3}})

    ended = verify.run("verify.sh")

    assert ended.status == 3
    assert "report:" not in ended.out

"""scripts/run-loadtest.sh: the plan, who is asked, what is refused, and what becomes the benchmark's command line."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from scripts.loadtest.__main__ import _consents as consents
from tests.scripts.cloudformation import FakeStack
from tests.scripts.project import REPOSITORY, Project

IGNORED = shutil.ignore_patterns("__pycache__", "checks", "embedded")
API = "https://abcdef1234.execute-api.us-east-1.amazonaws.com"


@pytest.fixture
def loaded(project: Project) -> Project:
    """A checkout whose staging is deployed with an allow-listed address; set-up and benchmark are stubs."""
    shutil.copytree(
        REPOSITORY / "verification", project.root / "verification", ignore=IGNORED, dirs_exist_ok=True
    )
    project.stub("setup.sh", project.root / "scripts")
    (project.root / ".venv").unlink()
    (project.root / ".venv" / "bin").mkdir(parents=True)
    # A link to it would be an interpreter without the packages that lie beside it.
    python = project.root / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{REPOSITORY / ".venv" / "bin" / "python"}" "$@"\n')
    python.chmod(0o755)
    project.stub("pytest", project.root / ".venv" / "bin")
    deploy(project, AllowedAddresses="203.0.113.7")
    return project


def deploy(project: Project, **parameters: str) -> None:
    for environment in ("staging", "prod"):
        project.aws.stacks[f"pixel-prompt-{environment}"] = FakeStack(
            "CREATE_COMPLETE", outputs={"ApiEndpoint": API}, parameters={"AllowedAddresses": "", **parameters}
        )


def benchmark(project: Project) -> list[str]:
    """The command line that the script became, '' for none."""
    calls = project.calls("pytest", project.root / ".venv" / "bin")
    return calls[0]["argv"][1:] if calls else []


def test_a_dry_run_shows_the_plan_and_sends_nothing(loaded: Project) -> None:
    ended = loaded.run("run-loadtest.sh", "staging", "--dry-run")

    assert ended.status == 0, ended.err
    assert [call["argv"][1:] for call in loaded.calls(directory=loaded.root / "scripts")] == [["--load"]]
    assert "warm-up 60 s, ramp 300 s, sustained 300 s, cool-down 120 s" in ended.out
    assert "100, a request each about every 20 s" in ended.out
    assert "203.0.113.7" in ended.out
    assert f"artillery run --target {API} --output" in ended.out
    assert benchmark(loaded) == []
    assert not (loaded.root / "reports").exists()


@pytest.mark.parametrize(("runner", "command"), [("fargate", "run-fargate"), ("lambda", "run-lambda")])
def test_a_dry_run_shows_artillerys_own_runners(loaded: Project, runner: str, command: str) -> None:
    ended = loaded.run("run-loadtest.sh", "staging", "--dry-run", "--on", runner, "--count", "3", "--light")

    assert ended.status == 0, ended.err
    assert f"artillery {command} --target {API} --output" in ended.out
    assert "--region us-east-1 --count 3 scripts/loadtest/artillery-config-light.yml" in ended.out
    assert "30, a request each" in ended.out


def test_with_consent_it_becomes_the_benchmark(loaded: Project) -> None:
    loaded.behave(loaded.root / ".venv" / "bin", {"pytest": {"exit": 1}})

    ended = loaded.run("run-loadtest.sh", "staging", "--yes", "--scale", "0.5")

    assert ended.status == 1, ended.err
    command = benchmark(loaded)
    assert command[:3] == ["benchmarks/test_load.py", "--env", "staging"]
    assert command[3:7] == ["--load-profile", "full", "--load-scale", "0.5"]
    where = Path(command[command.index("--load-dir") + 1])
    assert where.parent == loaded.root / "reports" / "staging"
    assert f"--benchmark-json={where}/benchmark.json" in command


def test_no_terminal_is_no_consent(loaded: Project) -> None:
    ended = loaded.run("run-loadtest.sh", "staging")

    assert ended.status == 4
    assert "use --yes" in ended.err
    assert benchmark(loaded) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere", "--yes"), "unknown environment 'nowhere'"),
        (("dev", "--yes"), "no stack 'pixel-prompt-dev'"),
        (("staging", "--yes", "--on", "lambda"), "cannot reach an API on this machine"),
        (("staging", "--dry-run", "--count", "3"), "--on fargate or --on lambda"),
        (("prod", "--yes"), "'prod' is read-only"),
    ],
)
def test_what_cannot_be_loaded_is_refused(loaded: Project, arguments: tuple[str, ...], said: str) -> None:
    ended = loaded.run("run-loadtest.sh", *arguments)

    assert ended.status == 4
    assert said in ended.err
    assert benchmark(loaded) == []


def test_help_brings_no_generator(loaded: Project) -> None:
    """It is half a gigabyte."""
    ended = loaded.run("run-loadtest.sh", "staging", "--help")

    assert ended.status == 0
    assert ended.out.startswith("usage: scripts/run-loadtest.sh dev|staging|local")
    assert loaded.calls(directory=loaded.root / "scripts") == []


@pytest.mark.parametrize("said", ["", "n", None])
def test_no_answer_is_no_consent(monkeypatch: pytest.MonkeyPatch, said: str | None) -> None:
    """Ctrl-D at the question is one."""

    def answer(_question: str) -> str:
        if said is None:
            raise EOFError
        return said

    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", answer)

    assert not consents()


def test_a_stack_that_limits_the_generator_is_refused(loaded: Project) -> None:
    deploy(loaded)

    ended = loaded.run("run-loadtest.sh", "staging", "--yes")

    assert ended.status == 4
    assert "--parameter AllowedAddresses=ADDRESS" in ended.err
    assert benchmark(loaded) == []


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            (),
            ("--light",),
            ("staging", "--scale", "0"),
            ("staging", "--scale", "inf"),
            ("staging", "--on", "mars"),
        ),
        ("staging", "--on", "fargate", "--count", "0"),
    ],
)
def test_a_command_line_that_says_nothing_is_refused(loaded: Project, arguments: tuple[str, ...]) -> None:
    ended = loaded.run("run-loadtest.sh", *arguments)

    assert ended.status == 4
    assert "usage" in ended.err
    assert benchmark(loaded) == []

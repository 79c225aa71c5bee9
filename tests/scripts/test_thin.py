"""The scripts that only orchestrate: what they call, in which order, and whose exit status they pass on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts.project import Project

LINT = ["ruff", "ruff", "mypy", "lint-imports", "shellcheck", "cfn-lint"]
MUTANTS = "python -m tests.mutants --application guest-book --sample 20 --limit 2 --against tests/mutants/first.jsonl"


@pytest.fixture
def thin(project: Project) -> Project:
    """A checkout in which every tool is a stub that notes its call."""
    (project.root / ".venv").unlink()
    tools = project.root / ".venv" / "bin"
    for name in (*LINT, "codespell", "pytest", "python", "npm", "node"):
        project.stub(name, tools)
    project.stub("setup.sh", project.root / "scripts")
    (project.root / ".ci").mkdir()
    project.stub("git", tools)
    return project


def called(project: Project) -> list[str]:
    calls = project.calls(directory=project.root / ".venv" / "bin")
    return [" ".join([Path(call["argv"][0]).name, *call["argv"][1:]]) for call in calls]


@pytest.mark.parametrize(
    ("arguments", "suite", "faults"),
    [
        (
            [],
            "pytest tests -n 2 --ignore tests/faults --quiet -m not further",
            "pytest tests/faults -n 3 --quiet -m not further --together 8",
        ),
        (["--quick"], "pytest tests -n 2 --ignore tests/faults --quiet -m not further", None),
        (
            ["--all"],
            "pytest tests -n 2 --ignore tests/faults --quiet",
            "pytest tests/faults -n 3 --quiet -m further or not further --thorough",
        ),
    ],
)
def test_the_projects_own_tests(thin: Project, arguments: list[str], suite: str, faults: str | None) -> None:
    ended = thin.run("test.sh", *arguments)

    assert ended.status == 0, ended.err
    assert len(thin.calls(directory=thin.root / "scripts")) == 1
    told = called(thin)
    assert [line.split()[0] for line in told[:6]] == LINT
    assert [line for line in told if line.startswith("npm")] == [
        f"npm run --silent {script}" for script in ("lint", "typecheck", "test", "build")
    ]
    assert [line for line in told if line.startswith("pytest")] == [
        *("pytest tests --quiet", suite, *([faults] if faults else []))
    ]
    assert [line for line in told if line.startswith("python -m tests.mutants")] == (
        [MUTANTS] if faults else []
    )


@pytest.mark.parametrize(
    ("tool", "status"),
    [("ruff check", 1), ("mypy", 2), ("shellcheck", 3), ("codespell", 65), ("npm run", 5), ("pytest", 1)],
)
def test_a_failed_step_ends_the_tests(thin: Project, tool: str, status: int) -> None:
    tools = thin.root / ".venv" / "bin"
    name = tool.split(maxsplit=1)[0]
    thin.behave(tools, {tool: {"exit": status}, name: {"exit": status}})
    if name == "codespell":
        thin.behave(tools, {"git": {"print": "README.md\0"}, name: {"exit": status}})

    ended = thin.run("test.sh")

    # xargs tells of a failed command in a way of its own.
    assert ended.status == (123 if name == "codespell" else status)
    assert called(thin)[-1].split()[0] == name


@pytest.mark.parametrize(
    ("script", "arguments", "line"),
    [
        (
            "test-cloudfront.sh",
            ["staging", "-k", "hit"],
            "pytest verification -m cloudfront --env staging --report-dir reports/staging/cloudfront -k hit",
        ),
        (
            "test-cloudfront.sh",
            [],
            "pytest verification -m cloudfront --env local --report-dir reports/local/cloudfront",
        ),
        (
            "lighthouse-audit.sh",
            [],
            "pytest benchmarks/test_bundle.py benchmarks/test_frontend.py -p no:cacheprovider --tb=short",
        ),
        (
            "benchmark-lambda.sh",
            ["staging"],
            "pytest benchmarks/test_lambda.py --env staging --tb=short",
        ),
    ],
)
def test_thin_over_the_suite(thin: Project, script: str, arguments: list[str], line: str) -> None:
    ended = thin.run(script, *arguments)
    assert ended.status == 0, ended.err
    thin.behave(
        thin.root / ".venv" / "bin", {"pytest": {"exit": 1}, f"pytest {line.split()[1]}": {"exit": 1}}
    )

    failed = thin.run(script, *arguments)

    assert called(thin)[0].startswith(line)
    assert failed.status == 1


def test_locks_every_group(thin: Project) -> None:
    thin.stub("uv", thin.root / ".tools" / "uv" / "bin")

    ended = thin.run("lock.sh", "--upgrade")

    calls = thin.calls(directory=thin.root / ".tools" / "uv" / "bin")
    assert ended.status == 0, ended.err
    assert all(
        {"--upgrade", "--generate-hashes", "--no-emit-index-url"} <= set(call["argv"]) for call in calls
    )
    assert [call["argv"][-1] for call in calls] == [
        f"requirements/{group}.txt" for group in ("suite", "cloud", "sam", "lambda")
    ]


@pytest.mark.parametrize("script", ["test.sh", "verify.sh", "cloud.sh", "lock.sh", "benchmark-lambda.sh"])
def test_help_changes_nothing(thin: Project, script: str) -> None:
    ended = thin.run(script, "--help")

    assert ended.status == 0
    assert ended.out.startswith(f"usage: scripts/{script}")
    assert called(thin) == []


@pytest.mark.parametrize("arguments", [[], ["sideways"]])
def test_cloud_wants_a_known_word(project: Project, arguments: list[str]) -> None:
    ended = project.run("cloud.sh", *arguments)

    assert ended.status == 4
    assert ended.err.startswith("usage: scripts/cloud.sh up|down|status|env|logs|reset")


def test_cloud_says_when_the_project_is_not_set_up(project: Project) -> None:
    (project.root / ".venv").unlink()

    ended = project.run("cloud.sh", "up")

    assert (ended.status, ended.err) == (4, "error: expected .venv, found nothing; run ./scripts/setup.sh\n")


@pytest.mark.parametrize("script", ["cloud.sh up", "deploy.sh dev", "extract-outputs.sh dev"])
def test_a_set_up_that_was_interrupted_is_named(project: Project, script: str) -> None:
    (project.root / ".venv").unlink()
    project.stub("python", project.root / ".venv" / "bin")

    ended = project.run(*script.split())

    assert ended.status == 4
    assert ended.err == "error: expected a complete .venv, found a part of it; run ./scripts/setup.sh\n"

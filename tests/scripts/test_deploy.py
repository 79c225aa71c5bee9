"""scripts/deploy.sh: each step's failure has its exit status and its message, and leaves nothing half-done."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.scripts.project import Project, alive, end

KEY = "sk-proj-" + "k" * 48


def test_deploys_and_writes_dotenv(project: Project) -> None:
    """The whole way: plan, build, deploy, frontend/.env, health, next steps."""
    ended = project.run("deploy.sh", "dev", "--yes")

    assert ended.status == 0, ended.err
    assert [call["name"] for call in project.calls()] == ["sam build", "sam deploy"]
    assert all(call["cwd"] == str(project.root / "backend") for call in project.calls())
    assert project.env_file.read_text() == (
        f"VITE_API_ENDPOINT={project.api.url}\n"
        "VITE_CLOUDFRONT_DOMAIN=d111111abcdef8.cloudfront.net\nVITE_ENVIRONMENT=dev\n"
    )
    for told in ("111122223333", "pixel-prompt-dev: create", "(emulated)", "Deployed 'dev' in", "Next:"):
        assert told in ended.out
    assert project.left_behind() == []


def test_keys_reach_sam_in_a_private_file_alone(project: Project) -> None:
    """A key on a command line, in a child's environment or in the output could be read by others."""
    ended = project.run("deploy.sh", "dev", "--yes", OPENAI_API_KEY=KEY, SAM_DEBUG="1")

    deploy = project.calls("sam deploy")[0]
    assert deploy["parameters"]["OpenAiApiKey"] == KEY
    assert deploy["parameters_mode"] == "0o600"
    assert "set (environment)" in ended.out
    for call in project.calls():
        assert KEY not in json.dumps(call["argv"])
        assert KEY not in json.dumps(call["env"])
        assert "SAM_DEBUG" not in call["env"]
    assert KEY not in ended.out + ended.err
    assert project.left_behind() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["qa", "--yes"],
            "unknown environment 'qa'; known from environments.toml and samconfig.toml: local, dev, staging, prod",
        ),
        (["qa"], "unknown environment 'qa'"),
        (["dev", "--fast"], "unrecognized arguments: --fast; see --help"),
        (["dev"], "cannot ask for consent (no terminal)"),
    ],
)
def test_refuses_wrong_use(project: Project, arguments: list[str], message: str) -> None:
    ended = project.run("deploy.sh", *arguments)

    assert ended.status == 4
    assert ended.err.startswith("error: ")
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert project.calls() == []


@pytest.mark.parametrize(
    ("step", "signum", "status"),
    [
        ("sam build", signal.SIGTERM, 143),
        ("sam deploy", signal.SIGINT, 130),
        ("sam deploy", signal.SIGTERM, 143),
    ],
)
def test_interrupt_leaves_nothing(project: Project, step: str, signum: signal.Signals, status: int) -> None:
    """Ctrl-C in the middle: no child goes on, no key file stays, and the message says how to continue."""
    project.behave(project.stubs, {step: {"sleep": 60, "grandchild": True}})
    running = project.start("deploy.sh", "dev", "--yes")
    call = project.wait_for_call(step)

    ended = end(running, signum)

    assert ended.status == status
    assert not alive(call["pid"])
    assert not alive(call["grandchild"])
    assert f"interrupted ({signum.name}) during '{step}'" in ended.err
    assert "To continue, run again: ./scripts/deploy.sh dev" in ended.err
    assert ("wait until the stack is no longer in progress" in ended.err) == (step == "sam deploy")
    assert "Traceback" not in ended.err
    assert project.left_behind() == []
    assert not project.env_file.exists()


def test_second_deployment_is_refused_and_a_killed_one_blocks_none(project: Project) -> None:
    project.behave(project.stubs, {"sam deploy": {"sleep": 60}})
    running = project.start("deploy.sh", "dev", "--yes")
    call = project.wait_for_call("sam deploy")
    try:
        second = project.run("deploy.sh", "prod", "--yes")
        running.kill()
        running.wait(timeout=10)
        left = project.left_behind()
    finally:
        os.kill(call["pid"], signal.SIGKILL)
        running.communicate(timeout=10)
    project.behave(project.stubs, {})
    third = project.run("deploy.sh", "dev", "--yes")

    assert second.status == 4
    assert f"(deploy dev, process {running.pid}, since " in second.err
    assert left
    assert third.status == 0, third.err
    assert project.left_behind() == []


def test_says_when_the_project_is_not_set_up(project: Project) -> None:
    (project.root / ".tools" / "bin" / "sam").unlink()
    no_sam = project.run("deploy.sh", "dev", "--yes", PATH="/usr/bin:/bin")
    (project.root / ".venv").unlink()
    no_python = project.run("deploy.sh", "dev", "--yes")

    assert (no_sam.status, no_python.status) == (4, 4)
    assert "'sam' is not installed; run ./scripts/setup.sh" in no_sam.err
    assert "run ./scripts/setup.sh" in no_python.err

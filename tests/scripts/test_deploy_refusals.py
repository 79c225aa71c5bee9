"""What a deployment refuses before it begins: one message with the next step, nothing called, nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from readiness.errors import UsageProblem
from tests.scripts.cloudformation import FakeStack
from tests.scripts.project import Here, Project
from verification.deployment import deploy, process
from verification.deployment.options import Options
from verification.deployment.steps import StepFailed

Refusal = Callable[..., str]


@pytest.fixture
def options(project: Project, here: Here) -> Options:
    """What `deploy dev --yes` means in the test's checkout; `here` has set the environment up."""
    del here
    return Options("dev", yes=True, app=project.root, root=project.root, health_deadline_s=1, patience_s=0)


@pytest.fixture
def refusal(project: Project, options: Options) -> Refusal:
    def run(**changes: object) -> str:
        with pytest.raises(UsageProblem) as refused:
            deploy.run(replace(options, **changes))  # type: ignore[arg-type]
        assert project.calls() == []
        assert project.left_behind() == []
        return str(refused.value)

    return run


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cloud": "x"}, "'dev' does not live on an embedded AWS"),
        ({"app": Path("/nowhere")}, "/nowhere/backend/template.yaml is not there"),
        ({"parameters": {"OpenAiApiKey": "x"}}, "'OpenAiApiKey' is a secret"),
        ({"parameters": {"Nope": "x"}}, "parameter 'Nope' is not in the template (has: Environment"),
        ({"environment": "staging"}, "has no [staging.deploy.parameters]; has sections for dev, prod, local"),
        (
            {"environment": "local", "dry_run": True},
            "'local' lives on the embedded AWS, which is not running",
        ),
    ],
)
def test_wrong_use(refusal: Refusal, changes: dict[str, object], message: str) -> None:
    assert message in refusal(**changes)


def test_a_folder_that_cannot_be_made_is_one_message(project: Project, here: Here) -> None:
    (project.root / ".local").touch()

    ended = here("dev", "--rollback", "v1.0.0", "--dry-run")

    assert (ended.status, ended.err.count("\n")) == (4, 1)
    assert "Not a directory: " in ended.err
    assert "nothing was started" in ended.err


def test_another_account(project: Project, refusal: Refusal) -> None:
    """The right stack name in the wrong account would become a second application that nobody watches."""
    environments = project.root / "environments.toml"
    environments.write_text(environments.read_text().replace("[dev]", '[dev]\naccount = "999999999999"'))

    assert "'dev' belongs to account 999999999999, these credentials are for 111122223333" in refusal()


@pytest.mark.parametrize(
    ("status", "next_step"),
    [
        ("UPDATE_IN_PROGRESS", "an operation is under way, and has not ended in 0 s"),
        ("DELETE_IN_PROGRESS", "an operation is under way, and has not ended in 0 s"),
        (
            "ROLLBACK_FAILED",
            "Fix the cause, delete the stack, then deploy again: ./scripts/deploy.sh dev --delete",
        ),
        ("DELETE_FAILED", "empty that bucket"),
        ("UPDATE_ROLLBACK_FAILED", "Continue update rollback"),
    ],
)
def test_stack_that_cannot_be_updated(
    project: Project, refusal: Refusal, status: str, next_step: str
) -> None:
    events = [
        ("ImagesBucket", "CREATE_FAILED", "name is taken"),
        ("pixel-prompt-dev", "CREATE_IN_PROGRESS", ""),
    ]
    project.aws.stacks["pixel-prompt-dev"] = FakeStack(status, events=events)

    message = refusal()

    assert f"stack 'pixel-prompt-dev' is {status}" in message
    assert next_step in message
    assert ("ImagesBucket: name is taken" in message) == (not status.endswith("IN_PROGRESS"))


def test_two_files_that_name_different_stacks(project: Project, refusal: Refusal) -> None:
    samconfig = project.root / "backend" / "samconfig.toml"
    samconfig.write_text(samconfig.read_text().replace('"pixel-prompt-dev"', '"pixel-prompt-other"'))

    assert (
        "deploys 'dev' to stack 'pixel-prompt-other', environments.toml says 'pixel-prompt-dev'" in refusal()
    )


def test_template_that_would_show_a_key(project: Project, refusal: Refusal) -> None:
    template = project.root / "backend" / "template.yaml"
    template.write_text(
        template.read_text().replace("BflApiKey: { Type: String, NoEcho: true,", "BflApiKey: { Type: String,")
    )

    assert "parameter 'BflApiKey' is not NoEcho" in refusal()


def test_an_account_without_room_for_the_reservations(project: Project, refusal: Refusal) -> None:
    """The quota of a fresh account: the creation would fail half-way."""
    template = project.root / "backend" / "template.yaml"
    reserving = template.read_text().replace(
        "Properties: { Role", "Properties: { ReservedConcurrentExecutions: 100, Role"
    )
    template.write_text(reserving)
    project.aws.concurrency = 10

    assert "reserves 100 executions of Lambda (ApiFunction=100), and this account has room for 0" in refusal()


@pytest.mark.parametrize("app_part", ["frontend", "backend"])
def test_incomplete_checkout(project: Project, refusal: Refusal, app_part: str) -> None:
    (project.root / app_part).rename(project.root / "elsewhere")

    assert f"{app_part}" in refusal()


def test_an_input_that_is_closed_is_no_terminal(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a shell closed it (`<&-`), Python has none at all."""
    monkeypatch.setattr("sys.stdin", None)

    assert "cannot ask for consent" in refusal(yes=False)


@pytest.mark.parametrize(("answer", "status"), [("yes", 0), ("y", 0), ("", 1), ("no", 1), ("prod", 1)])
def test_consent(
    project: Project, options: Options, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _prompt: answer)

    assert deploy.run(replace(options, yes=False)) == status
    assert bool(project.calls()) == (status == 0)


def test_production_wants_its_name(
    project: Project, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _prompt: "yes")

    assert deploy.run(replace(options, environment="prod", yes=False)) == 1
    assert project.calls() == []


def test_full_disk_names_the_step(
    project: Project, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_command: object, **_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(process, "run", full)

    with pytest.raises(StepFailed, match=r"step 'sam build' failed: .*No space left on device"):
        deploy.run(options)
    assert project.left_behind() == []

"""Rolling back, tagging and deleting; and what a killed deployment leaves to the next."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from readiness.environment import Environment
from tests.scripts.cloudformation import FakeStack
from tests.scripts.project import Here, Project, alive, end
from verification.deployment.deploy import Options
from verification.deployment.release import Tag

Git = Callable[..., str]


@pytest.fixture
def git(project: Project) -> Git:
    """The checkout as a git repository with one commit, tagged v1.0.0."""

    def run(*arguments: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", "-C", str(project.root), *identity, *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    (project.root / ".gitignore").write_text(
        "/.local/\n/.tools/\n/.venv\n/reports/\n.aws-sam/\n__pycache__/\n/frontend/.env\n"
    )
    (project.root / "frontend" / "package.json").write_text("{}")
    run("init", "--quiet", "--initial-branch=main")
    for name, value in (("user.name", "A"), ("user.email", "a@example.org"), ("tag.gpgsign", "false")):
        run("config", name, value)
    run("add", "--all")
    run("commit", "--quiet", "--message", "One")
    run("tag", "--annotate", "--message", "one", "v1.0.0")
    return run


def test_rolls_back_to_a_tag_and_leaves_the_checkout_alone(project: Project, here: Here, git: Git) -> None:
    source = project.root / "backend" / "src" / "pixel_prompt" / "api.py"
    source.write_text("answer = 43  # broken, and not even committed\n")
    project.env_file.write_text("MINE=1\n")
    project.aws.stacks["pixel-prompt-dev"] = project.deployed

    ended = here("dev", "--yes", "--rollback", "v1.0.0")

    assert ended.status == 0, ended.err
    (built,) = project.calls("sam build")
    release = Path(built["cwd"]).parent
    assert git("rev-parse", "v1.0.0^{commit}").startswith(release.name)
    assert (release / "backend" / "src" / "pixel_prompt" / "api.py").read_text() == "answer = 42\n"
    assert source.read_text().startswith("answer = 43")
    assert "v1.0.0 (rollback to v1.0.0)" in ended.out
    assert f"./scripts/verify.sh --env dev --app {release}" in ended.out
    assert project.env_file.read_text().startswith(f"MINE=1\nVITE_API_ENDPOINT={project.api.url}\n")


def test_an_incomplete_checkout_of_a_release_is_repaired(project: Project, here: Here, git: Git) -> None:
    project.aws.stacks["pixel-prompt-dev"] = project.deployed
    assert here("dev", "--yes", "--rollback", "v1.0.0").status == 0
    template = Path(project.calls("sam build")[0]["cwd"]) / "template.yaml"
    template.unlink()

    ended = here("dev", "--yes", "--rollback", "v1.0.0")

    assert ended.status == 0, ended.err
    assert template.exists()


def test_a_release_is_built_with_its_own_packages(project: Project, here: Here, git: Git) -> None:
    project.stub("npm", project.stubs)
    project.aws.after_deploy.outputs.update(
        SiteUrl=project.api.url, SiteBucketName="the-page", SiteDistributionId="E123"
    )
    project.aws.stacks["pixel-prompt-dev"] = project.deployed
    project.behave(project.stubs, {"npm": {"exit": 5}})

    refused = here("dev", "--yes", "--rollback", "v1.0.0", "--frontend")
    project.behave(project.stubs, {})
    here("dev", "--yes", "--rollback", "v1.0.0", "--frontend")

    assert refused.status == 1
    assert (
        "step 'page build' failed: npm ci --no-audit --no-fund --loglevel=error ended with 5" in refused.err
    )
    assert [call["argv"][1] for call in project.calls("npm")] == ["ci", "ci", "run"]
    assert {Path(call["cwd"]).name for call in project.calls("npm")} == {"frontend"}
    assert all(".local/.deployment/releases" in call["cwd"] for call in project.calls("npm"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rollback", "v9.9.9"], "there is no tag 'v9.9.9' here (newest: v1.0.0)"),
        (["--rollback=--force"], "there is no tag '--force' here"),
        (["--rollback", "v1.0.0", "--app", "."], "--rollback and --app do not go together"),
        (["--rollback", "v1.0.0", "--tag", "1.0.1"], "--rollback and --tag do not go together"),
        (["--delete", "--frontend"], "--delete and --frontend do not go together"),
        (["--rollback", "v1.0.0"], "there is no stack 'pixel-prompt-dev' that could be rolled back"),
        (["--tag", ""], "--tag needs a version such as 1.4.0, found ''"),
        (["--patience", "0"], "expected seconds above 0 and up to 3600, found '0'"),
        (["--health-deadline", "soon"], "expected seconds above 0 and up to 3600, found 'soon'"),
        (
            ["--parameter", "Nope=1"],
            "take it out of samconfig.toml, $PARAMETERS_<ENVIRONMENT> or the command line, or declare it",
        ),
        (["--tag", "1.0"], "--tag needs a version such as 1.4.0, found '1.0'"),
        (["--tag", "1.0.1"], "'dev-v1.0.1' would say that dev runs this commit, and this is a rehearsal"),
    ],
)
def test_refusals(project: Project, here: Here, git: Git, arguments: list[str], message: str) -> None:
    ended = here("dev", "--yes", *arguments)

    assert (ended.status, ended.err.count("\n")) == (4, 1)
    assert message in ended.err
    assert project.calls() == []
    assert git("tag") == "v1.0.0"


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake AWS taken for AWS: a rehearsal may not be tagged."""
    monkeypatch.setattr(Environment, "emulated", False)


@pytest.mark.usefixtures("real")
def test_tags_what_it_deployed(project: Project, here: Here, git: Git) -> None:
    project.api.environment = "prod"
    first = here("prod", "--yes", "--tag", "1.2.0")
    again = here("prod", "--yes", "--tag", "v1.2.0")

    assert (first.status, again.status) == (0, 0), first.err + again.err
    assert git("rev-parse", "v1.2.0^{commit}") == git("rev-parse", "HEAD")
    assert "Deployed to 'pixel-prompt-prod' in us-east-1" in git("tag", "--list", "-n", "v1.2.0")
    assert "git push origin v1.2.0" in first.out


def test_tags_what_it_looked_at_and_not_what_was_committed_meanwhile(project: Project, git: Git) -> None:
    """A deployment takes a quarter of an hour, and people go on working."""
    deployed, tag = git("rev-parse", "HEAD"), Tag.wanted("dev", "1.2.0", project.root)
    git("commit", "--quiet", "--allow-empty", "--message", "Meanwhile")

    tag.make("Deployed")

    assert git("rev-parse", "dev-v1.2.0^{commit}") == deployed


@pytest.mark.usefixtures("real")
def test_tags_nothing_but_a_commit(project: Project, here: Here, git: Git) -> None:
    template = project.root / "backend" / "template.yaml"
    template.write_text(f"{template.read_text()}# mine\n")
    dirty = here("dev", "--yes", "--tag", "1.2.0")
    git("commit", "--quiet", "--all", "--message", "Two")
    git("tag", "--annotate", "--message", "two", "dev-v1.0.0", "v1.0.0")
    taken = here("dev", "--yes", "--tag", "1.0.0")

    assert (dirty.status, taken.status) == (4, 4)
    assert "holds what is in no commit (backend/template.yaml)" in dirty.err
    assert "the tag 'dev-v1.0.0' names another commit already" in taken.err
    assert project.calls() == []


@pytest.mark.usefixtures("real")
def test_a_tag_that_git_refuses_is_reported_after_the_deployment(
    project: Project, here: Here, git: Git
) -> None:
    hook = project.root / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)

    ended = here("dev", "--yes", "--tag", "1.2.0")

    assert ended.status == 1
    assert "error: step 'tag' failed: git tag ended with" in ended.err
    assert "dev runs the commit all the same" in ended.err


def test_tags_nothing_outside_git(project: Project, here: Here) -> None:
    ended = here("dev", "--yes", "--tag", "1.2.0")

    assert ended.status == 4
    assert "is no git checkout with a commit" in ended.err


def test_deletes_the_stack_and_names_what_stays(project: Project, here: Here) -> None:
    project.aws.stacks["pixel-prompt-dev"] = project.deployed
    project.aws.stacks["pixel-prompt-dev"].retained = ("ImagesBucket",)

    planned = here("dev", "--delete", "--dry-run")
    untouched = project.calls()
    deleted = here("dev", "--delete", "--yes")
    again = here("dev", "--delete", "--yes")

    assert [each.status for each in (planned, deleted, again)] == [0, 0, 0], deleted.err
    assert untouched == []
    assert "pixel-prompt-dev: delete (now CREATE_COMPLETE)" in planned.out
    assert "  ImagesBucket: name-of-ImagesBucket" in planned.out
    assert "Queue" not in planned.out
    assert project.calls()[0]["argv"][1:] == [
        *("delete", "--stack-name", "pixel-prompt-dev", "--region", "us-east-1", "--no-prompts")
    ]
    assert "There is no stack 'pixel-prompt-dev' in us-east-1." in again.out
    assert here("dev", "--yes").status == 0


@pytest.mark.parametrize(("answer", "status"), [("delete prod", 0), ("prod", 1), ("yes", 1), ("", 1)])
def test_deleting_wants_to_be_meant(
    project: Project, here: Here, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    project.aws.stacks["pixel-prompt-prod"] = project.deployed
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _prompt: answer)

    assert here("prod", "--delete").status == status
    assert bool(project.calls()) == (status == 0)


def test_a_deletion_that_fails_says_why(project: Project, here: Here) -> None:
    events = [
        ("CdnLogs", "DELETE_FAILED", "the bucket is not empty"),
        ("pixel-prompt-dev", "DELETE_IN_PROGRESS", ""),
    ]
    project.aws.stacks["pixel-prompt-dev"] = FakeStack(
        "CREATE_COMPLETE", events=events, ahead=["CREATE_COMPLETE", "CREATE_COMPLETE", "DELETE_FAILED"]
    )
    project.behave(project.stubs, {"sam delete": {"exit": 1}})

    ended = here("dev", "--delete", "--yes")

    assert ended.status == 1
    assert "error: step 'sam delete' failed: exit status 1; the stack is now DELETE_FAILED" not in ended.err
    assert "the stack is DELETE_FAILED, first failure CdnLogs: the bucket is not empty" in ended.err


def test_an_empty_stack_is_deleted_first_and_its_keys_are_not_taken_for_kept(
    project: Project, here: Here
) -> None:
    """AWS allows nothing but deleting it, and with it go the keys that it was given."""
    project.aws.stacks["pixel-prompt-dev"] = FakeStack(
        "ROLLBACK_COMPLETE", parameters={"Environment": "dev", "OpenAiApiKey": "****"}
    )

    ended = here("dev", "--yes")

    assert ended.status == 0, ended.err
    assert [call["name"] for call in project.calls()] == ["sam build", "sam delete", "sam deploy"]
    assert "delete, then create (now ROLLBACK_COMPLETE" in ended.out
    assert "kept" not in ended.out
    assert "OpenAiApiKey" in project.calls("sam deploy")[0]["parameters"]


def test_an_empty_stack_that_cannot_be_deleted_ends_it(project: Project, here: Here) -> None:
    project.aws.stacks["pixel-prompt-dev"] = FakeStack("ROLLBACK_COMPLETE")
    project.behave(project.stubs, {"sam delete": {"exit": 2}})

    ended = here("dev", "--yes")

    assert ended.status == 1
    assert "step 'sam delete' failed: exit status 2; the stack is ROLLBACK_COMPLETE" in ended.err
    assert project.calls("sam deploy") == []


def test_waits_for_an_operation_under_way(project: Project, here: Here) -> None:
    """A killed deployment's update goes on without it."""
    project.aws.stacks["pixel-prompt-dev"] = project.deployed
    project.aws.stacks["pixel-prompt-dev"].ahead = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    project.aws.stacks["pixel-prompt-dev"].events = [("Distribution", "UPDATE_IN_PROGRESS", "")]

    ended = here("dev", "--yes")

    assert ended.status == 0, ended.err
    assert (
        "note: stack 'pixel-prompt-dev' is UPDATE_IN_PROGRESS; waiting until the operation ends "
        "(0 s, last: Distribution UPDATE_IN_PROGRESS)" in ended.err
    )
    assert "update (now UPDATE_COMPLETE)" in ended.out


def test_a_plan_does_not_wait(project: Project, here: Here) -> None:
    project.aws.stacks["pixel-prompt-dev"] = FakeStack("UPDATE_IN_PROGRESS")

    ended = here("dev", "--dry-run")

    assert ended.status == 4
    assert "an operation is under way; wait until it has ended, then run again" in ended.err


def test_the_plan_of_a_deletion_neither_waits_nor_starts_anything(project: Project, here: Here) -> None:
    project.aws.stacks["pixel-prompt-dev"] = FakeStack("UPDATE_IN_PROGRESS")
    project.stub("cloud.sh", project.root / "scripts")

    moving = here("dev", "--delete", "--dry-run", "--patience", "1")
    local = here("local", "--delete", "--dry-run")

    assert (moving.status, local.status) == (4, 4)
    assert "an operation is under way; wait until it has ended, then run again" in moving.err
    assert "waiting until the operation ends" not in moving.err
    assert "'local' lives on the embedded AWS, which is not running" in local.err
    assert project.calls(directory=project.root / "scripts") == []


def test_a_killed_build_is_waited_for_then_done_anew(project: Project) -> None:
    """Its SAM lives on, and leaves a cache which may be half copied."""
    key = "sk-proj-" + "k" * 48
    project.behave(project.stubs, {"sam build": {"sleep": 3}})
    running = project.start("deploy.sh", "dev", "--yes")
    call = project.wait_for_call("sam build")
    half = project.root / "backend" / ".aws-sam" / "cache" / "half"
    half.parent.mkdir(parents=True)
    half.touch()
    left = project.root / ".local" / ".deployment"
    (private,) = [path for path in left.iterdir() if path.name != "releases"]
    (private / "parameters.yaml").write_text(json.dumps({"OpenAiApiKey": key}))
    os.kill(running.pid, signal.SIGKILL)
    running.wait(timeout=10)
    survived = alive(call["pid"])
    project.behave(project.stubs, {})

    ended = project.run("deploy.sh", "dev", "--yes")
    running.communicate(timeout=10)

    assert survived
    assert ended.status == 0, ended.err
    assert "what it had started still runs; waiting until that has ended" in ended.err
    assert not alive(call["pid"])
    assert not half.exists()
    assert project.left_behind() == []


def test_an_interrupted_deletion_says_how_to_go_on(project: Project) -> None:
    project.aws.stacks["pixel-prompt-dev"] = project.deployed
    project.behave(project.stubs, {"sam delete": {"sleep": 60}})
    running = project.start("deploy.sh", "dev", "--delete", "--yes")
    project.wait_for_call("sam delete")

    ended = end(running, signal.SIGTERM)

    assert ended.status == 143
    assert "To continue, run again: ./scripts/deploy.sh dev --delete" in ended.err


def test_what_is_to_be_typed_next_keeps_what_was_asked_for(project: Project, here: Here) -> None:
    """Without the parameter the same command would deploy the default again."""
    asked = ["--parameter", "AlarmEmail=a person@example.org"]

    ended = here("dev", "--yes", *asked)

    assert "  ./scripts/deploy.sh dev --parameter 'AlarmEmail=a person@example.org' --frontend\n" in ended.out


def test_what_is_to_be_typed_again_keeps_the_tag(project: Project) -> None:
    options = Options("dev", tag="1.0.0", app=project.root, root=project.root)

    assert options.command == "./scripts/deploy.sh dev --tag 1.0.0"


def test_keeps_what_each_deployment_took(project: Project, here: Here) -> None:
    for _ in range(2):
        assert here("dev", "--yes").status == 0

    kept = (project.root / "reports" / "dev" / "deployments.jsonl").read_text().splitlines()
    first, second = (json.loads(line) for line in kept)
    assert first["stack_was"] == "created"
    assert first["emulated"] is True
    assert set(first["steps"]) == {"sam build", "sam deploy", "outputs", "frontend/.env", "health check"}
    assert second["stack_was"] == "unchanged"


def test_prod_is_protected_from_deletion_once_and_only_prod(project: Project, here: Here) -> None:
    project.api.environment = "prod"

    first, second = here("prod", "--yes"), here("prod", "--yes")
    project.api.environment = "dev"
    elsewhere = here("dev", "--yes")

    assert [each.status for each in (first, second, elsewhere)] == [0, 0, 0], first.err + elsewhere.err
    assert ["termination protection: on" in each.out for each in (first, second, elsewhere)] == [
        *(True, False, False)
    ]


def test_a_prod_that_may_not_be_protected_is_reported_before_anything_relies_on_it(
    project: Project, here: Here
) -> None:
    project.aws.refusing = "cloudformation"

    ended = here("prod", "--yes")

    assert ended.status == 1
    assert "step 'termination protection' failed: An error occurred (AccessDenied)" in ended.err
    assert "The stack is deployed and can be deleted by mistake" in ended.err


def test_a_protected_stack_is_not_deleted_and_the_way_is_named(project: Project, here: Here) -> None:
    project.aws.stacks["pixel-prompt-prod"] = project.deployed
    project.aws.stacks["pixel-prompt-prod"].protected = True

    ended = here("prod", "--delete", "--yes")

    assert ended.status == 4
    assert "stack 'pixel-prompt-prod' has termination protection, and nothing was deleted" in ended.err
    assert "--no-enable-termination-protection --region us-east-1 --stack-name pixel-prompt-prod" in ended.err
    assert project.calls() == []

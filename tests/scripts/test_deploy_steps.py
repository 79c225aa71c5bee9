"""The steps of a deployment, run in this process against stub commands and a fake AWS."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from tests.scripts.cloudformation import FakeStack
from tests.scripts.project import REPOSITORY, Here, Project
from verification.deployment.__main__ import main

KEY = "sk-proj-" + "k" * 48


def test_deploys_dev_by_default(project: Project, here: Here) -> None:
    ended = here("--yes")

    assert ended.status == 0, ended.err
    assert "pixel-prompt-dev" in project.calls("sam deploy")[0]["argv"]


def test_key_file_must_be_private(project: Project, here: Here) -> None:
    file = project.root / "backend" / ".env.dev"
    file.write_text(f"OPENAI_API_KEY={KEY}\n")
    file.chmod(0o644)

    refused = here("dev", "--yes")
    file.chmod(0o600)
    taken = here("dev", "--yes")

    assert refused.status == 4
    assert "chmod 600 backend/.env.dev" in refused.err
    assert taken.status == 0, taken.err
    assert project.calls("sam deploy")[0]["parameters"]["OpenAiApiKey"] == KEY


def test_a_secret_that_only_the_template_knows_is_given_like_the_others(project: Project, here: Here) -> None:
    """It was refused as a secret, with no way to give it."""
    template = project.root / "backend" / "template.yaml"
    sixth = '  IdeogramApiKey: { Type: String, NoEcho: true, Default: "" }\nResources:'
    template.write_text(template.read_text().replace("Resources:", sixth))

    refused = here("dev", "--yes", "--parameter", f"IdeogramApiKey={KEY}")
    taken = here("dev", "--yes", IDEOGRAM_API_KEY=KEY)

    assert refused.status == 4
    assert "give it in the variable IDEOGRAM_API_KEY, or in backend/.env.dev" in refused.err
    assert taken.status == 0, taken.err
    assert project.calls("sam deploy")[0]["parameters"]["IdeogramApiKey"] == KEY
    assert KEY not in json.dumps([call["env"] for call in project.calls()])


def test_rehearsal_is_created_with_simulated_keys_and_keeps_them(project: Project, here: Here) -> None:
    """New keys at every deployment would make a redeployment of the same commit a change."""
    for _ in range(2):
        assert here("dev", "--yes").status == 0

    first, second = (call["parameters"] for call in project.calls("sam deploy"))
    assert len({first[name] for name in first if name.endswith("ApiKey")}) == 5
    assert second == {"Environment": "dev", "AlarmEmail": ""}
    (kept,) = (project.root / ".local" / ".deployment").glob("*/provider-keys.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_says_which_credentials_are_wrong_quickly(project: Project, here: Here) -> None:
    project.aws.identity_status = 403
    expired = here("dev", "--yes")
    none = project.run(
        "deploy.sh", "dev", "--yes", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", HOME="/nowhere"
    )
    dead = here("dev", "--yes", AWS_ENDPOINT_URL="http://127.0.0.1:9")

    assert [ended.status for ended in (expired, none, dead)] == [4, 4, 4]
    assert "the credentials for 'dev' were refused (ExpiredToken)" in expired.err
    assert "no AWS credentials for 'dev'" in none.err
    assert "http://127.0.0.1:9 does not answer" in dead.err
    # The preflight's three seconds, twice: a busy machine must not fail this, one retry too many must.
    assert all(ended.err.count("\n") == 1 for ended in (expired, none, dead))
    assert project.calls() == []


def test_replaces_a_creation_that_never_began(project: Project, here: Here) -> None:
    """An interrupt between change set and execution leaves REVIEW_IN_PROGRESS, which only looks busy."""
    project.aws.stacks["pixel-prompt-dev"] = FakeStack("REVIEW_IN_PROGRESS")

    ended = here("dev", "--yes")

    assert ended.status == 0, ended.err
    assert "an earlier creation never began" in ended.out


def test_dry_run_changes_nothing(project: Project, here: Here) -> None:
    project.aws.stacks["pixel-prompt-dev"] = project.deployed
    ended = here("dev", "--dry-run")

    assert ended.status == 0, ended.err
    assert "update (now CREATE_COMPLETE)" in ended.out
    assert project.calls() == []
    assert not project.env_file.exists()
    assert project.left_behind() == []


@pytest.mark.parametrize("step", ["sam build", "sam deploy"])
def test_names_the_sam_step_that_failed(project: Project, here: Here, step: str) -> None:
    project.env_file.write_text("VITE_ENVIRONMENT=before\n")
    project.behave(project.stubs, {step: {"exit": 3}})

    ended = here("dev", "--yes")

    assert ended.status == 1
    assert f"error: step '{step}' failed: exit status 3" in ended.err
    assert project.calls()[-1]["name"] == step
    assert project.env_file.read_text() == "VITE_ENVIRONMENT=before\n"
    assert project.left_behind() == []


def test_failed_deployment_says_what_aws_says(project: Project, here: Here) -> None:
    project.aws.after_deploy = FakeStack(
        "ROLLBACK_COMPLETE",
        events=[
            ("JobsTable", "CREATE_FAILED", "Resource creation cancelled"),
            ("Distribution", "CREATE_FAILED", "the limit of distributions is reached"),
            ("pixel-prompt-dev", "CREATE_IN_PROGRESS", "User Initiated"),
        ],
    )
    project.behave(project.stubs, {"sam deploy": {"exit": 1, "does": True}})

    ended = here("dev", "--yes")

    assert ended.status == 1
    assert "the stack is now ROLLBACK_COMPLETE" in ended.err
    assert "first failure Distribution: the limit of distributions is reached" in ended.err


def test_missing_output_is_named(project: Project, here: Here) -> None:
    project.aws.after_deploy = project.deployed
    del project.aws.after_deploy.outputs["ApiEndpoint"]

    ended = here("dev", "--yes")

    assert ended.status == 1
    assert (
        "stack 'pixel-prompt-dev' has no output 'ApiEndpoint' (has: S3BucketName, CloudFrontDomain)"
        in ended.err
    )
    assert not project.env_file.exists()


def test_dotenv_that_cannot_be_written_is_named(project: Project, here: Here) -> None:
    project.env_file.mkdir()

    ended = here("dev", "--yes")

    assert ended.status == 1
    assert "error: step 'frontend/.env' failed" in ended.err
    assert project.left_behind() == []


def test_unhealthy_api_fails_the_deployment(project: Project, here: Here) -> None:
    project.api.status = 503
    sick = here("dev", "--yes", "--health-deadline", "1")
    project.api.status, project.api.environment = 200, "prod"
    other = here("dev", "--yes", "--health-deadline", "1")

    assert (sick.status, other.status) == (1, 1)
    assert "error: step 'health check' failed" in sick.err
    assert "last: HTTP 503" in sick.err
    assert "HTTP 200 from another environment" in other.err


def test_keeps_custom_variables_and_names_files_that_win_over_dotenv(project: Project, here: Here) -> None:
    project.env_file.write_text("# mine\nVITE_THEME='dark'\nVITE_ENVIRONMENT=local # old\n")
    (project.root / "frontend" / ".env.production").write_text("VITE_API_ENDPOINT=https://old\n")

    ended = here("dev", "--yes")

    assert project.env_file.read_text().startswith("# mine\nVITE_THEME='dark'\nVITE_ENVIRONMENT=dev # old\n")
    assert "frontend/.env.production sets VITE_API_ENDPOINT too" in ended.err


def test_bytecode_never_gets_into_a_package(project: Project, here: Here) -> None:
    cache = project.root / "backend" / "src" / "pixel_prompt" / "__pycache__"
    cache.mkdir()
    (cache / "api.cpython-313.pyc").write_bytes(b"x")

    here("dev", "--yes")

    assert not cache.exists()


def test_local_starts_its_cloud_first(project: Project, here: Here) -> None:
    """`local` takes endpoint and credentials from the cloud's own state, whatever the shell says."""
    scripts = project.root / "scripts"
    project.stub("cloud.sh", scripts)
    private = project.root / ".local" / "other"
    private.mkdir(parents=True)
    (private / "state.json").write_text(
        json.dumps(
            {
                "endpoint": project.aws.url,
                "access_key_id": "the-clouds-access-key-id",
                "secret_access_key": "local",
                "ca_bundle": str(project.ca_bundle),
            }
        )
    )
    project.api.environment = "local"

    profiles = project.root / "aws-config"
    profiles.write_text("[profile mine]\nregion = eu-west-1\n")

    ended = project.run(
        "deploy.sh",
        *("local", "--cloud", "other", "--yes"),
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_CONFIG_FILE=str(profiles),
        AWS_PROFILE="mine",
    )

    assert ended.status == 0, ended.err
    assert project.calls("cloud.sh", scripts)[0]["argv"][1:] == ["up", "--name", "other"]
    variables = project.calls("sam deploy")[0]["env"]
    assert variables["AWS_ENDPOINT_URL"] == project.aws.url
    assert variables["AWS_ACCESS_KEY_ID"] == "the-clouds-access-key-id"
    assert "AWS_PROFILE" not in variables
    assert (private / "deployed-pixel-prompt-local.json").exists()


def test_a_running_deployment_is_reused_until_something_changes(project: Project, here: Here) -> None:
    """The second verification must be quick, and must not verify yesterday's source."""
    private = project.root / ".local" / "cloud"
    private.mkdir(parents=True)
    state = {
        "endpoint": project.aws.url,
        "access_key_id": "the-clouds-access-key-id",
        "secret_access_key": "local",
        "ca_bundle": str(project.ca_bundle),
    }
    (private / "state.json").write_text(json.dumps(state))
    project.stub("cloud.sh", project.root / "scripts")
    project.api.environment = "local"

    def reuse() -> int:
        return main(["reuse", "local"], root=project.root)

    before = reuse()
    assert here("local", "--yes").status == 0
    project.env_file.unlink()
    unchanged = reuse()
    dotenv = project.env_file.read_text()
    (project.root / "backend" / "src" / "pixel_prompt" / "api.py").write_text("answer = 43\n")

    assert (before, unchanged, reuse()) == (1, 0, 1)
    assert "VITE_ENVIRONMENT=local" in dotenv


def test_a_cloud_that_does_not_start_is_reported(project: Project, here: Here) -> None:
    project.stub("cloud.sh", project.root / "scripts")
    project.behave(project.root / "scripts", {"cloud.sh": {"exit": 3}})

    ended = here("local", "--yes")

    assert ended.status == 1
    assert "step 'embedded AWS' failed" in ended.err
    assert "cloud.sh up --name cloud ended with 3; see ./scripts/cloud.sh logs --name cloud" in ended.err
    assert project.calls() == []


def test_every_step_was_seen_to_fail() -> None:
    """A step whose failure nobody tried may end in silence."""
    source = "".join(file.read_text() for file in (REPOSITORY / "verification/deployment").glob("*.py"))
    steps = set(re.findall(r'steps\.step\("([^"]+)"\)|steps\.current = "([^"]+)"', source))
    names = {one or other for one, other in steps} - {"preflight", "consent"}
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    parametrized = {"sam build", "sam deploy"}  # of test_names_the_sam_step_that_failed

    assert len(names) > 9
    assert [name for name in names - parametrized if f"step '{name}' failed" not in tests] == []

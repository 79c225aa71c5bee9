"""deploy.sh --frontend: each way in which publishing the page can fail, and what people see meanwhile."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from tests.scripts.project import Here, Project

KEY = "sk-proj-" + "k" * 48
PAGE = '<script src="/assets/app-12345678.js"></script>'


@pytest.fixture
def page(project: Project) -> Project:
    """A checkout whose page is built by an npm that is a stub, and lies there as it would build it."""
    frontend = project.root / "frontend"
    (frontend / "package.json").write_text("{}")
    (frontend / "node_modules").mkdir()
    (frontend / "dist" / "assets").mkdir(parents=True)
    (frontend / "dist" / "assets" / "app-12345678.js").write_text("1")
    (frontend / "dist" / "index.html").write_text(PAGE)
    project.stub("npm", project.stubs)
    project.aws.after_deploy.outputs.update(
        SiteUrl=project.api.url, SiteBucketName="the-page", SiteDistributionId="E123"
    )
    project.api.page = PAGE.encode()
    return project


def deploy(here: Here) -> Any:
    return here("dev", "--frontend", "--yes", "--health-deadline", "1")


def test_publishes_and_says_how_much(page: Project, here: Here) -> None:
    ended = deploy(here)

    assert ended.status == 0, ended.err
    assert "published 2 of 2 files" in ended.out
    assert list(page.aws.objects) == ["/the-page/assets/app-12345678.js", "/the-page/index.html"]
    assert page.aws.invalidations == 1


@pytest.mark.parametrize(
    ("refusing", "message", "objects"),
    [
        ("s3", "step 'page upload' failed: assets/app-12345678.js could not be stored in the-page", 0),
        (
            "cloudfront",
            "step 'page upload' failed: the page is stored, but E123 did not accept the invalidation",
            2,
        ),
    ],
)
def test_a_refusal_of_aws_is_reported(
    page: Project, here: Here, refusing: str, message: str, objects: int
) -> None:
    page.aws.refusing = refusing

    ended = deploy(here)

    assert ended.status == 1
    assert message in ended.err
    assert len(page.aws.objects) == objects
    assert page.left_behind() == []


def test_another_page_is_not_taken_for_this_one(page: Project, here: Here) -> None:
    page.api.page = b"<html>yesterday's</html>"

    ended = deploy(here)

    assert ended.status == 1
    assert "step 'page health check' failed" in ended.err
    assert "with a page that does not name assets/app-12345678.js: <html>yesterday's" in ended.err


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("index.html", "holds no index.html; read the output of the build"),
        ("assets/app-12345678.js", "index.html names assets/app-12345678.js, which the build did not make"),
    ],
)
def test_half_a_build_is_not_published(page: Project, here: Here, lost: str, message: str) -> None:
    (page.root / "frontend" / "dist" / lost).unlink()

    ended = deploy(here)

    assert ended.status == 1
    assert "step 'page upload' failed" in ended.err
    assert message in ended.err
    assert page.aws.objects == {}


def test_what_overtook_the_dotenv_file_does_not_reach_the_build(page: Project, here: Here) -> None:
    (page.root / "frontend" / ".env.production").write_text("VITE_API_ENDPOINT=https://old\n")

    assert deploy(here).status == 0

    assert page.calls("npm")[0]["env"]["VITE_API_ENDPOINT"] == page.api.url


def test_no_npm(page: Project) -> None:
    """On a PATH that holds what the script itself calls, and nothing else."""
    (page.stubs / "npm").unlink()
    bare = page.root / "bare"
    bare.mkdir()
    for command in ("dirname", "git", "mktemp", "mkfifo", "rm", "cat", "sh", "sleep"):
        (bare / command).symlink_to(shutil.which(command) or "")

    ended = page.run("deploy.sh", "dev", "--yes", "--frontend", PATH=str(bare))

    assert ended.status == 4
    assert ended.err == (
        "error: 'npm' is not installed, so the page cannot be built; run ./scripts/setup.sh\n"
    )
    assert page.calls() == []


@pytest.mark.parametrize(
    ("output", "value", "message"),
    [
        (
            "ApiEndpoint",
            "http://plain.example",
            "output 'ApiEndpoint' of stack 'pixel-prompt-dev' is no https address",
        ),
        (
            "CloudFrontDomain",
            "not a domain",
            "output 'CloudFrontDomain' of stack 'pixel-prompt-dev' is no domain",
        ),
        (
            "SiteUrl",
            "javascript:alert(1)",
            "output 'SiteUrl' of stack 'pixel-prompt-dev' is no https address",
        ),
    ],
)
def test_a_malformed_output_points_nothing_anywhere(
    page: Project, here: Here, output: str, value: str, message: str
) -> None:
    page.aws.after_deploy.outputs[output] = value

    ended = deploy(here)

    assert ended.status == 1
    assert f"step 'outputs' failed: {message}" in ended.err
    assert not page.env_file.exists()


def test_an_api_that_does_not_answer(page: Project, here: Here) -> None:
    page.aws.after_deploy.outputs["ApiEndpoint"] = "https://127.0.0.1:9"

    ended = deploy(here)

    assert ended.status == 1
    assert "step 'health check' failed: https://127.0.0.1:9/health is not healthy after" in ended.err
    assert "Connection refused" in ended.err
    assert page.calls("npm") == []


def test_an_api_whose_certificate_is_untrusted(page: Project, here: Here, tmp_path: Any) -> None:
    import certifi

    ended = here("dev", "--yes", "--health-deadline", "1", AWS_CA_BUNDLE=certifi.where())

    assert ended.status == 1
    assert "CERTIFICATE_VERIFY_FAILED" in ended.err


def test_reports_that_cannot_be_written_are_reported_last(page: Project, here: Here) -> None:
    (page.root / "reports").write_text("a file where a folder belongs")

    ended = deploy(here)

    assert ended.status == 1
    assert "error: step 'record' failed" in ended.err
    assert json.dumps(page.api.url)[1:-1] in page.env_file.read_text()


def test_a_read_only_folder_keeps_the_old_dotenv(page: Project, here: Here) -> None:
    """As root nothing is read-only, so the folder is one that is not there."""
    page.env_file.symlink_to(page.root / "nowhere" / ".env")

    ended = deploy(here)

    assert ended.status == 1
    assert "step 'frontend/.env' failed" in ended.err
    assert "cannot be written: No such file or directory; it is unchanged. Make room" in ended.err


def test_without_frontend_nothing_is_built(page: Project, here: Here) -> None:
    ended = here("dev", "--yes")

    assert ended.status == 0, ended.err
    assert page.calls("npm") == []
    assert "as it is (--frontend builds and publishes it)" in ended.out


def test_a_plan_with_the_page_builds_nothing(page: Project, here: Here) -> None:
    ended = here("dev", "--frontend", "--dry-run")

    assert ended.status == 0, ended.err
    assert f"built from {page.root / 'frontend'}, then published" in ended.out
    assert page.calls() == []


def test_the_page_is_built_for_this_stack_and_knows_no_credentials(page: Project, here: Here) -> None:
    page.behave(page.stubs, {"npm run": {"exit": 1}, "npm": {"exit": 1}})

    ended = here(
        "dev", "--frontend", "--yes", VITE_API_ENDPOINT="https://elsewhere.example", OPENAI_API_KEY=KEY
    )

    assert ended.status == 1
    assert "step 'page build' failed: exit status 1; the page is still the old one" in ended.err
    (build,) = page.calls("npm")
    assert build["argv"][1:] == ["run", "build"]
    assert build["env"]["VITE_API_ENDPOINT"] == page.api.url
    assert not [name for name in build["env"] if name.startswith("AWS_") or name.endswith("_API_KEY")]


def test_a_page_without_its_packages_is_refused_before_anything_is_deployed(
    page: Project, here: Here
) -> None:
    (page.root / "frontend" / "node_modules").rmdir()

    ended = here("dev", "--frontend", "--yes")

    assert ended.status == 4
    assert "node_modules is not there, so the page cannot be built" in ended.err
    assert page.calls() == []


def test_a_stack_that_hosts_no_page_is_reported(page: Project, here: Here) -> None:
    del page.aws.after_deploy.outputs["SiteUrl"]

    ended = here("dev", "--frontend", "--yes")

    assert ended.status == 1
    assert "has no output 'SiteUrl'" in ended.err

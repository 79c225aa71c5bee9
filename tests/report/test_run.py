"""readiness/report/run.py and origin.py"""

from __future__ import annotations

import os
import subprocess

import pytest

from readiness.checklist import Severity
from readiness.errors import Gap
from readiness.report import origin
from readiness.report.origin import Author
from readiness.verdict import Outcome, Result


def git(folder, *arguments):
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("one")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "one")
    git(tmp_path, "config", "user.name", "Grace Hopper")
    return tmp_path


@pytest.mark.parametrize(
    ("emulated", "headline"),
    [
        (False, "pixel-prompt-staging in eu-west-1"),
        (True, "pixel-prompt-staging in eu-west-1, emulated"),
    ],
)
def test_the_headline_says_where(make, emulated, headline):
    assert make(Result("SEC-01", Outcome.PASS), emulated=emulated).headline == headline


def test_the_commit_is_the_checkouts_and_says_when_the_tree_differs(make, checkout):
    head = git(checkout, "rev-parse", "--short=12", "HEAD")

    assert make(Result("SEC-01", Outcome.PASS)).commit == head

    (checkout / "a").write_text("two")
    assert make(Result("SEC-01", Outcome.PASS)).commit == f"{head}+"


def test_a_machine_without_git_still_gets_its_report(make, monkeypatch):
    monkeypatch.setenv("PATH", "")

    assert make(Result("SEC-01", Outcome.PASS)).commit == ""
    assert origin.author(make(Result("SEC-01", Outcome.PASS)).suite, {}) == Author("unknown", "")


def test_a_template_that_is_gone_has_no_hash(make):
    run = make(Result("SEC-01", Outcome.PASS))
    assert len(run.template_sha256) == 64

    gone = make(Result("SEC-01", Outcome.PASS))
    gone.template.unlink()
    assert gone.template_sha256 == ""


CI = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "ada",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "o/r",
    "GITHUB_RUN_ID": "7",
}


@pytest.mark.parametrize(
    ("variables", "author"),
    [
        ({}, Author("git user", "Grace Hopper")),
        ({"GITHUB_ACTOR": "ada"}, Author("git user", "Grace Hopper")),
        (CI, Author("CI actor", "ada", "https://github.com/o/r/actions/runs/7")),
        ({"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ada"}, Author("CI actor", "ada")),
    ],
)
def test_who_ran_it_is_the_ci_actor_or_the_git_user(checkout, variables, author):
    assert origin.author(checkout, variables) == author


def test_code_is_linked_where_github_is_known_to_have_it(checkout):
    head = git(checkout, "rev-parse", "HEAD")

    assert origin.code_address(checkout, CI) == f"https://github.com/o/r/blob/{head}"
    assert origin.code_address(checkout, {}) == ""


def test_attention_puts_the_gravest_first(make):
    severities = {
        "SEC-01": Severity.LOW,
        "SEC-02": Severity.CRITICAL,
        "SEC-03": Severity.CRITICAL,
        "SEC-04": Severity.CRITICAL,
        "SEC-06": Severity.LOW,
    }
    run = make(
        Result("SEC-01", Outcome.FAIL),
        Result("SEC-02", Outcome.WAIVED),
        Result("SEC-03", Outcome.UNVERIFIED),
        Result("SEC-04", Outcome.FAIL),
        Result("SEC-05", Outcome.PASS),
        Result("SEC-06", Outcome.UNVERIFIED, gap=Gap.NEEDS_AWS),
        severities=severities,
    )

    assert [result.item for result in run.attention()] == ["SEC-04", "SEC-01", "SEC-03", "SEC-06", "SEC-02"]


@pytest.mark.parametrize(("name", "attention"), [("local", []), ("staging", ["SEC-01"])])
def test_a_declared_gap_needs_no_attention_in_a_rehearsal_alone(make, name, attention):
    run = make(Result("SEC-01", Outcome.UNVERIFIED, gap=Gap.PLANNED), name=name)

    assert [result.item for result in run.attention()] == attention

"""verification/report/run.py"""

from __future__ import annotations

import os
import subprocess

import pytest

from verification.checklist import Section, Severity
from verification.errors import Gap
from verification.verdict import Outcome, Result


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


@pytest.mark.parametrize(
    ("emulated", "headline"),
    [
        (False, "pixel-prompt-staging in eu-west-1"),
        (True, "pixel-prompt-staging in eu-west-1, emulated"),
    ],
)
def test_the_headline_says_where(make, emulated, headline):
    assert make(Result("SEC-01", Outcome.PASS), emulated=emulated).headline == headline


@pytest.mark.parametrize(
    ("emulated", "environment"),
    [(False, "staging, real AWS"), (True, "staging, emulated (embedded AWS, a rehearsal)")],
)
def test_the_facts_are_in_words_and_hide_the_account(make, emulated, environment):
    facts = make(Result("SEC-01", Outcome.PASS), emulated=emulated).facts

    assert facts["Environment"] == environment
    assert facts["Stack"] == "pixel-prompt-staging in eu-west-1, account ********9012"
    assert facts["Started"] == "2026-11-23 07:05:09 UTC, took 61 s"
    assert facts["Commit"] == "unknown"
    assert "123456789012" not in str(facts)


def test_the_commit_is_the_checkouts_and_says_when_the_tree_differs(make, tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("one")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "one")
    head = git(tmp_path, "rev-parse", "--short=12", "HEAD")

    assert make(Result("SEC-01", Outcome.PASS)).commit == head

    (tmp_path / "a").write_text("two")
    assert make(Result("SEC-01", Outcome.PASS)).commit == f"{head}+"


def test_a_machine_without_git_still_gets_its_report(make, monkeypatch):
    monkeypatch.setenv("PATH", "")

    assert make(Result("SEC-01", Outcome.PASS)).commit == ""


def test_results_are_grouped_in_their_order_and_empty_sections_left_out(make):
    ids = ["SEC-02", "SEC-01", "CDN-01"]
    run = make(*(Result(id_, Outcome.PASS) for id_ in ids))

    grouped = {section: [result.item for result in results] for section, results in run.by_section().items()}

    assert grouped == {Section.SECURITY: ["SEC-02", "SEC-01"], Section.CLOUDFRONT: ["CDN-01"]}


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

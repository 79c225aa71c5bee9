"""What stops a run before any check: a mistake in what it was given."""

from __future__ import annotations

import pytest

from tests.plugin.project import CHECKS


def test_a_bad_waiver_stops_the_run_before_any_check(project):
    (project.root / "waivers.toml").write_text('[[waiver]]\nitem="SEC-01"\n')

    assert project.run().ret == 4
    assert "waiver 1: lacks environment, reason, approver, expires" in project.output
    assert not (project.root / "reports").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('@pytest.mark.item("SEC-02")', "", "names no item"),
        ('"SEC-02"', '"SEC-77"', "item SEC-77 does not stand in PRODUCTION_CHECKLIST.md"),
        ('"SEC-02"', '"SEC-01"', "SEC-01: has 2 checks"),
        ("pytest.mark.security", "pytest.mark.infra", "belongs to section 'security', marked 'none'"),
        ("def test_window", "def window", "SEC-02: has no check"),
    ],
)
def test_checks_and_items_that_do_not_match_are_an_error(project, old, new, message):
    assert project.run(checks=CHECKS.replace(old, new)).ret == 4
    assert message in project.output


def test_turns_that_cannot_be_taken_stop_the_run(project):
    (project.root / ".local").write_text("a file in the way")

    assert project.run().ret == 4
    assert "make it writable" in project.output


def test_another_checkout_has_to_be_one(project):
    assert project.run("--app", str(project.root / "nowhere")).ret == 4
    assert "expected a checkout with backend/template.yaml" in project.output


def test_a_report_that_cannot_be_written_stops_the_run(project):
    (project.root / "reports").write_text("a file in the way")

    assert project.run().ret == 4
    assert "the report cannot be written" in project.output


def test_an_old_report_does_not_outlive_a_run_that_could_not_judge(project):
    assert project.run().ret == 0
    assert project.run(checks=CHECKS.replace('"SEC-02"', '"SEC-77"')).ret == 4
    assert not (project.root / "reports" / "staging" / "verification.json").exists()

"""What becomes of an item: it passes, fails, is waived, or could not be verified."""

from __future__ import annotations

import re

import pytest

from readiness.environment import Settings
from readiness.report import document
from tests.plugin.project import CHECKS


def test_all_passing_is_ready(project):
    assert project.run().ret == 0
    assert project.outcomes() == {"SEC-01": "pass", "SEC-02": "pass"}
    assert project.report()["verdict"] == "READY"
    assert project.report()["emulated"] is True
    assert sorted(file.name for file in (project.root / "reports" / "staging").iterdir()) == [
        "history",
        *(f"verification.{format_}" for format_ in ("html", "json", "md", "xml")),
    ]
    assert (
        document.alterations(document.read(project.root / "reports" / "staging" / "verification.json")) == []
    )


def test_a_failed_assertion_fails_and_says_what_to_do(project):
    assert project.run(door="assert 2 + 2 == 5, 'two doors'").ret == 1
    assert project.outcomes()["SEC-01"] == "fail"
    assert project.report()["verdict"] == "NOT READY (1 failed)"
    assert "two doors" in project.report()["items"][0]["reason"]
    assert "why: Anyone walks in." in project.output
    assert "remedy: Close it." in project.output


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("raise RuntimeError('no answer')", "RuntimeError: no answer"),
        ("pytest.skip('not today')", "skipped: not today"),
        ("pytest.xfail('known')", "known"),
        (
            "from readiness.errors import Denied; raise Denied('s3:GetObject', 'no')",
            "denied s3:GetObject: no",
        ),
        ("import sys; sys.exit('gone')", "gone"),
    ],
)
def test_anything_but_a_failed_assertion_is_unverified(project, ending, reason):
    assert project.run(door=ending).ret == 1
    assert project.outcomes()["SEC-01"] == "unverified"
    assert reason in project.report()["items"][0]["reason"]
    assert project.report()["verdict"] == "NOT READY (1 unverified)"


def test_a_fixture_that_asserts_has_not_looked(project):
    checks = """
    import pytest
    pytestmark = pytest.mark.security

    @pytest.fixture
    def key():
        assert False, "no key"

    @pytest.mark.item("SEC-01")
    def test_door(key): {door}

    @pytest.mark.item("SEC-02")
    def test_window(): {window}
    """

    assert project.run(checks=checks).ret == 1
    assert project.outcomes() == {"SEC-01": "unverified", "SEC-02": "pass"}


@pytest.mark.parametrize(("door", "outcome"), [("pass", "unverified"), ("assert False, 'open'", "fail")])
def test_a_broken_clean_up_is_no_pass_and_hides_no_failure(project, door, outcome):
    checks = """
    import pytest
    pytestmark = pytest.mark.security

    @pytest.fixture
    def ladder():
        yield
        raise OSError("it is still there")

    @pytest.mark.item("SEC-01")
    def test_door(ladder): {door}

    @pytest.mark.item("SEC-02")
    def test_window(): {window}
    """

    assert project.run(checks=checks, door=door).ret == 1
    assert project.outcomes()["SEC-01"] == outcome


def test_a_waived_failure_does_not_hold_the_release_back(project):
    waiver = '[[waiver]]\nitem="SEC-01"\nenvironment="staging"\nreason="guarded"\napprover="Ada"\nexpires=2999-01-01\n'
    (project.root / "waivers.toml").write_text(waiver)

    assert project.run(door="assert False").ret == 0
    assert project.outcomes()["SEC-01"] == "waived"
    assert project.report()["verdict"] == "READY (1 waived)"
    waived = project.report()["items"][0]["waiver"]
    assert (waived["reason"], waived["approver"], waived["expires"]) == ("guarded", "Ada", "2999-01-01")
    for file in (project.root / "reports" / "staging").glob("verification.*"):
        assert re.search(r"waived until 2999-01-01 \(\d+ days left\) by Ada: guarded", file.read_text()), (
            file.name
        )
    assert "days left) by Ada: guarded" in project.output


def test_an_item_that_the_emulator_cannot_model_is_unverified(project):
    (project.root / "gaps.toml").write_text('[[needs-aws]]\nitem = "SEC-01"\nreason = "no such service"\n')

    assert project.run(door="raise SystemError('never reached')").ret == 1
    assert project.report()["items"][0]["reason"] == "no such service"
    assert project.report()["verdict"] == "NOT READY (1 unverified)"


def test_a_declared_gap_is_tolerated_on_local_alone(project):
    (project.root / "gaps.toml").write_text('[[needs-aws]]\nitem = "SEC-01"\nreason = "no such service"\n')

    assert project.run("--env", "local").ret == 0
    assert project.report("local")["verdict"] == "READY LOCALLY (1 need AWS)"


def test_a_call_that_the_guard_refuses_leaves_its_item_unverified(project):
    project.settings = Settings("prod", "s", "us-east-1", guard="read-only")
    checks = CHECKS.replace("pytestmark", "from readiness.fixtures import env, verification\npytestmark")
    checks = checks.replace("test_door():", "test_door(env):")

    assert project.run(door="env.client('s3').put_object(Bucket='bucket', Key='k')", checks=checks).ret == 1
    assert project.outcomes() == {"SEC-01": "unverified"}
    assert "UNVERIFIED SEC-01" in project.output
    assert "is read-only: s3:PutObject was not sent; run this item on staging" in project.output
    assert project.report()["verdict"] == "NOT PASSED 0 of 1 selected (1 unverified, 1 items not selected)"


def test_a_run_that_is_interrupted_says_what_it_did_not_do(project):
    assert project.run(door="pytest.exit('Ctrl-C')").ret == 2
    assert project.outcomes() == {"SEC-01": "unverified", "SEC-02": "unverified"}
    assert project.report()["verdict"].startswith("INTERRUPTED by a check (0 of 2 selected passed")
    assert "before this check" in project.report()["items"][1]["reason"]

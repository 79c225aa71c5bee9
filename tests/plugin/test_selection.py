"""Which items a run verifies, which it leaves out, and what it says of those."""

from __future__ import annotations

import pytest

from readiness import environment
from readiness.environment import Settings
from readiness.session import options
from tests.plugin.project import CHECKLIST, CHECKS, properties


def test_part_of_the_checklist_is_never_ready(project):
    assert project.run("-k", "door").ret == 0
    assert project.report()["verdict"] == "PASSED 1 of 1 selected (1 items not selected)"


def test_selecting_nothing_is_no_pass(project):
    assert project.run("-k", "nothing").ret != 0


def test_money_is_spent_on_request_alone(project):
    project.emulated = False

    assert project.run().ret == 0
    assert project.outcomes() == {"SEC-01": "pass"}

    assert project.run("--paid").ret == 0
    assert project.outcomes() == {"SEC-01": "pass", "SEC-02": "pass"}


def test_what_is_left_out_is_named_and_the_verdict_is_never_ready(project):
    project.emulated = False

    project.run()

    assert project.report()["left_out"] == {"paid": ["SEC-02"]}
    assert project.report()["verdict"] == "PASSED 1 of 1 selected (1 items not selected)"
    assert "Left out: 1 item for making AI providers work, which --paid grants (SEC-02)." in project.output
    assert "Left out: 1 item" in (project.root / "reports" / "staging" / "verification.md").read_text()
    assert "left out" in properties(project)


def test_what_was_not_selected_anyway_is_not_reported(project):
    project.emulated = False

    project.run("-m", "read-only or SEC-01")

    assert project.report()["left_out"] == {}


def test_a_read_only_environment_is_paid_for_when_it_is_named_alone(project):
    project.settings = Settings("prod", "s", "us-east-1", guard="read-only")

    project.run("--paid", "-m", "active or SEC-01")
    assert project.outcomes() == {"SEC-01": "pass"}
    assert project.report()["left_out"] == {"paid": ["SEC-02"]}

    project.run("--paid", "-m", "active and paid or SEC-01")
    assert project.outcomes() == {"SEC-01": "pass", "SEC-02": "pass"}


def test_active_checks_stay_away_from_prod_unless_named(project):
    project.checklist = CHECKLIST.replace("active, paid", "active")
    project.settings = Settings("prod", "s", "us-east-1", guard="read-only")

    assert project.run().ret == 0
    assert project.outcomes() == {"SEC-01": "pass"}

    assert project.run("-m", "active").ret == 0
    assert project.outcomes() == {"SEC-02": "pass"}


def test_drills_stay_away_from_prod_unless_named_and_then_may_do_what_they_do(project):
    project.checklist = CHECKLIST.replace("active, paid", "active, drill")
    project.settings = Settings("prod", "s", "us-east-1", guard="read-only")

    assert project.run("-m", "not paid").ret == 0
    assert project.outcomes() == {"SEC-01": "pass"}

    assert project.run("-m", "drill").ret == 0
    assert project.outcomes() == {"SEC-02": "pass"}


def test_drills_run_last_and_alone(project):
    project.checklist = CHECKLIST.replace("critical · read-only", "critical · drill")
    checks = CHECKS.replace("import pytest", "import fcntl, pytest")
    look = "with open('.local/turns/aws.some-stack.turn') as f: fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)"

    project.run("-v", door=f"with pytest.raises(BlockingIOError): exec({look!r})", window=look, checks=checks)

    assert project.outcomes() == {"SEC-01": "pass", "SEC-02": "pass"}
    assert project.output.index("test_window") < project.output.index("test_door")


def test_an_item_is_a_marker(project):
    assert project.run("-m", "SEC-02").ret == 0
    assert project.outcomes() == {"SEC-02": "pass"}


def test_listing_and_explaining_need_no_stack(project, monkeypatch):
    monkeypatch.setattr(environment, "connect", None)

    assert project.run("--list-items").ret == 0
    assert "SEC-02   low" in project.output

    assert project.run("--explain", "SEC-01").ret == 0
    assert "Why:    Anyone walks in." in project.output

    assert project.run("--explain", "SEC-9").ret == 4
    assert "no item 'SEC-9'" in project.output


@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        ("active", True),
        ("security and active", True),
        ("not active", False),
        ("security or not active", False),
        ("inactive", False),
        ("", False),
    ],
)
def test_a_marker_is_asked_for_by_name_alone(expression, asked):
    assert options.asks_for("active", expression) is asked

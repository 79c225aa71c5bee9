"""verification/plugin.py: a small checklist and a few checks, run by a pytest of their own."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import boto3
import pytest

from verification import environment, plugin
from verification.environment import Environment, Settings

CHECKLIST = """
### SEC-01 Door is closed

*critical · read-only*

It is closed.

**Why.** Anyone walks in.

**Remedy.** Close it.

### SEC-02 Window is closed

*low · active, paid*

It is closed.

**Why.** It rains in.

**Remedy.** Close it.
"""
CHECKS = """
import pytest
pytestmark = pytest.mark.security

@pytest.mark.item("SEC-01")
def test_door():
    {door}

@pytest.mark.item("SEC-02")
def test_window():
    {window}
"""


class Project:
    """A project with two items, and one pytest run over it."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester = pytester
        self.root = Path(pytester.path)
        self.checklist = CHECKLIST
        self.settings = Settings("staging", "some-stack", "us-east-1", cloud=None)
        self.emulated = True
        monkeypatch.setattr(plugin, "ROOT", self.root)
        monkeypatch.setattr(plugin, "CHECKS", self.root / "checks")
        monkeypatch.setattr(plugin, "GAPS", self.root / "gaps.toml")
        monkeypatch.setattr(environment, "connect", lambda name, **_: self.environment(name))
        (self.root / "gaps.toml").write_text("")
        (self.root / "backend").mkdir()
        (self.root / "backend" / "template.yaml").write_text("")
        pytester.makeconftest("")

    def environment(self, name: str) -> Environment:
        cloud = "cloud" if name == "local" else None
        chosen = Settings(**{**vars(self.settings), "name": name, "cloud": cloud})
        found = Environment(chosen, boto3.Session("a", "b", region_name="us-east-1"))
        vars(found).update(
            emulated=self.emulated,
            account_id="123456789012",
            preflight=lambda: None,
            require_stack=lambda: None,
        )
        return found

    def run(self, *arguments: str, door: str = "pass", window: str = "pass", checks: str = CHECKS):
        (self.root / "PRODUCTION_CHECKLIST.md").write_text(self.checklist)
        folder = self.root / "checks"
        folder.mkdir(exist_ok=True)
        (folder / "test_security.py").write_text(dedent(checks).format(door=door, window=window))
        where = ("--env", "staging", "--app", str(self.root))
        self.result = self.pytester.runpytest_inprocess(
            "checks",
            "-p",
            "verification.plugin",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:hypothesispytest",
            *where,
            *arguments,
        )
        return self.result

    @property
    def output(self) -> str:
        return self.result.stdout.str() + self.result.stderr.str()

    def report(self, name: str = "staging") -> dict:
        return json.loads((self.root / "reports" / name / "verification.json").read_text())

    def outcomes(self, name: str = "staging") -> dict[str, str]:
        return {item["id"]: item["outcome"] for item in self.report(name)["items"]}


@pytest.fixture
def project(pytester, monkeypatch):
    return Project(pytester, monkeypatch)


def test_all_passing_is_ready(project):
    assert project.run().ret == 0
    assert project.outcomes() == {"SEC-01": "pass", "SEC-02": "pass"}
    assert project.report()["verdict"] == "READY"
    assert project.report()["emulated"] is True
    assert {file.suffix for file in (project.root / "reports" / "staging").iterdir()} == {
        ".html",
        ".json",
        ".md",
        ".xml",
    }


@pytest.mark.parametrize(("ending", "outcome"), [("pass", "pass"), ("assert False", "fail")])
def test_what_a_check_notes_stands_in_the_report(project, ending, outcome):
    checks = CHECKS.replace("pytestmark", "from verification.fixtures import evidence\npytestmark")
    checks = checks.replace("test_door():", "test_door(evidence):")

    project.run(door=f"evidence['doors'] = 3; {ending}", checks=checks)

    door, window = project.report()["items"]
    assert (door["outcome"], door["read"], window["read"]) == (outcome, {"doors": "3"}, {})


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
            "from verification.errors import Denied; raise Denied('s3:GetObject', 'no')",
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


def test_a_bad_waiver_stops_the_run_before_any_check(project):
    (project.root / "waivers.toml").write_text('[[waiver]]\nitem="SEC-01"\n')

    assert project.run().ret == 4
    assert "needs exactly item" in project.output
    assert not (project.root / "reports").exists()


def test_part_of_the_checklist_is_never_ready(project):
    assert project.run("-k", "door").ret == 0
    assert project.report()["verdict"] == "PASSED 1 of 1 selected (1 items not selected)"


def test_selecting_nothing_is_no_pass(project):
    assert project.run("-k", "nothing").ret != 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('@pytest.mark.item("SEC-02")', "", "names no item"),
        ('"SEC-02"', '"SEC-77"', "item SEC-77 does not stand in PRODUCTION_CHECKLIST.md"),
        ('"SEC-02"', '"SEC-01"', "SEC-01: has 2 checks"),
        ("pytest.mark.security", "pytest.mark.infra", "belongs to section 'security', marked 'infra'"),
        ("def test_window", "def window", "SEC-02: has no check"),
    ],
)
def test_checks_and_items_that_do_not_match_are_an_error(project, old, new, message):
    assert project.run(checks=CHECKS.replace(old, new)).ret == 4
    assert message in project.output


def test_an_item_that_the_emulator_cannot_model_is_unverified(project):
    (project.root / "gaps.toml").write_text('[[needs-aws]]\nitem = "SEC-01"\nreason = "no such service"\n')

    assert project.run(door="raise SystemError('never reached')").ret == 1
    assert project.report()["items"][0]["reason"] == "no such service"
    assert project.report()["verdict"] == "NOT READY (1 unverified)"


def test_a_declared_gap_is_tolerated_on_local_alone(project):
    (project.root / "gaps.toml").write_text('[[needs-aws]]\nitem = "SEC-01"\nreason = "no such service"\n')

    assert project.run("--env", "local").ret == 0
    assert project.report("local")["verdict"] == "READY LOCALLY (1 need AWS)"


def test_money_is_spent_on_request_alone(project):
    project.emulated = False

    assert project.run().ret == 0
    assert project.outcomes() == {"SEC-01": "pass"}

    assert project.run("--paid").ret == 0
    assert project.outcomes() == {"SEC-01": "pass", "SEC-02": "pass"}


def test_a_call_that_the_guard_refuses_leaves_its_item_unverified(project):
    project.settings = Settings("prod", "s", "us-east-1", guard="read-only")
    checks = CHECKS.replace("pytestmark", "from verification.fixtures import env, verification\npytestmark")
    checks = checks.replace("test_door():", "test_door(env):")

    assert project.run(door="env.client('s3').put_object(Bucket='bucket', Key='k')", checks=checks).ret == 1
    assert project.outcomes() == {"SEC-01": "unverified"}
    assert "UNVERIFIED SEC-01" in project.output
    assert "is read-only: s3:PutObject was not sent; look at this item on staging" in project.output
    assert project.report()["verdict"] == "NOT PASSED 0 of 1 selected (1 unverified, 1 items not selected)"


def test_active_checks_stay_away_from_prod_unless_named(project):
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


def test_turns_that_cannot_be_taken_stop_the_run(project):
    (project.root / ".local").write_text("a file in the way")

    assert project.run().ret == 4
    assert "make it writable" in project.output


def test_a_run_that_is_interrupted_says_what_it_did_not_do(project):
    assert project.run(door="pytest.exit('Ctrl-C')").ret == 2
    assert project.outcomes() == {"SEC-01": "unverified", "SEC-02": "unverified"}
    assert "the run ended before" in project.report()["items"][1]["reason"]


def test_another_checkout_has_to_be_one(project):
    assert project.run("--app", str(project.root / "nowhere")).ret == 4
    assert "expected a checkout with backend/template.yaml" in project.output


OTHER_CHECKS = """
import pytest

@pytest.mark.infra
@pytest.mark.item("INF-01")
def test_bridge(): pass
"""


@pytest.fixture
def another(project):
    """Another application in the same repository: its checklist, environments and template, and its checks."""
    home = project.root / "bridges" / "one"
    (home / "checks").mkdir(parents=True)
    (home / "PRODUCTION_CHECKLIST.md").write_text(
        CHECKLIST.partition("### SEC-02")[0].replace("SEC-01 Door is closed", "INF-01 Bridge is up")
    )
    (home / "environments.toml").write_text("[staging]\nstack = 'one'\nregion = 'us-east-1'\n")
    (home / "template.yaml").write_text("")
    (home / "checks" / "test_infra.py").write_text(OTHER_CHECKS)
    return home


def other_run(project, *arguments: str) -> int:
    (project.root / "PRODUCTION_CHECKLIST.md").write_text(project.checklist)
    plugins = ("-p", "verification.plugin", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    project.result = project.pytester.runpytest_inprocess(*plugins, "--env", "staging", *arguments)
    return int(project.result.ret)


def test_checks_beside_a_checklist_of_their_own_are_held_to_it(project, another, monkeypatch):
    declared = []
    connect = environment.connect
    monkeypatch.setattr(
        environment, "connect", lambda name, **given: declared.append(given["declared"]) or connect(name)
    )

    assert other_run(project, "bridges/one/checks") == 0
    report = json.loads((another / "reports" / "staging" / "verification.json").read_text())
    assert [(item["id"], item["title"]) for item in report["items"]] == [("INF-01", "Bridge is up")]
    assert report["verdict"] == "READY"
    assert declared == [another / "environments.toml"]


def test_a_gap_of_this_repository_is_none_of_another_application(project, another):
    (project.root / "gaps.toml").write_text('[[needs-aws]]\nitem = "INF-01"\nreason = "no such service"\n')

    assert other_run(project, "bridges/one/checks/test_infra.py") == 0


def test_another_application_has_its_own_waivers_and_template(project, another):
    (project.root / "waivers.toml").write_text("[[waiver]]\n")
    assert other_run(project, "bridges/one/checks") == 0

    (another / "waivers.toml").write_text("[[waiver]]\n")
    assert other_run(project, "bridges/one/checks") == 4

    (another / "waivers.toml").unlink()
    (another / "template.yaml").unlink()
    assert other_run(project, "bridges/one/checks") == 4
    assert "expected a checkout with template.yaml" in project.output


def test_another_application_lists_and_explains_its_own_items(project, another):
    assert other_run(project, "bridges/one/checks", "--list-items") == 0
    assert "Bridge is up" in project.output
    assert "Door is closed" not in project.output


def test_a_run_over_two_applications_is_refused(project, another):
    (project.root / "checks").mkdir()

    assert other_run(project, "checks", "bridges/one/checks") == 4
    assert "one run verifies one application" in project.output


def test_a_report_that_cannot_be_written_stops_the_run(project):
    (project.root / "reports").write_text("a file in the way")

    assert project.run().ret == 4
    assert "the report cannot be written" in project.output


def test_secrets_are_redacted_everywhere(project):
    secret = "sk-" + "a1" * 20
    project.run(door=f"assert '{secret}' == ''")

    for file in (project.root / "reports" / "staging").iterdir():
        assert secret not in file.read_text(), file.name
    assert secret not in project.output


def test_listing_and_explaining_need_no_stack(project, monkeypatch):
    monkeypatch.setattr(environment, "connect", None)

    assert project.run("--list-items").ret == 0
    assert "SEC-02   low" in project.output

    assert project.run("--explain", "SEC-01").ret == 0
    assert "Why:    Anyone walks in." in project.output

    assert project.run("--explain", "SEC-9").ret == 4
    assert "no item 'SEC-9'" in project.output


ON_WORKERS = """
from pathlib import Path

import boto3
from verification import environment, plugin
from verification.environment import Environment, Settings

ROOT = Path({root!r})
plugin.ROOT, plugin.CHECKS, plugin.GAPS = ROOT, ROOT / "checks", ROOT / "gaps.toml"


def connect(name, **_):
    found = Environment(Settings(name, "some-stack", "us-east-1"), boto3.Session("a", "b", region_name="us-east-1"))
    vars(found).update(emulated=True, account_id="123456789012", preflight=bool, require_stack=bool)
    return found


environment.connect = connect
"""


@pytest.fixture
def spread(project, monkeypatch):
    """The same project, run by two workers, which are processes of their own."""
    monkeypatch.setenv("PYTHONPATH", str(environment.ROOT))
    project.pytester.makeconftest(ON_WORKERS.format(root=str(project.root)))
    project.pytester.runpytest_inprocess = project.pytester.runpytest_subprocess
    return project


def test_workers_tell_one_verdict(spread):
    assert spread.run("-n", "2", door="assert False, 'open'").ret == 1
    assert spread.outcomes() == {"SEC-01": "fail", "SEC-02": "pass"}


def test_a_worker_that_dies_leaves_its_items_unverified(spread):
    died = "import os; os._exit(1)"

    assert spread.run("-n", "1", "--max-worker-restart=0", door=died).ret == 1
    assert spread.outcomes() == {"SEC-01": "unverified", "SEC-02": "unverified"}


def test_a_mismatch_that_workers_find_is_still_a_usage_error(spread):
    checks = CHECKS.replace('@pytest.mark.item("SEC-02")', "")

    assert spread.run("-n", "2", checks=checks).ret == 4
    assert "names no item" in spread.output
    assert not (spread.root / "reports" / "staging" / "verification.json").exists()


def test_an_old_report_does_not_outlive_a_run_that_could_not_judge(project):
    assert project.run().ret == 0
    assert project.run(checks=CHECKS.replace('"SEC-02"', '"SEC-77"')).ret == 4
    assert not (project.root / "reports" / "staging" / "verification.json").exists()


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
    assert plugin._asks_for("active", expression) is asked


def test_junit_tells_a_failure_from_not_knowing(project):
    project.run(door="assert False", window="raise RuntimeError")
    xml = (project.root / "reports" / "staging" / "verification.xml").read_text()

    assert 'name="outcome" value="fail"' in xml
    assert 'name="outcome" value="unverified"' in xml

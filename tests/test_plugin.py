"""readiness/plugin.py: a small checklist and a few checks, run by a pytest of their own."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from textwrap import dedent

import boto3
import pytest

from readiness import environment, progress
from readiness.environment import Environment, Settings
from readiness.report import document, known
from readiness.session import options
from verification.application import ROOT

DESCRIPTION = """
template = "backend/template.yaml"
gaps = "gaps.toml"
state = ".local"
prices = "verification.costs:PRICES_OF_RUN"
"""
CHECKLIST = """
## Security

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
        monkeypatch.setattr(environment, "connect", lambda _, name, **__: self.environment(name))
        (self.root / "readiness.toml").write_text(DESCRIPTION)
        shutil.copy(ROOT / "environments.toml", self.root)
        (self.root / "gaps.toml").write_text("")
        (self.root / "backend").mkdir()
        (self.root / "backend" / "template.yaml").write_text("")
        for name in ("_values", "_accounts", "_folders"):  # what another run hid is no secret of this one
            monkeypatch.setattr(known, name, set())
        monkeypatch.setattr(progress, "_folder", None)
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
        # Without workers, so that what a test has put in the place of AWS is there.
        here = () if "-n" in arguments else ("-p", "no:xdist")
        self.result = self.pytester.runpytest_inprocess(
            "checks",
            "-p",
            "readiness.plugin",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:hypothesispytest",
            *here,
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
    assert sorted(file.name for file in (project.root / "reports" / "staging").iterdir()) == [
        "history",
        *(f"verification.{format_}" for format_ in ("html", "json", "md", "xml")),
    ]
    assert (
        document.alterations(document.read(project.root / "reports" / "staging" / "verification.json")) == []
    )


@pytest.mark.parametrize(("ending", "outcome"), [("pass", "pass"), ("assert False", "fail")])
def test_what_a_check_notes_stands_in_the_report(project, ending, outcome):
    checks = CHECKS.replace("pytestmark", "from readiness.fixtures import evidence\npytestmark")
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
    ("door", "reason", "findings"),
    [
        ("assert [f'gap {n}' for n in range(89)] == []", "89 findings", [f"gap {n}" for n in range(89)]),
        ("assert ['a gap'] == [], 'the door'", "the door: a gap", ["a gap"]),
        ("assert dict(hinge='rusty', lock='open') == dict()", "2 findings", ["rusty", "open"]),
        ("locks = 1; assert locks == 2", "locks: expected 2, found 1", ["expected 2, found 1"]),
        ("assert [1] == [1]; assert [], 'no door'", "no door", []),
        ("assert ['a'] != []; assert not 'key'", "assert not 'key'", []),
    ],
)
def test_every_finding_of_a_check_is_kept_and_pytests_own_comparison_is_evidence(
    project, door, reason, findings
):
    project.run(door=door)
    item = project.report()["items"][0]

    assert item["reason"] == reason
    assert [finding["text"] for finding in item["findings"]] == findings
    assert item["findings_left_out"] == 0
    assert "assert" in item["evidence"]
    if len(findings) > 12:
        assert "and 84 more; verification.json holds all of them" in project.output
        for name in ("html", "md"):
            text = (project.root / "reports" / "staging" / f"verification.{name}").read_text()
            assert "gap 11" in text
            assert "and 77 more; verification.json holds all of them" in text


def test_one_cause_is_told_once_with_the_items_that_it_took_along(project):
    denied = "from readiness.errors import Denied; raise Denied('s3:GetObject', '{}')"
    project.run(door=denied.format("door"), window=denied.format("window"))

    assert [item["cause"] for item in project.report()["items"]] == ["denied s3:GetObject"] * 2
    assert "UNVERIFIED 2 items could not be checked: SEC-01, SEC-02" in project.output
    assert "cause: denied s3:GetObject" in project.output


UGLY = [
    r"assert '\ud800' == ''",
    r"raise RuntimeError('\ud800 \u202e \x00 \x1b[2J ]]> </script><b>')",
    r"evidence['\ud800'] = '\ud800'; assert ['\ud800\u202e'] == []",
    r"print('\ud800\x1b]0;t\x07'); assert False, '\ufffe'",
    r"print('x' * 3_000_000); assert 'y' * 3_000_000 == ''",
    r"import warnings; warnings.warn('\ud800'); assert False, '\ud800'",
    r"request.getfixturevalue('record_property')('\ud800', '\ud800'); assert False",
]


@pytest.mark.parametrize("ending", UGLY)
def test_whatever_a_check_says_every_format_can_be_written_and_read(project, ending):
    checks = CHECKS.replace("pytestmark", "from readiness.fixtures import evidence\npytestmark")
    checks = checks.replace("test_door():", "test_door(evidence, request):")

    assert project.run(door=ending, checks=checks).ret == 1
    assert project.outcomes()["SEC-02"] == "pass"
    folder = project.root / "reports" / "staging"
    assert document.alterations(document.read(folder / "verification.json")) == []
    ET.parse(folder / "verification.xml")
    for name in ("html", "md"):
        text = (folder / f"verification.{name}").read_text(encoding="utf-8")
        assert "SEC-01" in text
        assert "\u202e" not in text
    assert "\x1b[2J" not in project.output
    project.output.encode()


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


def test_a_bad_waiver_stops_the_run_before_any_check(project):
    (project.root / "waivers.toml").write_text('[[waiver]]\nitem="SEC-01"\n')

    assert project.run().ret == 4
    assert "waiver 1: lacks environment, reason, approver, expires" in project.output
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
        ("pytest.mark.security", "pytest.mark.infra", "belongs to section 'security', marked 'none'"),
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


def test_what_is_left_out_is_named_and_the_verdict_is_never_ready(project):
    project.emulated = False

    project.run()

    assert project.report()["left_out"] == {"paid": ["SEC-02"]}
    assert project.report()["verdict"] == "PASSED 1 of 1 selected (1 items not selected)"
    assert "Left out: 1 item for making AI providers work, which --paid grants (SEC-02)." in project.output
    assert "Left out: 1 item" in (project.root / "reports" / "staging" / "verification.md").read_text()
    assert "left out" in properties(project)


def test_nobody_is_told_of_what_was_not_selected_anyway(project):
    project.emulated = False

    project.run("-m", "read-only or SEC-01")

    assert project.report()["left_out"] == {}


def properties(project):
    suites = ET.parse(project.root / "reports" / "staging" / "verification.xml")
    return {one.get("name"): one.get("value") for one in suites.iterfind("testsuite/properties/property")}


def test_a_read_only_environment_is_paid_for_when_it_is_named_alone(project):
    project.settings = Settings("prod", "s", "us-east-1", guard="read-only")

    project.run("--paid", "-m", "active or SEC-01")
    assert project.outcomes() == {"SEC-01": "pass"}
    assert project.report()["left_out"] == {"paid": ["SEC-02"]}

    project.run("--paid", "-m", "active and paid or SEC-01")
    assert project.outcomes() == {"SEC-01": "pass", "SEC-02": "pass"}


SPEND = """
with ledger.hold("an image", models=["flux-2-pro"]):
        ledger.met("POST", "/generate", 202, '{"models": ["flux-2-pro"]}')
"""


def test_what_checks_spend_is_told_in_every_format(project):
    checks = CHECKS.replace(
        "pytestmark",
        "from readiness.fixtures import verification; from verification.fixtures import ledger\npytestmark",
        1,
    )
    checks = checks.replace("test_window():", "test_window(ledger):")

    project.run(window=SPEND.strip(), checks=checks)

    spending = project.report()["spending"]
    assert (spending["requests"], spending["budget_usd"]) == (1, 1.0)
    assert spending["items"] == [{"item": "SEC-02", "requests": 1, "images": 1, "usd": 0.03}]
    line = "1 request: 1 image (a vendor that the API does not name 1), 0 enhanced prompts; 0.0300 of 1 USD at list prices"
    assert f"paid requests: {line}; emulated: nothing was paid" in project.output
    assert properties(project)["paid requests"].startswith(line)
    for name in ("verification.html", "verification.md"):
        assert "0.0300 of 1 USD" in (project.root / "reports" / "staging" / name).read_text()


def test_what_would_exceed_the_budget_is_unverified_and_told(project):
    checks = CHECKS.replace(
        "pytestmark",
        "from readiness.fixtures import verification; from verification.fixtures import ledger\npytestmark",
        1,
    )
    checks = checks.replace("test_window():", "test_window(ledger):")

    assert project.run("--budget", "0.02", window=SPEND.strip(), checks=checks).ret == 1

    assert project.outcomes() == {"SEC-01": "pass", "SEC-02": "unverified"}
    assert project.report()["spending"]["refused"] == [{"item": "SEC-02", "what": "an image", "usd": 0.03}]
    assert "grant more with --budget USD" in project.output
    assert "1 not sent, for lack of budget" in project.output


@pytest.mark.parametrize("amount", ["-1", "inf", "nan", "much", ""])
def test_a_budget_is_an_amount(project, amount):
    assert project.run(f"--budget={amount}").ret == 4
    assert f"expected an amount in USD such as 0, 0.5 or 2, found '{amount}'" in project.output


def test_a_call_that_the_guard_refuses_leaves_its_item_unverified(project):
    project.settings = Settings("prod", "s", "us-east-1", guard="read-only")
    checks = CHECKS.replace("pytestmark", "from readiness.fixtures import env, verification\npytestmark")
    checks = checks.replace("test_door():", "test_door(env):")

    assert project.run(door="env.client('s3').put_object(Bucket='bucket', Key='k')", checks=checks).ret == 1
    assert project.outcomes() == {"SEC-01": "unverified"}
    assert "UNVERIFIED SEC-01" in project.output
    assert "is read-only: s3:PutObject was not sent; run this item on staging" in project.output
    assert project.report()["verdict"] == "NOT PASSED 0 of 1 selected (1 unverified, 1 items not selected)"


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


def test_turns_that_cannot_be_taken_stop_the_run(project):
    (project.root / ".local").write_text("a file in the way")

    assert project.run().ret == 4
    assert "make it writable" in project.output


def test_a_run_that_is_interrupted_says_what_it_did_not_do(project):
    assert project.run(door="pytest.exit('Ctrl-C')").ret == 2
    assert project.outcomes() == {"SEC-01": "unverified", "SEC-02": "unverified"}
    assert project.report()["verdict"].startswith("INTERRUPTED by a check (0 of 2 selected passed")
    assert "before this check" in project.report()["items"][1]["reason"]


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
        CHECKLIST.partition("### SEC-02")[0]
        .replace("SEC-01 Door is closed", "INF-01 Bridge is up")
        .replace("Security", "Infra")
    )
    (home / "environments.toml").write_text("[staging]\nstack = 'one'\nregion = 'us-east-1'\n")
    (home / "template.yaml").write_text("")
    (home / "checks" / "test_infra.py").write_text(OTHER_CHECKS)
    return home


def other_run(project, *arguments: str) -> int:
    (project.root / "PRODUCTION_CHECKLIST.md").write_text(project.checklist)
    plugins = (
        "-p",
        "readiness.plugin",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        "-p",
        "no:xdist",
    )
    project.result = project.pytester.runpytest_inprocess(*plugins, "--env", "staging", *arguments)
    return int(project.result.ret)


def test_checks_beside_a_checklist_of_their_own_are_held_to_it(project, another, monkeypatch):
    declared = []
    connect = environment.connect
    monkeypatch.setattr(
        environment,
        "connect",
        lambda application, name, **_: (
            declared.append(application.environments) or connect(application, name)
        ),
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

    for file in (project.root / "reports" / "staging").glob("verification.*"):
        assert secret not in file.read_text(), file.name
    assert secret not in project.output


SPILL = """
import logging, os, sys, warnings
import pytest
pytestmark = pytest.mark.security

@pytest.fixture(scope="session", autouse=True)
def noted(record_testsuite_property):
    record_testsuite_property("key", os.environ["RECRAFT_KEY"])

@pytest.mark.item("SEC-01")
def test_door():
    key = os.environ["RECRAFT_KEY"]
    print(key, "of 123456789012"); print(key, file=sys.stderr); logging.getLogger().warning(key)
    {door}

@pytest.mark.item("SEC-02")
def test_window():
    {window}
"""
OPAQUE = "Zq7v-Kd03.xWm9Tb5+Lr1"  # has the form of no known key
ACCOUNT = "123456789012"


def spilled(project, *arguments, **checks):
    """All that a run leaves, on the terminal and in files, in which neither secret nor account may stand."""
    project.pytester.runpytest_inprocess = project.pytester.runpytest_subprocess
    project.run("-p", "verification.fixtures", *arguments, checks=SPILL, **checks)
    files = [
        file
        for file in project.root.rglob("*")
        if file.is_file() and file.suffix in (".html", ".json", ".md", ".xml")
    ]
    assert {file.name for file in files} >= {f"verification.{kind}" for kind in ("html", "json", "md", "xml")}
    return [project.output, *(file.read_text() for file in files)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("-vv", "--showlocals", "--tb=long", "-rA", "--metadata", "token", OPAQUE),
        ("-s", "-o", "log_cli=true", "--tb=native"),
        ("-n", "1", "-l", "-W", "default"),
        pytest.param(("--full-trace", "-o", "junit_logging=all"), marks=pytest.mark.further),
    ],
)
def test_a_secret_without_a_form_gets_out_nowhere_however_much_is_asked_for(spread, monkeypatch, arguments):
    monkeypatch.setenv("RECRAFT_KEY", OPAQUE)
    left = spilled(
        spread,
        *arguments,
        door="warnings.warn(key); assert {'found': key * 9, 'in': 'account 123456789012'} == {}",
        window="os._exit(1)" if "-n" in arguments else "raise RuntimeError(os.environ['RECRAFT_KEY'])",
    )

    for text in left:
        assert OPAQUE not in text
        assert OPAQUE[:8] not in text
        assert OPAQUE[-8:] not in text
        assert ACCOUNT not in text
    assert "[redacted]" in left[0]
    assert spread.outcomes()["SEC-01"] == "fail"


def test_a_secret_in_what_breaks_pytest_itself_stays_in(spread, monkeypatch):
    monkeypatch.setenv("RECRAFT_KEY", OPAQUE)
    broken = """
import os

def pytest_runtest_logfinish():
    raise RuntimeError(os.environ["RECRAFT_KEY"])
"""
    with (spread.root / "conftest.py").open("a") as file:
        file.write(broken)

    for arguments in ((), ("-n", "1")):
        spread.run(*arguments)
        assert "[redacted]" in spread.output
        assert OPAQUE not in spread.output


def test_a_check_that_cannot_be_imported_tells_no_secret(spread, monkeypatch):
    monkeypatch.setenv("RECRAFT_KEY", OPAQUE)

    spread.run(checks="import os\nraise RuntimeError(os.environ['RECRAFT_KEY'])")

    assert "RuntimeError: [redacted]" in spread.output
    assert OPAQUE not in spread.output
    assert list((spread.root / "reports" / "staging").glob("verification.*")) == []
    assert ".unfinished" not in spread.output


@pytest.mark.parametrize("option", ["--log-file=log.txt", "--pastebin=all", "--capture=tee-sys"])
def test_what_would_keep_secrets_as_they_are_is_refused(project, option):
    assert project.run(option).ret == 4
    assert "secrets and all; leave it out" in project.output


def test_the_next_run_says_what_has_changed(project):
    project.run(door="assert False, 'open'")
    assert project.report()["comparison"]["with"] is None

    project.run(window="assert False, 'open'")
    compared = project.report()["comparison"]
    assert [change["id"] for change in compared["newly_failing"]] == ["SEC-02"]
    assert [change["id"] for change in compared["fixed"]] == ["SEC-01"]
    assert "Newly failing: SEC-02" in project.output
    assert "Fixed: SEC-01" in project.output


def test_since_names_the_run_to_compare_with_or_stops_the_run(project):
    project.run()
    (kept,) = (project.root / "reports" / "staging" / "history").iterdir()
    older = json.loads(kept.read_text())
    older["started"], older["outcomes"]["SEC-01"] = "2020-01-01T00:00:00+00:00", "fail"
    (kept.parent / "20200101T000000Z.json").write_text(json.dumps(older))

    assert project.run("--since", "2020").ret == 0
    assert [change["id"] for change in project.report()["comparison"]["fixed"]] == ["SEC-01"]

    assert project.run("--since", "1999").ret == 4
    assert "--since 1999: no run of this environment" in project.output


def test_a_broken_record_is_said_and_does_not_end_the_run(project):
    folder = project.root / "reports" / "staging" / "history"
    folder.mkdir(parents=True)
    (folder / "20200101T000000Z.json").write_text("{")

    assert project.run().ret == 0
    assert "20200101T000000Z.json was left out: it is no run's record" in project.output


def test_a_run_that_was_interrupted_is_not_compared_with(project):
    project.run(door="pytest.exit('Ctrl-C')")

    assert not (project.root / "reports" / "staging" / "history").exists()


def test_figures_are_told_and_turn_nothing(project):
    measured = {"environment": "staging", "emulated": True, "commit": "c", "machine": "m"}
    row = {"what": "p95", "group": "api", "measured": "341 ms", "wanted": "< 300 ms", "held": False}
    file = project.root / "bench.json"
    file.write_text(json.dumps({"datetime": "now", "measured": measured, "figures": [row]}))

    assert project.run("--benchmarks", str(file)).ret == 0
    assert project.report()["budgets"]["rows"][0]["outcome"] == "over"

    file.write_text("{}")
    assert project.run("--benchmarks", str(file)).ret == 4
    assert "expected the JSON of 'pytest benchmarks" in project.output


def test_what_a_check_saw_hold_and_was_answered_is_kept(project):
    (project.root / "pytest.ini").write_text("[pytest]\nenable_assertion_pass_hook = true\n")
    door = "LATEST.append('<GET / -> 200>'); minutes = 15; assert minutes == 15"
    checks = CHECKS.replace("import pytest", "import pytest\nfrom readiness.probes.http import LATEST")

    assert project.run(door=door, checks=checks).ret == 0

    item, other = project.report()["items"]
    assert item["observed"] == [{"assertion": "minutes == 15", "values": "15 == 15"}]
    assert item["exchanges"] == ["<GET / -> 200>"]
    assert (other["observed"], other["exchanges"]) == ([], [])
    assert item["line"] == 6


def test_a_picture_stands_in_the_page_once_and_its_hash_in_the_document(project):
    checks = CHECKS.replace("test_door():", "test_door(extras):").replace(
        "import pytest", "import pytest, pytest_html"
    )

    project.run(door="extras.append(pytest_html.extras.jpg('aGVsbG8=', 'a door'))", checks=checks)

    assert [picture["name"] for picture in project.report()["items"][0]["pictures"]] == ["a door"]
    assert (project.root / "reports" / "staging" / "verification.html").read_text().count("aGVsbG8=") == 1


def test_the_page_is_fit_for_phones_and_screen_readers(project):
    project.run()
    page = (project.root / "reports" / "staging" / "verification.html").read_text()

    assert '<html lang="en">' in page
    assert 'name="viewport"' in page


@pytest.mark.parametrize("job", [True, False])
def test_github_is_told_within_a_job_of_its_alone(project, monkeypatch, job):
    summary = project.root / "summary.md"
    summary.write_text("before\n")
    if job:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    project.run(door="assert False, 'open'")

    report = (project.root / "reports" / "staging" / "verification.md").read_text()
    command = (
        "::error file=checks/test_security.py,line=5,title=SEC-01 Door is closed (critical%2C fail)::open"
    )
    assert (command in project.output.splitlines()) is False or job
    assert any(line.startswith(command) for line in project.output.splitlines()) is job
    assert summary.read_text() == ("before\n" + report if job else "before\n")


def test_a_summary_that_cannot_be_written_is_said(project, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.root / "nowhere" / "summary.md"))

    assert project.run().ret == 0
    assert "the step's summary cannot be written" in project.output


WAIT = "from readiness.progress import waiting; import time\n    with waiting('a slow door'): time.sleep(1.5)"


@pytest.mark.parametrize(
    ("workers", "watched"),
    [
        (("-n", "2"), True),
        pytest.param((), True, marks=pytest.mark.further),
        pytest.param(("-n", "2"), False, marks=pytest.mark.further),
    ],
)
def test_who_watches_a_terminal_is_told_what_is_waited_for(spread, monkeypatch, workers, watched):
    spread.pytester.runpytest_inprocess = lambda *arguments: arguments
    conftest = """
from datetime import timedelta
from readiness import progress
progress.FIRST_WORD = timedelta(seconds=0.3)
"""
    with (spread.root / "conftest.py").open("a") as file:
        file.write(conftest)
    spread.run(*workers, door=WAIT)
    command = [sys.executable, "-m", "pytest", *spread.result]
    monkeypatch.delenv("CI", raising=False)
    screen, line = pty.openpty()
    out = line if watched else subprocess.PIPE

    done = subprocess.Popen(
        command, cwd=spread.root, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "TERM": "xterm"}
    )
    os.close(line)
    shown = b""
    if watched:
        try:
            while chunk := os.read(screen, 65536):
                shown += chunk
        except OSError:  # the other end has closed
            pass
    else:
        shown = done.communicate()[0]
    os.close(screen)

    assert done.wait() == 0
    assert (b"waiting for a slow door, " in shown) is watched


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
from readiness import environment
from readiness.environment import Environment, Settings


def connect(application, name, **_):
    found = Environment(Settings(name, "some-stack", "us-east-1"), boto3.Session("a", "b", region_name="us-east-1"))
    vars(found).update(emulated=True, account_id="123456789012", preflight=bool, require_stack=bool)
    return found


environment.connect = connect
"""


@pytest.fixture
def spread(project, monkeypatch):
    """The same project, run by two workers, which are processes of their own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    project.pytester.makeconftest(ON_WORKERS.format(root=str(project.root)))
    project.pytester.runpytest_inprocess = project.pytester.runpytest_subprocess
    return project


def test_workers_tell_one_verdict(spread):
    assert spread.run("-n", "2", door="assert False, 'open'").ret == 1
    assert spread.outcomes() == {"SEC-01": "fail", "SEC-02": "pass"}


def test_a_worker_that_dies_leaves_its_item_unverified_and_the_rest_goes_on(spread):
    died = "import os; os._exit(1)"

    assert spread.run("-n", "1", door=died).ret == 1
    assert spread.outcomes() == {"SEC-01": "unverified", "SEC-02": "pass"}


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
    assert options.asks_for("active", expression) is asked


def test_junit_tells_a_failure_from_not_knowing(project):
    project.run(door="assert False", window="raise RuntimeError")
    xml = (project.root / "reports" / "staging" / "verification.xml").read_text()

    assert 'name="outcome" value="fail"' in xml
    assert 'name="outcome" value="unverified"' in xml

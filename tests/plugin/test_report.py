"""What the report, in each of its formats, holds of a check and of a run."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from readiness.report import document
from tests.plugin.project import CHECKS


@pytest.mark.parametrize(("ending", "outcome"), [("pass", "pass"), ("assert False", "fail")])
def test_what_a_check_notes_stands_in_the_report(project, ending, outcome):
    checks = CHECKS.replace("pytestmark", "from readiness.fixtures import evidence\npytestmark")
    checks = checks.replace("test_door():", "test_door(evidence):")

    project.run(door=f"evidence['doors'] = 3; {ending}", checks=checks)

    door, window = project.report()["items"]
    assert (door["outcome"], door["read"], window["read"]) == (outcome, {"doors": "3"}, {})


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


def test_one_cause_is_shown_once_with_its_items(project):
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


def test_figures_are_shown_and_change_no_outcome(project):
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


def test_junit_tells_a_failure_from_not_knowing(project):
    project.run(door="assert False", window="raise RuntimeError")
    xml = (project.root / "reports" / "staging" / "verification.xml").read_text()

    assert 'name="outcome" value="fail"' in xml
    assert 'name="outcome" value="unverified"' in xml

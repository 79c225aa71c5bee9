"""readiness/checklist.py"""

import pytest

from readiness import checklist
from readiness.application import CHECKLIST
from readiness.checklist import How, Item, Severity
from readiness.errors import UsageProblem
from verification.application import ROOT

ONE = """# Checklist

## Security

### SEC-10 Images bucket is private

*critical · read-only, active*

Nobody reads it
without credentials.

**Why.** Anyone who guesses
a key reads it.

**Remedy.** Block public access.
"""


def test_an_item_is_read_whole():
    item = checklist.parse(ONE)["SEC-10"]

    assert item == Item(
        id="SEC-10",
        title="Images bucket is private",
        severity=Severity.CRITICAL,
        how=frozenset({How.READ_ONLY, How.ACTIVE}),
        claim="Nobody reads it without credentials.",
        why="Anyone who guesses a key reads it.",
        remedy="Block public access.",
        section="security",
    )


def test_planned_is_a_word_of_the_second_line():
    assert checklist.parse(ONE.replace("active*", "active · planned*"))["SEC-10"].planned


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("critical", "grave", "'grave' is not a valid Severity"),
        ("active*", "guessing*", "'guessing' is not a valid How"),
        ("## Security", "", "SEC-10: expected a section, found none"),
        ("**Why.** ", "", r"expected '\*severity"),
        ("**Remedy.** ", "", r"expected '\*severity"),
        ("### ", "#### ", "holds no item"),
    ],
)
def test_what_is_malformed_is_named(old, new, message):
    with pytest.raises(UsageProblem, match=message):
        checklist.parse(ONE.replace(old, new))


def test_an_id_stands_there_once():
    with pytest.raises(UsageProblem, match="SEC-10: expected a unique id, found it twice"):
        checklist.parse(ONE + ONE)


def test_the_real_checklist_is_well_formed():
    items = checklist.load(ROOT / CHECKLIST)

    assert len(items) >= 98
    assert {item.section for item in items.values()} == {
        *("code", "config", "security", "infra", "cloudfront"),
    }


def test_a_section_may_name_its_marker():
    text = ONE.replace("## Security", "## Who may do what\n\nMarker `security`: keys and roles.")

    assert checklist.parse(text)["SEC-10"].section == "security"
    assert checklist.parse(ONE.replace("## Security", "## Who may"))["SEC-10"].section == "who_may"


def test_a_missing_checklist_is_a_usage_problem(tmp_path):
    with pytest.raises(UsageProblem, match="cannot be read"):
        checklist.load(tmp_path)


@pytest.mark.parametrize(
    ("bound", "problem"),
    [
        ([("t", "SEC-10", "security")], None),
        ([], "SEC-10: has no check"),
        ([("t", "", "security")], "t: names no item"),
        ([("t", "SEC-99", "security")], "t: item SEC-99 does not stand in"),
        ([("t", "SEC-10", "infra")], "t: SEC-10 belongs to section 'security', marked 'infra'"),
        ([("t", "SEC-10", "")], "marked 'none'"),
        ([("t", "SEC-10", "security"), ("u", "SEC-10", "security")], "SEC-10: has 2 checks"),
    ],
)
def test_items_and_checks_match_one_to_one(bound, problem):
    problems = checklist.binding_problems(checklist.parse(ONE), bound)

    assert problems == [] if problem is None else any(problem in found for found in problems)

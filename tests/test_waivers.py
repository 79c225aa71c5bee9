"""readiness/waivers.py"""

from datetime import date

import pytest

from readiness import waivers
from readiness.errors import UsageProblem

GOOD = """
[[waiver]]
item = "SEC-17"
environment = "staging"
reason = "reachable from the office alone"
approver = "Ada Lovelace"
expires = 2027-01-31
"""
TODAY = date(2027, 1, 31)


def load(tmp_path, text, today=TODAY):
    file = tmp_path / "waivers.toml"
    file.write_text(text)
    return waivers.load(file, items={"SEC-17"}, environments={"staging"}, today=today)


def test_a_waiver_counts_on_its_last_day(tmp_path):
    (waiver,) = load(tmp_path, GOOD)

    assert (waiver.item, waiver.approver, waiver.days_left(TODAY)) == ("SEC-17", "Ada Lovelace", 0)


def test_no_file_is_no_waiver(tmp_path):
    assert waivers.load(tmp_path / "none.toml", items=(), environments=(), today=TODAY) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2027-01-31", "2027-01-30", "expired on 2027-01-30"),
        ("2027-01-31", '"2027-01-31"', "expires: expected a date like"),
        ("2027-01-31", "2027-01-31T00:00:00", "expires: expected a date like"),
        ("SEC-17", "SEC-99", "no such item in PRODUCTION_CHECKLIST.md; did you mean 'SEC-17'"),
        ('"staging"', '"stagign"', "no such environment in environments.toml; did you mean 'staging'"),
        ('approver = "Ada Lovelace"', "", "line 2: waiver 1: lacks approver"),
        ('"Ada Lovelace"', '" "', "approver: expected a text that is not empty"),
        ('"Ada Lovelace"', "7", "approver: expected a text that is not empty"),
        ("[[waiver]]", "[[waver]]", r"unknown key 'waver' \(known: waiver\); did you mean 'waiver'\?"),
        ("[[waiver]]", "[waiver]", r"waiver: expected waivers written as \[\[waiver\]\], found a table"),
        ("[[waiver]]", "[[waiver", "cannot be read"),
    ],
)
def test_a_bad_waiver_stops_the_run(tmp_path, old, new, message):
    with pytest.raises(UsageProblem, match=message):
        load(tmp_path, GOOD.replace(old, new))


def test_one_waiver_an_item_and_environment(tmp_path):
    with pytest.raises(UsageProblem, match="expected one waiver, found two"):
        load(tmp_path, GOOD + GOOD)

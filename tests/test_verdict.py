"""readiness/verdict.py"""

import json
from datetime import date

import pytest

from readiness.errors import Gap
from readiness.verdict import Outcome, Result, Verdict, waive
from readiness.waivers import Waiver

PASS = Result("SEC-01", Outcome.PASS)
FAIL = Result("SEC-02", Outcome.FAIL, "it is open")
UNKNOWN = Result("SEC-03", Outcome.UNVERIFIED, "denied")
WAIVED = Result("SEC-04", Outcome.WAIVED, "known")
NEEDS_AWS = Result("SEC-05", Outcome.UNVERIFIED, "no such service", gap=Gap.NEEDS_AWS)
OFFLINE = Result("SEC-06", Outcome.UNVERIFIED, "no network", gap=Gap.NEEDS_INTERNET)
PLANNED = Result("SEC-07", Outcome.UNVERIFIED, "planned", gap=Gap.PLANNED)


@pytest.mark.parametrize(
    ("results", "rehearsal", "line", "status"),
    [
        ([PASS], False, "READY", 0),
        ([PASS, WAIVED], False, "READY (1 waived)", 0),
        ([PASS], True, "READY LOCALLY", 0),
        ([PASS, NEEDS_AWS, OFFLINE], True, "READY LOCALLY (1 need AWS, 1 need internet)", 0),
        ([PASS, PLANNED], True, "READY LOCALLY (1 planned)", 0),
        ([PASS, NEEDS_AWS], False, "NOT READY (1 unverified)", 1),
        ([PASS, PLANNED], False, "NOT READY (1 unverified)", 1),
        ([PASS, UNKNOWN], True, "NOT READY (1 unverified)", 1),
        ([PASS, FAIL, UNKNOWN], False, "NOT READY (1 failed, 1 unverified)", 1),
        ([FAIL, NEEDS_AWS], True, "NOT READY (1 failed, 1 need AWS)", 1),
    ],
)
def test_a_whole_run_is_ready_or_not(results, rehearsal, line, status):
    verdict = Verdict(results, items=len(results), rehearsal=rehearsal)

    assert (str(verdict), verdict.exit_status) == (line, status)


@pytest.mark.parametrize(
    ("results", "line", "status"),
    [
        ([PASS], "PASSED 1 of 1 selected (97 items not selected)", 0),
        ([PASS, FAIL], "NOT PASSED 1 of 2 selected (1 failed, 96 items not selected)", 1),
        ([], "NOT PASSED 0 of 0 selected (98 items not selected)", 1),
    ],
)
def test_a_part_of_the_checklist_is_never_ready(results, line, status):
    verdict = Verdict(results, items=98, rehearsal=False)

    assert (str(verdict), verdict.exit_status) == (line, status)


def test_a_gap_never_hides_a_failure():
    failed_with_gap = Result("SEC-05", Outcome.FAIL, "open", gap=Gap.NEEDS_AWS)

    assert not Verdict([failed_with_gap], items=1, rehearsal=True).ok


@pytest.mark.parametrize("result", [PASS, FAIL, WAIVED, NEEDS_AWS])
def test_a_result_survives_json(result):
    assert Result.of(json.loads(json.dumps(result.plain()))) == result


def test_only_a_failure_is_waived():
    waivers = {
        item: Waiver(item, "staging", "office only", "Ada", date(2030, 1, 31))
        for item in ("SEC-01", "SEC-02", "SEC-03")
    }

    today = date(2030, 1, 1)

    waived = waive(FAIL, waivers, today)

    assert waived.outcome is Outcome.WAIVED
    assert waived.reason == "waived until 2030-01-31 (30 days left) by Ada: office only [it is open]"
    assert "(1 day left)" in waive(FAIL, waivers, date(2030, 1, 30)).reason
    assert waive(UNKNOWN, waivers, today) is UNKNOWN
    assert waive(FAIL, {}, today) is FAIL
    assert waive(PASS, {}, today) is PASS


def test_a_waived_item_that_passes_again_says_so():
    waivers = {PASS.item: Waiver(PASS.item, "staging", "office only", "Ada", date(2030, 1, 31))}

    again = waive(PASS, waivers, date(2030, 1, 1))

    assert again.outcome is Outcome.PASS
    assert again.reason == "passes again: take its waiver of Ada out of waivers.toml"

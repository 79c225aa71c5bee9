"""readiness/report/terminal.py"""

from __future__ import annotations

from readiness.report.terminal import attention
from readiness.verdict import Found, Outcome, Result


def test_a_failure_is_shown_with_its_first_findings_why_and_remedy(build):
    findings = [Found("unused", f"a.py:{n}", "remove it" if n == 0 else "") for n in range(89)]

    assert attention(build(Result("SEC-01", Outcome.FAIL, "89 findings", findings=findings))) == [
        "FAIL       SEC-01 Title of SEC-01 (high)",
        "           89 findings",
        "           - a.py:0: unused -> remove it",
        *(f"           - a.py:{n}: unused" for n in range(1, 5)),
        "             and 84 more; verification.json holds all of them",
        "           why: Why of SEC-01.",
        "           remedy: Remedy of SEC-01.",
    ]


def test_a_cause_is_shown_once_with_its_items(build):
    found = [Result(f"SEC-0{n}", Outcome.UNVERIFIED, f"denied: {n}", cause="denied") for n in (1, 2)]

    assert attention(build(*found)) == [
        "UNVERIFIED 2 items could not be checked: SEC-01, SEC-02",
        "           cause: denied",
        "           denied: 1",
    ]


def test_what_is_in_order_is_not_shown(build):
    assert attention(build(Result("SEC-01", Outcome.PASS))) == []

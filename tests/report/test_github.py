"""readiness/report/github.py"""

from __future__ import annotations

import pytest

from readiness.checklist import Severity
from readiness.report import github
from readiness.report.github import append, commands
from readiness.verdict import Outcome, Result


def results(outcome, count, reason="open"):
    return [
        Result(f"SEC-{n:02}", outcome, reason, node="verification/checks/test_a.py::t", line=n)
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Outcome.FAIL, "error"),
        (Outcome.UNVERIFIED, "warning"),
        (Outcome.WAIVED, "notice"),
        (Outcome.PASS, None),
    ],
)
def test_each_outcome_has_its_kind(build, outcome, kind):
    said = list(commands(build(*results(outcome, 1, "" if kind is None else "open"))))

    expected = (
        f"::{kind} file=verification/checks/test_a.py,line=1,"
        f"title=SEC-01 Title of SEC-01 (high%2C {outcome})::open%0ARemedy: Remedy of SEC-01."
    )
    assert said == ([expected] if kind else [])


@pytest.mark.parametrize(("count", "lines"), [(10, 10), (11, 10), (98, 10)])
def test_github_takes_ten_of_a_kind_and_the_last_says_how_many_are_missing(build, count, lines):
    said = list(commands(build(*results(Outcome.FAIL, count))))

    assert len(said) == lines
    assert ("More of the same" in said[-1]) is (count > 10)
    if count > 10:
        assert f"::{count - 9} more: SEC-10, SEC-11" in said[-1]


def test_the_gravest_come_first(build):
    said = list(commands(build(*results(Outcome.FAIL, 12), severities={"SEC-12": Severity.CRITICAL})))

    assert "SEC-12" in said[0]


def test_no_text_ends_a_command_or_begins_another(build):
    wild = "100%\r\n::error::forged\n::stop-commands::x"
    (said,) = commands(build(*results(Outcome.FAIL, 1, wild), texts={"title": "a: b, c\n::d"}))

    assert "\n" not in said
    assert "\r" not in said
    assert "title=SEC-01 a%3A b%2C c%0A%3A%3Ad (high%2C fail)::100%25%0A" in said


def test_a_long_reason_is_cut(build):
    (said,) = commands(build(*results(Outcome.FAIL, 1, "x" * 100_000)))

    assert len(said.encode()) < 4096


def test_the_summary_is_added_to_what_stands_there(tmp_path):
    file = tmp_path / "summary"
    file.write_text("before\n")

    assert append(file, "# READY\n") == ""
    assert file.read_text() == "before\n# READY\n"


def test_a_summary_that_would_grow_too_long_stays_as_it_is_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(github, "SUMMARY", 10)
    file = tmp_path / "summary"
    file.write_text("123456")

    assert "would pass GitHub's 10" in append(file, "größer"[:4])
    assert file.read_text() == "123456"
    assert append(file, "7890") == ""


def test_a_summary_that_cannot_be_written_does_not_end_the_run(tmp_path):
    assert "cannot be written" in append(tmp_path / "nowhere" / "summary", "text")


def test_one_cause_is_one_annotation_with_all_its_items(build):
    found = [Result(f"SEC-{n:02}", Outcome.UNVERIFIED, "denied a: b", cause="denied a") for n in range(1, 31)]
    (said,) = commands(build(*found))

    assert said.startswith(
        "::warning title=30 items could not be checked::cause: denied a; 30 items could not"
    )
    assert all(f"SEC-{n:02}" in said for n in range(1, 31))
    assert said.endswith("%0AObserved: denied a: b")

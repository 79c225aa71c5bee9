"""readiness/report/trend.py, and the command that prints it."""

from __future__ import annotations

import pytest

from readiness.report import __main__ as command
from readiness.report.history import FOLDER, History, Past
from readiness.report.trend import RUNS, line, text, trend

FIRST = Past(
    "2026-11-20T07:00:00+00:00", "aaaa", "READY", {"SEC-01": "pass", "SEC-02": "pass"}, {}, {"security": 2.0}
)
SECOND = Past("2026-11-21T07:00:00+00:00", "bbbb", "NOT READY", {"SEC-01": "fail"}, {}, {"security": 4.0})
THIRD = Past("2026-11-22T07:00:00+00:00", "cccc", "READY", {"SEC-01": "pass", "SEC-02": "pass"}, {})
LATEST_FIRST = [THIRD, SECOND, FIRST]


def test_the_earliest_run_comes_first_and_only_items_that_changed_are_listed():
    shown = trend(LATEST_FIRST)

    assert [run["commit"] for run in shown["runs"]] == ["aaaa", "bbbb", "cccc"]
    assert shown["changing"] == [{"id": "SEC-01", "outcomes": ["pass", "fail", "pass"]}]
    assert shown["seconds"] == {"security": [2.0, 4.0, None]}
    assert shown["runs"][0]["counts"] == {"pass": 2}


def test_no_more_runs_are_shown_than_are_kept():
    many = [Past(f"2026-11-20T07:00:{number:02}+00:00", "a", "READY", {}, {}) for number in range(60)]

    assert len(trend(many)["runs"]) == RUNS


def test_a_line_has_its_largest_value_at_the_top_and_leaves_gaps_out():
    assert line([2.0, None, 4.0]) == "2,14.0 14,2.0"
    assert line([0.0]) == "2,26.0"


def test_the_terminal_tells_the_same():
    said = text(trend(LATEST_FIRST))

    assert "2026-11-21 07:00  bbbb          NOT READY" in said
    assert "SEC-01       pFp" in said
    assert "2.0      4.0      4.0" in said


def test_the_command_prints_the_runs_of_a_folder(tmp_path, capsys):
    same = {"stack": "shop", "region": "eu-west-1", "emulated": False}
    for past in reversed(LATEST_FIRST):
        History(tmp_path / FOLDER, same).keep(past)

    assert command.main(["history", str(tmp_path)]) == 0
    assert "SEC-01       pFp" in capsys.readouterr().out


def test_a_folder_without_runs_is_an_error(tmp_path, capsys):
    assert command.main(["history", str(tmp_path)]) == 4
    assert "run a verification first" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", [{}, {"security": 1.5}])
def test_a_record_keeps_its_seconds_and_may_have_none(tmp_path, seconds):
    past = Past("2026-11-20T07:00:00+00:00", "aaaa", "READY", {}, {}, seconds)
    History(tmp_path, {"stack": "shop"}).keep(past)

    assert History(tmp_path, {"stack": "shop"}).runs == [past]


def test_the_page_shows_the_runs_where_there_are_several(page):
    shown = page(trend=trend(LATEST_FIRST))

    assert "The last 3 runs" in shown
    assert 'title="2026-11-21T07:00:00+00:00 bbbb: fail">F<' in shown
    assert "The last" not in page(trend=trend(LATEST_FIRST[:1]))

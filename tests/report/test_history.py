"""readiness/report/history.py"""

from __future__ import annotations

import json

import pytest

from readiness.errors import UsageProblem
from readiness.report import history
from readiness.report.history import History, Past

SAME = {"stack": "s", "region": "r", "emulated": False}
NOW = "2026-11-24T00:00:00+00:00"


def past(day, failing_since=(), commit="0123456789ab", **outcomes):
    named = {id_.replace("_", "-"): outcome for id_, outcome in outcomes.items()}
    return Past(f"2026-11-{day:02}T08:00:00+00:00", commit, "a verdict", named, dict(failing_since))


@pytest.fixture
def kept(tmp_path):
    def kept(*runs, since="", same=SAME):
        for run in runs:
            History(tmp_path, SAME).keep(run)
        return History(tmp_path, same, since=since)

    return kept


def kinds(comparison):
    return {
        kind: [(change["id"], change["before"]) for change in found]
        for kind, found in comparison.items()
        if kind not in ("with", "notes") and found
    }


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        ("pass", "fail", "newly_failing"),
        ("unverified", "fail", "newly_failing"),
        ("waived", "fail", "newly_failing"),
        ("fail", "fail", "still_failing"),
        ("fail", "pass", "fixed"),
        ("waived", "pass", "fixed"),
        ("fail", "unverified", "newly_unverified"),
        ("pass", "unverified", "newly_unverified"),
        ("unverified", "unverified", None),
        ("unverified", "pass", None),
        ("pass", "pass", None),
        ("fail", "waived", None),
    ],
)
def test_each_change_has_its_name(kept, was, now, kind):
    comparison = kept(past(1, SEC_01=was)).compare({"SEC-01": now}, NOW)

    assert kinds(comparison) == ({kind: [("SEC-01", was)]} if kind else {})
    assert comparison["with"] == {
        "started": "2026-11-01T08:00:00+00:00",
        "commit": "0123456789ab",
        "verdict": "a verdict",
    }


def test_an_item_that_was_never_looked_at_and_fails_is_new(kept):
    assert kinds(kept(past(1, SEC_02="pass")).compare({"SEC-01": "fail"}, NOW)) == {
        "newly_failing": [("SEC-01", "")]
    }


def test_without_an_earlier_run_there_is_nothing_to_compare(kept):
    comparison = kept().compare({"SEC-01": "fail"}, NOW)

    assert comparison["with"] is None
    assert kinds(comparison) == {}


def test_a_run_over_a_part_does_not_hide_what_an_older_one_saw(kept):
    before = kept(past(1, SEC_01="fail", CDN_01="pass"), past(2, CDN_01="pass"))

    assert kinds(before.compare({"SEC-01": "pass", "CDN-01": "pass"}, NOW)) == {"fixed": [("SEC-01", "fail")]}


def test_it_fails_since_the_first_of_an_unbroken_line(kept):
    before = kept(
        past(1, SEC_01="fail"), past(2, SEC_01="pass"), past(3, SEC_01="fail"), past(4, CDN_01="pass")
    )

    assert before.failing_since({"SEC-01": "fail", "CDN-01": "fail"}, NOW) == {
        "SEC-01": "2026-11-03T08:00:00+00:00",
        "CDN-01": NOW,
    }


def test_the_beginning_outlives_the_run_that_saw_it(kept):
    before = kept(past(9, {"SEC-01": "2026-10-01T08:00:00+00:00"}, SEC_01="fail"))

    assert before.failing_since({"SEC-01": "fail"}, NOW) == {"SEC-01": "2026-10-01T08:00:00+00:00"}


@pytest.mark.parametrize(
    "since", ["2026-11-01", "2026-11-01T08:00:00+00:00", "20261101T08", "20261101T080000Z.json", "aaaa"]
)
def test_a_run_is_named_by_its_time_its_file_or_its_commit(kept, since):
    before = kept(past(1, commit="aaaa1111", SEC_01="fail"), past(2, SEC_01="pass"), since=since)

    assert before.compare({"SEC-01": "pass"}, NOW)["with"]["started"].startswith("2026-11-01")
    assert kinds(before.compare({"SEC-01": "pass"}, NOW)) == {"fixed": [("SEC-01", "fail")]}


def test_of_several_runs_with_that_name_the_latest_is_meant(kept):
    before = kept(past(1, SEC_01="pass"), past(2, SEC_01="pass"), since="2026-11")

    assert before.baselines[0].started.startswith("2026-11-02")


def test_a_run_that_is_not_there_says_which_are(kept):
    with pytest.raises(
        UsageProblem, match=r"--since 2025: no run .* \(latest: 2026-11-01T08:00:00\+00:00 \(0123"
    ):
        kept(past(1, SEC_01="pass"), since="2025").require_baseline()

    with pytest.raises(UsageProblem, match=r"latest: .*; name the beginning"):
        kept(since=".json").require_baseline()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"version": 1}',
        b"\xff\xfe",
        json.dumps({"version": 1, **SAME, **vars(past(1)), "outcomes": {"SEC-01": "maybe"}}),
        json.dumps({"version": 1, **SAME, **vars(past(1)), "outcomes": ["SEC-01"]}),
        json.dumps({"version": 1, **SAME, **vars(past(1)), "started": "yesterday"}),
        json.dumps({"version": 1, **SAME, **vars(past(1)), "started": "2026-11-01T08:00:00"}),
        json.dumps({"version": 1, **SAME, **vars(past(1)), "commit": 7}),
    ],
)
def test_what_is_no_run_is_said_and_left_alone(kept, tmp_path, text):
    (tmp_path / "20261103T000000Z.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    before = kept(past(2, SEC_01="fail"))

    assert kinds(before.compare({"SEC-01": "fail"}, NOW)) == {"still_failing": [("SEC-01", "fail")]}
    assert len(before.notes) == 1
    assert before.notes[0].startswith("20261103T000000Z.json was left out: it is no run's record")
    assert (tmp_path / "20261103T000000Z.json").exists()


@pytest.mark.parametrize(("name", "value"), [("stack", "other"), ("emulated", True), ("region", "x")])
def test_a_run_of_another_place_is_said_and_not_compared_with(kept, name, value):
    before = kept(past(1, SEC_01="fail"), same={**SAME, name: value})

    assert kinds(before.compare({"SEC-01": "pass"}, NOW)) == {}
    assert before.notes == [f"20261101T080000Z.json was left out: it is of another {name}"]


def test_a_folder_in_it_is_said_too(kept, tmp_path):
    (tmp_path / "folder").mkdir()

    assert list(kept(past(1, SEC_01="pass")).runs) == [past(1, SEC_01="pass")]


def test_only_so_many_are_kept_and_other_files_are_not_touched(kept, tmp_path, monkeypatch):
    monkeypatch.setattr(history, "KEPT", 3)
    (tmp_path / "notes.txt").write_text("mine")
    kept(*(past(day, SEC_01="pass") for day in range(1, 8)))

    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "20261105T080000Z.json",
        "20261106T080000Z.json",
        "20261107T080000Z.json",
        "notes.txt",
    ]

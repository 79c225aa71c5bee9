"""verification/report/document.py, and the files that write() leaves"""

from __future__ import annotations

import json

import pytest

from verification import __version__
from verification.errors import Gap
from verification.report import document, write
from verification.verdict import Outcome, Result


def test_the_document_keeps_its_contract(make):
    run = make(
        Result("SEC-01", Outcome.PASS, seconds=1.23456, node="test_a.py::test_door", read={"door": "shut"}),
        Result("CDN-01", Outcome.UNVERIFIED, "größer", gap=Gap.PLANNED, evidence="because"),
        name="local",
        emulated=True,
    )
    text = document.render(run)

    content = json.loads(text)
    items = content.pop("items")
    assert content == {
        "version": 1,
        "suite": __version__,
        "verdict": "READY LOCALLY (1 planned)",
        "ok": True,
        "environment": "local",
        "emulated": True,
        "stack": "pixel-prompt-local",
        "region": "eu-west-1",
        "account": "********9012",
        "commit": "",
        "started": "2026-11-23T07:05:09+00:00",
        "seconds": 61.234,
    }
    assert items == [
        {
            "id": "SEC-01",
            "title": "Title of SEC-01",
            "section": "security",
            "severity": "high",
            "outcome": "pass",
            "reason": "",
            "gap": None,
            "seconds": 1.235,
            "node": "test_a.py::test_door",
            "evidence": "",
            "read": {"door": "shut"},
        },
        {
            "id": "CDN-01",
            "title": "Title of CDN-01",
            "section": "cloudfront",
            "severity": "high",
            "outcome": "unverified",
            "reason": "größer",
            "gap": "planned",
            "seconds": 0.0,
            "node": "",
            "evidence": "because",
            "read": {},
        },
    ]
    assert "größer" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("outcome", Outcome)
def test_the_document_says_plainly_whether_all_is_well(make, outcome):
    content = json.loads(document.render(make(Result("SEC-01", outcome))))

    assert content["ok"] is (outcome in (Outcome.PASS, Outcome.WAIVED))


def test_whole_files_are_left_and_no_temporary_one(make, tmp_path):
    run = make(Result("SEC-01", Outcome.PASS))
    write(run, tmp_path)

    assert sorted(file.name for file in tmp_path.iterdir()) == ["verification.json", "verification.md"]
    assert json.loads((tmp_path / "verification.json").read_text())["ok"] is True
    assert (tmp_path / "verification.md").read_text().startswith("# READY\n")


def test_an_earlier_report_is_replaced_as_a_whole(make, tmp_path):
    (tmp_path / "verification.json").write_text("x" * 100_000)
    write(make(Result("SEC-01", Outcome.FAIL, "größer")), tmp_path)

    assert json.loads((tmp_path / "verification.json").read_bytes())["items"][0]["reason"] == "größer"


def test_a_report_that_cannot_be_made_leaves_the_earlier_one(make, tmp_path):
    (tmp_path / "verification.json").write_text("earlier")
    run = make(Result("SEC-01", Outcome.FAIL))
    vars(run).update(items={})

    with pytest.raises(KeyError):
        write(run, tmp_path)

    assert [file.read_text() for file in tmp_path.iterdir()] == ["earlier"]

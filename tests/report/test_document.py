"""readiness/report/document.py with schema.json, and the files that write() leaves"""

from __future__ import annotations

import hashlib
import json

import jsonschema
import pytest

from readiness import __version__
from readiness.errors import Gap, UsageProblem
from readiness.report import document, write
from readiness.report.document import alterations, build, digest, read
from readiness.report.run import Picture
from readiness.verdict import Found, Outcome, Result, Waived
from tests.report import examples
from tests.report.conftest import TEMPLATE


def saved(content, tmp_path):
    file = tmp_path / "verification.json"
    file.write_text(document.render(content))
    return file


def test_the_document_keeps_its_contract(make, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    run = make(
        Result(
            "SEC-01",
            Outcome.PASS,
            seconds=1.23456,
            node="test_a.py::test_door",
            read={"door": "shut"},
            line=7,
            observed=[("door.shut", "True")],
            exchanges=["<GET / -> 200>"],
        ),
        Result("CDN-01", Outcome.UNVERIFIED, "größer", gap=Gap.PLANNED, evidence="because", output="log"),
        Result("SEC-02", Outcome.WAIVED, "known", waiver=Waived("why", "Ada", "2027-01-01", 5)),
        name="local",
        emulated=True,
        pictures={"SEC-01": [Picture("/", "aGVsbG8=")]},
    )
    content = json.loads(document.render(build(run)))

    items = content.pop("items")
    assert content.pop("digest").startswith("sha256:")
    assert content == {
        "version": 4,
        "suite": __version__,
        "verdict": "READY LOCALLY (1 waived, 1 planned)",
        "ok": True,
        "interrupted": "",
        "environment": "local",
        "emulated": True,
        "rehearsal": True,
        "stack": "pixel-prompt-local",
        "region": "eu-west-1",
        "account": "********9012",
        "commit": "",
        "template": hashlib.sha256(TEMPLATE.encode()).hexdigest(),
        "author": {"kind": "CI actor", "name": "ada", "url": ""},
        "signature": "not signed: emulated",
        "started": "2026-11-23T07:05:09+00:00",
        "seconds": 61.234,
        "checklist": 3,
        "attention": ["SEC-02"],
        "comparison": None,
        "budgets": None,
        "spending": None,
        "left_out": {},
    }
    assert items[0] == {
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
        "claim": "Claim of SEC-01.",
        "why": "Why of SEC-01.",
        "remedy": "Remedy of SEC-01.",
        "how": ["read-only"],
        "line": 7,
        "code": "",
        "waiver": None,
        "observed": [{"assertion": "door.shut", "values": "True"}],
        "exchanges": ["<GET / -> 200>"],
        "output": "",
        "cause": "",
        "findings": [],
        "findings_left_out": 0,
        "pictures": [{"name": "/", "sha256": hashlib.sha256(b"hello").hexdigest()}],
    }
    assert (items[1]["gap"], items[1]["evidence"], items[1]["reason"]) == ("planned", "because", "größer")
    assert items[2]["waiver"] == {"reason": "why", "approver": "Ada", "expires": "2027-01-01", "days_left": 5}


@pytest.mark.parametrize("name", examples.KINDS)
def test_every_kind_of_report_conforms_to_the_schema_and_is_unaltered(make, tmp_path, name):
    file = saved(build(examples.kind(make, name, tmp_path / "history")), tmp_path)

    assert alterations(read(file)) == []


def test_the_schema_is_one_and_lets_later_suites_say_more(build):
    jsonschema.Draft202012Validator.check_schema(document.schema())
    content = build(Result("SEC-01", Outcome.PASS))

    jsonschema.validate({**content, "more": 1}, document.schema())


@pytest.mark.parametrize(
    "field", [*document.schema()["required"], *document.schema()["$defs"]["item"]["required"]]
)
def test_a_report_without_one_of_its_parts_is_none(build, tmp_path, field):
    content = build(Result("SEC-01", Outcome.PASS))
    (content if field in content else content["items"][0]).pop(field)

    with pytest.raises(UsageProblem, match=f"expected a report of version 4.*'{field}'"):
        read(saved(content, tmp_path))


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '{"version": 1}'])
def test_another_file_is_no_report(tmp_path, text):
    (tmp_path / "a.json").write_text(text)

    with pytest.raises(UsageProblem, match="expected a report"):
        read(tmp_path / "a.json")


def altered(content, where, value):
    changed = json.loads(json.dumps(content))
    *path, last = where
    inner = changed
    for step in path:
        inner = inner[step]
    assert inner[last] != value
    inner[last] = value
    return changed


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (["items", 0, "outcome"], "pass"),
        (["items", 0, "reason"], "it is closed"),
        (["items", 0, "evidence"], ""),
        (["items", 0, "observed"], []),
        (["commit"], "0123456789ab"),
        (["emulated"], False),
        (["verdict"], "READY"),
        (["started"], "2026-11-24T07:05:09+00:00"),
        (["digest"], "sha256:" + "0" * 64),
    ],
)
def test_whatever_is_altered_is_seen(build, where, value):
    failed = Result("SEC-01", Outcome.FAIL, "it is open", evidence="trace", observed=[("a", "b")])
    content = build(failed, emulated=True)

    assert alterations(content) == []
    assert alterations(altered(content, where, value))


def test_a_verdict_that_its_items_do_not_bear_is_seen_even_with_a_digest_reckoned_anew(build):
    content = altered(build(Result("SEC-01", Outcome.FAIL, "it is open")), ["verdict"], "READY")
    content["ok"] = True

    assert alterations({**content, "digest": digest(content)}) == [
        "its items conclude 'NOT READY (1 failed)', it says 'READY'"
    ]


def test_layout_is_no_alteration(build, tmp_path):
    content = build(Result("SEC-01", Outcome.PASS, "größer"))
    file = tmp_path / "verification.json"
    file.write_text(json.dumps(dict(reversed(content.items()))))

    assert alterations(read(file)) == []


@pytest.mark.parametrize("outcome", Outcome)
def test_the_document_says_plainly_whether_all_is_well(build, outcome):
    assert build(Result("SEC-01", outcome))["ok"] is (outcome in (Outcome.PASS, Outcome.WAIVED))


@pytest.mark.parametrize(
    ("outcome", "how", "signature"),
    [
        (Outcome.PASS, {"emulated": True}, "not signed: emulated"),
        (Outcome.FAIL, {}, "not signed: not ready"),
        (Outcome.PASS, {"total": 9}, "not signed: a part of the checklist"),
        (Outcome.PASS, {}, "run by ada (CI actor); not yet signed by a reviewer"),
    ],
)
def test_only_a_whole_and_good_run_on_aws_can_be_signed(build, monkeypatch, outcome, how, signature):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_ACTOR", "ada")

    assert build(Result("SEC-01", outcome), **how)["signature"] == signature


def test_every_text_is_redacted_from_every_source(build):
    key = "sk-" + "a1" * 20
    content = build(
        Result("SEC-01", Outcome.FAIL, key, evidence=key, output=key, exchanges=[key], observed=[(key, key)]),
        texts={"why": key, "title": key},
        comparison={"notes": [key]},
    )

    assert key not in document.render(content)
    assert alterations(content) == []


def test_whole_files_are_left_and_no_temporary_one(build, tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    write(build(Result("SEC-01", Outcome.PASS)), folder)

    assert sorted(file.name for file in folder.iterdir()) == ["verification.json", "verification.md"]
    assert json.loads((folder / "verification.json").read_text())["ok"] is True
    assert (folder / "verification.md").read_text().startswith("# READY\n")


def test_an_earlier_report_is_replaced_as_a_whole(build, tmp_path):
    (tmp_path / "verification.json").write_text("x" * 100_000)
    write(build(Result("SEC-01", Outcome.FAIL, "größer")), tmp_path)

    assert json.loads((tmp_path / "verification.json").read_bytes())["items"][0]["reason"] == "größer"


def test_a_report_that_cannot_be_made_leaves_the_earlier_one(build, tmp_path):
    (tmp_path / "verification.json").write_text("earlier")
    content = build(Result("SEC-01", Outcome.FAIL))
    del content["attention"]

    with pytest.raises(KeyError):
        write(content, tmp_path)

    assert (tmp_path / "verification.json").read_text() == "earlier"


def test_an_older_report_is_called_one(build, tmp_path):
    older = {**build(Result("SEC-01", Outcome.PASS)), "version": 2, "suite": "0.9"}

    with pytest.raises(
        UsageProblem, match=r"expected a report of version 4, found one of version 2, by suite 0\.9"
    ):
        read(saved(older, tmp_path))


def test_findings_beyond_the_room_of_a_report_are_left_out_of_the_longest_lists_and_counted(
    build, monkeypatch
):
    monkeypatch.setattr(document, "FINDINGS", 1_000)
    short, long = [Found("x" * 10)] * 5, [Found("y" * 90, "place-----")] * 30
    content = build(
        Result("SEC-01", Outcome.FAIL, findings=short),
        Result("SEC-02", Outcome.FAIL, findings=long, findings_left_out=2),
        Result("SEC-03", Outcome.FAIL, findings=long),
    )

    kept = [(len(item["findings"]), item["findings_left_out"]) for item in content["items"]]
    assert kept == [(5, 0), (4, 28), (5, 25)]
    assert alterations(content) == []

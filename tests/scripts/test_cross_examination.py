"""scripts/cross-examine.sh: what the tools said, and that nothing they said goes by unanswered."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from readiness.errors import UsageProblem
from scripts.cross_examination import coverage, document
from scripts.cross_examination.__main__ import main
from scripts.cross_examination.answers import Answer, Finding, read
from scripts.cross_examination.coverage import Coverage, Mended, Row
from scripts.cross_examination.scene import Scene
from tests.scripts.project import REPOSITORY, Project

BUCKET = "pixel-images-1a2b"
SCENE = Scene(
    "local",
    "pixel-prompt-local",
    emulated=True,
    resources={
        "ImagesBucket": BUCKET,
        "ImagesBucketPolicy": BUCKET,
        "Role": "pixel-Role-3c4d",
        "Log": "/pixel-prompt/local/api",
        "Topic": "arn:aws:sns:us-east-1:000000000000:alarms",
        "Queue": "https://sqs.us-east-1.amazonaws.com/000000000000/jobs",
        "Gone": "",
    },
)
SERVICES = ("s3", "iam")
COVERAGE = """\
[prowler]
no_versioning = { reason = "images never change" }
[checkov]
CKV_1 = { items = ["SEC-10"], note = "by a request, too" }
"CKV_2@ImagesBucket" = { open = "nobody looks" }
[cfn-lint]
W1 = { reason = "on purpose" }
[parliament]
RESOURCE_STAR = { items = ["SEC-08"] }
"""


def event(check: str, status: str, service: str, uid: str) -> dict[str, Any]:
    return {
        "metadata": {"event_code": check},
        "status_code": status,
        "finding_info": {"title": f"{check} says"},
        "resources": [{"uid": uid, "name": "", "group": {"name": service}}],
    }


def check(id_: str, file: str, resource: str = "AWS::S3::Bucket.ImagesBucket") -> dict[str, Any]:
    return {"check_id": id_, "check_name": f"{id_} says", "file_path": f"/{file}", "resource": resource}


def match(rule: str, file: str, path: list[object]) -> dict[str, Any]:
    return {
        "Filename": file,
        "Location": {"Path": path},
        "Rule": {"Id": rule, "ShortDescription": f"{rule} | says"},
    }


def issue(name: str, role: str) -> dict[str, Any]:
    return {"issue": name, "title": f"{name} says", "location": {"filepath": role}}


class Said:
    """The files that the tools leave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = [
            event("no_versioning", "FAIL", "s3", f"arn:aws:s3:::{BUCKET}"),
            event("is_private", "PASS", "s3", f"arn:aws:s3:::{BUCKET}"),
            event("root_mfa", "FAIL", "iam", "arn:aws:iam::000000000000:root"),
        ]
        self.failed = [
            check("CKV_1", "template.yaml"),
            check("CKV_1", "processed.json"),
            check("CKV_2", "processed.json"),
        ]
        self.lint = [
            match("E3002", "answers/control.json", ["Resources", "Control"]),
            match("W1", "backend/template.yaml", ["Parameters", "Key"]),
        ]
        self.issues = [
            issue("UNKNOWN_PREFIX", "control"),
            issue("RESOURCE_STAR", "arn:aws:iam::0:role/pixel-Role-3c4d"),
        ]
        self.statuses = {"prowler": 0, "checkov": 0, "cfn-lint": 6, "parliament": 1}

    def read(self) -> list[Answer]:
        self.write()
        return read(self.folder, SCENE, SERVICES)

    def write(self) -> None:
        passed = [check("CKV_3", "template.yaml", "AWS::IAM::Role.Role")]
        results = {"passed_checks": passed, "failed_checks": self.failed, "parsing_errors": []}
        outputs = {
            "prowler": "a summary for people",
            "checkov": json.dumps([{"results": results}, {"passed": 0, "failed": 0}]),
            "cfn-lint": json.dumps(self.lint),
            "parliament": "\n".join(map(json.dumps, self.issues)),
        }
        for tool, output in outputs.items():
            versions = {"cfn-lint": ""}
            files = {
                "out": output,
                "err": "",
                "status": f"{self.statuses[tool]}",
                "seconds": "1.25\n",
                "version": versions.get(tool, "1.0"),
            }
            for suffix, text in files.items():
                (self.folder / f"{tool}.{suffix}").write_text(text)
        (self.folder / "prowler.ocsf.json").write_text(json.dumps(self.events))
        (self.folder / "prowler.log").write_text("denied\n")


@pytest.fixture
def said(tmp_path: Path) -> Said:
    return Said(tmp_path)


@pytest.mark.parametrize(
    ("name", "logical_id"),
    [
        (f"arn:aws:s3:::{BUCKET}", "ImagesBucket"),
        (f"arn:aws:s3:::{BUCKET}-2", None),
        ("arn:aws:iam::000000000000:role/pixel-Role-3c4d", "Role"),
        ("arn:aws:logs:us-east-1:000000000000:log-group:/pixel-prompt/local/api:*", "Log"),
        ("arn:aws:sns:us-east-1:000000000000:alarms", "Topic"),
        ("arn:aws:sqs:us-east-1:000000000000:jobs", "Queue"),
        ("arn:aws:iam::000000000000:root", None),
        ("", None),
    ],
)
def test_resources_are_known_by_arn_address_and_name(name: str, logical_id: str | None) -> None:
    assert SCENE.resource(name) == logical_id


def test_each_tool_is_read(said: Said) -> None:
    prowler, checkov, cfn_lint, parliament = said.read()

    assert prowler.findings == [Finding("prowler", "no_versioning", "ImagesBucket", "no_versioning says")]
    assert (prowler.looked, prowler.elsewhere, prowler.errors) == (2, {"root_mfa": 1}, 1)
    assert prowler.seconds == 1.25
    assert [finding.id for finding in checkov.findings] == ["CKV_1", "CKV_2"], (
        "once, though in both templates"
    )
    assert checkov.looked == 3
    assert cfn_lint.findings == [Finding("cfn-lint", "W1", "", "W1 | says")]
    assert cfn_lint.version[0].isdigit()
    assert parliament.findings == [Finding("parliament", "RESOURCE_STAR", "Role", "")]


def test_what_was_not_decided_is_a_finding(said: Said) -> None:
    said.events.append(event("by_hand", "MANUAL", "s3", f"arn:aws:s3:::{BUCKET}"))

    assert "by_hand" in [finding.id for finding in said.read()[0].findings]


@pytest.mark.parametrize(
    ("tool", "status"), [("prowler", 1), ("checkov", 2), ("cfn-lint", 1), ("parliament", 0)]
)
def test_tool_that_broke_off_is_an_error(said: Said, tool: str, status: int) -> None:
    said.statuses[tool] = status

    with pytest.raises(UsageProblem, match=f"{tool} ended with {status}"):
        said.read()


def test_service_that_prowler_could_not_see_is_an_error(said: Said) -> None:
    said.events.pop()

    with pytest.raises(UsageProblem, match="prowler gave nothing about iam"):
        said.read()


def test_prowler_that_saw_another_account_is_an_error(said: Said) -> None:
    said.events[:2] = [event("no_versioning", "FAIL", "s3", "arn:aws:s3:::another")]

    with pytest.raises(UsageProblem, match="checked nothing of 'pixel-prompt-local'"):
        said.read()


def test_template_that_checkov_did_not_judge_is_an_error(said: Said) -> None:
    said.failed = [check("CKV_1", "template.yaml")]

    with pytest.raises(UsageProblem, match=r"checkov judged nothing in processed\.json"):
        said.read()


@pytest.mark.parametrize(("attribute", "tool"), [("lint", "cfn-lint"), ("issues", "parliament")])
def test_linter_that_misses_the_planted_mistake_did_not_look(said: Said, attribute: str, tool: str) -> None:
    getattr(said, attribute).pop(0)

    with pytest.raises(UsageProblem, match=f"{tool} missed the control's mistake"):
        said.read()


def test_missing_output_is_an_error(said: Said) -> None:
    said.write()
    (said.folder / "prowler.ocsf.json").unlink()

    with pytest.raises(
        UsageProblem, match=r"prowler wrote no prowler\.ocsf\.json; its last words: a summary"
    ):
        read(said.folder, SCENE, SERVICES)


def test_garbage_is_an_error(said: Said) -> None:
    said.write()
    (said.folder / "checkov.out").write_text("Traceback")

    with pytest.raises(UsageProblem, match="checkov wrote no JSON; its last words: Traceback"):
        read(said.folder, SCENE, SERVICES)


def table(folder: Path, text: str) -> Coverage:
    (folder / "coverage.toml").write_text(text)
    return coverage.load(folder / "coverage.toml", {"SEC-08", "SEC-10"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[prowler]\nx = { items = ["SEC-99"] }', "item SEC-99 does not stand in PRODUCTION_CHECKLIST.md"),
        ("[prowler]\nx = {}", "prowler.x: expected one of items, reason, open"),
        ('[prowler]\nx = { items = ["SEC-08"], reason = "y" }', "expected one of items, reason, open"),
        ('[prowler]\nx = { items = "SEC-08" }', "items is a list"),
        ('[prowler]\nx = { because = "y" }', "because"),
        ('[trivy]\nx = { reason = "y" }', "trivy.x: unknown tool"),
        ('prowler = "x"', "cannot be read"),
        ("[prowler", "cannot be read"),
    ],
)
def test_bad_table_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UsageProblem, match=complaint):
        table(tmp_path, text)


def test_row_of_one_resource_goes_first(tmp_path: Path) -> None:
    rows = table(tmp_path, '[prowler]\nx = { reason = "all" }\n"x@ImagesBucket" = { items = ["SEC-10"] }')

    assert rows.row(Finding("prowler", "x", "ImagesBucket", "")) == Row(
        "prowler", "x@ImagesBucket", ["SEC-10"]
    )
    assert rows.row(Finding("prowler", "x", "Role", "")) == Row("prowler", "x", reason="all")
    assert rows.row(Finding("checkov", "x", "Role", "")) is None


def test_document_counts_and_answers(said: Said, tmp_path: Path) -> None:
    rows = table(tmp_path, COVERAGE)
    rows = Coverage(rows.rows, [Mended("checkov", "CKV_9", "it logs now")])

    text = document.render(SCENE, said.read(), rows, date(2026, 11, 24))

    assert "Run of 2026-11-24 on `pixel-prompt-local` (the embedded AWS)." in text
    assert "5 findings, each about one resource: 2 covered by items, 2 not relevant, 1 open." in text
    assert (
        "| checkov 1.0 | `backend/template.yaml` and the processed template | 1.2 s | 3 | 2 | 1 | 0 | 1 |"
        in text
    )
    assert "| `CKV_1` | CKV_1 says | ImagesBucket | Covered by SEC-10: by a request, too |" in text
    assert "| `W1` | W1 \\| says | the template | Not relevant: on purpose |" in text
    assert "- **Open**, checkov `CKV_2@ImagesBucket`: nobody looks" in text
    assert "- **Mended**, checkov `CKV_9`: it logs now" in text
    assert "1 more are about the account" in text
    assert "`root_mfa`" in text


@pytest.fixture
def root(tmp_path: Path, said: Said) -> Path:
    """A repository that holds what the judgement reads, and the tools' answers."""
    made = tmp_path / "root"
    (made / "docs").mkdir(parents=True)
    shutil.copy(REPOSITORY / "PRODUCTION_CHECKLIST.md", made)
    (made / "docs" / "coverage.toml").write_text(COVERAGE)
    said.write()
    (said.folder / "scene.json").write_text(json.dumps(vars(SCENE)))
    return made


def test_everything_answered_is_written_down(root: Path, said: Said) -> None:
    assert main(["judge", str(said.folder), *SERVICES], root=root) == 0
    assert "5 findings" in (root / "docs" / "COVERAGE.md").read_text()


def test_unanswered_finding_fails_and_is_named(
    root: Path, said: Said, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "docs" / "coverage.toml").write_text(COVERAGE.replace("no_versioning", "another"))

    assert main(["judge", str(said.folder), *SERVICES], root=root) == 1
    out, err = capsys.readouterr()
    assert out == "unanswered: prowler no_versioning (ImagesBucket): no_versioning says\n"
    assert "nothing asks for the row prowler.another" in err
    assert not (root / "docs" / "COVERAGE.md").exists()


def test_tool_without_answer_ends_with_4(root: Path, said: Said, capsys: pytest.CaptureFixture[str]) -> None:
    (said.folder / "checkov.status").unlink()

    assert main(["judge", str(said.folder), *SERVICES], root=root) == 4
    assert "checkov wrote no checkov.status" in capsys.readouterr().err


def test_script_asks_every_tool_and_passes_the_judgement_on(project: Project) -> None:
    """With the tools in their places; the third one breaks off, which is for the judgement to say."""
    tools = project.root / ".local" / "cross-examination"
    binaries = project.root / ".venv" / "bin"
    (project.root / ".venv").unlink()
    for name in ("python", "cfn-lint"):
        project.stub(name, binaries)
    project.stub("uv", project.root / ".tools" / "uv" / "bin")
    project.stub("cloud.sh", project.root / "scripts")
    project.behave(
        project.root / "scripts", {"cloud.sh": {"print": "export AWS_ENDPOINT_URL=https://127.0.0.1:1"}}
    )
    pins = dict(
        re.findall(
            r"^([A-Z_]+)=([\d.]+)$", (project.root / "scripts" / "cross-examine.sh").read_text(), re.MULTILINE
        )
    )
    for name, pin in pins.items():
        tool = name.lower().replace("_", "-")
        project.stub(tool, tools / tool / "bin")
        (tools / tool / ".version").write_text(pin)
    project.behave(
        binaries,
        {
            "python prepare": {"print": "eu-west-1"},
            "python judge": {"exit": 1, "print": "unanswered: x"},
        },
    )
    project.behave(tools / "checkov" / "bin", {"checkov": {"exit": 7}})

    ended = project.run("cross-examine.sh")

    assert (ended.status, ended.out) == (1, "unanswered: x\n"), ended.err
    answers = tools / "answers"
    assert (answers / "checkov.status").read_text() == "7"
    assert (answers / "prowler.status").read_text() == "0"
    assert float((answers / "prowler.seconds").read_text()) >= 0
    prowler = project.calls("prowler", tools / "prowler" / "bin")[0]
    assert prowler["env"]["AWS_ENDPOINT_URL"] == "https://127.0.0.1:1"
    assert "PYTHONPATH" not in prowler["env"]
    assert prowler["argv"][prowler["argv"].index("--region") + 1] == "eu-west-1"
    assert sorted(pins) == ["CHECKOV", "COSMIC_RAY", "PARLIAMENT", "PROWLER", "SETUPTOOLS"]
    assert not project.calls("uv", project.root / ".tools" / "uv" / "bin"), (
        "what is there is not brought again"
    )


def test_script_refuses_an_unknown_option(project: Project) -> None:
    ended = project.run("cross-examine.sh", "--what")

    assert ended.status == 4
    assert "usage: scripts/cross-examine.sh" in ended.err


def test_script_brings_the_tools_and_asks_nothing(project: Project) -> None:
    """What asks them about a template needs no stack."""
    binaries = project.root / ".venv" / "bin"
    (project.root / ".venv").unlink()
    for name in ("python", "cfn-lint"):
        project.stub(name, binaries)
    project.stub("uv", project.root / ".tools" / "uv" / "bin")
    tools = project.root / ".local" / "cross-examination"
    script = (project.root / "scripts" / "cross-examine.sh").read_text()
    pins = dict(re.findall(r"^([A-Z_]+)=([\d.]+)$", script, re.MULTILINE))
    for name, pin in pins.items():
        tool = name.lower().replace("_", "-")
        (tools / tool).mkdir(parents=True)
        (tools / tool / ".version").write_text(pin)
    uv = project.root / ".tools" / "uv" / "bin"

    ended = project.run("cross-examine.sh", "--tools")

    assert ended.status == 0, ended.err
    assert not project.calls("python", binaries)
    assert not project.calls("uv", uv), "what is there is not brought again"
    assert not (tools / "answers").exists()

    (tools / "cosmic-ray" / ".version").unlink()
    project.run("cross-examine.sh", "--tools")

    *_, install = project.calls("uv", uv)
    assert install["argv"][-1] == f"cosmic-ray=={pins['COSMIC_RAY']}"

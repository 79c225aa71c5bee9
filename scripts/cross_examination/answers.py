"""What each tool said, from what it writes for machines.

A tool that did not run, broke off, or checked nothing raises: an empty table must mean that nothing was found.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from readiness.errors import UsageProblem
from scripts.cross_examination.scene import CONTROL, Scene

SOURCE, PROCESSED = "template.yaml", "processed.json"


@dataclass(frozen=True, order=True)
class Finding:
    """One complaint about one resource.

    Args:
        tool: who complains.
        id: the tool's own name for the complaint.
        resource: the resource's logical id; '' for the template as a whole.
        says: the complaint in the tool's words.
    """

    tool: str
    id: str
    resource: str
    says: str = field(compare=False)


@dataclass(frozen=True)
class Answer:
    """All that one tool said.

    Args:
        tool: who says it.
        version: of the tool.
        seconds: its wall time.
        looked: how many judgements it made, good ones included; None where it tells of bad ones alone.
        findings: complaints about the stack, each once.
        elsewhere: complaints about the rest of the account, how many by id.
        errors: lines that the tool wrote about what it could not look at.
    """

    tool: str
    version: str
    seconds: float
    looked: int | None
    findings: Sequence[Finding]
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    errors: int = 0


@dataclass(frozen=True)
class _Run:
    """One tool's files, as scripts/cross-examine.sh left them."""

    folder: Path
    tool: str
    scene: Scene
    services: Collection[str]

    def text(self, suffix: str) -> str:
        try:
            return (
                (self.folder / f"{self.tool}.{suffix}").read_text(encoding="utf-8", errors="replace").strip()
            )
        except OSError as problem:
            raise self.said_nothing(f"wrote no {self.tool}.{suffix}") from problem

    def parsed(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as problem:
            raise self.said_nothing("wrote no JSON") from problem

    def said_nothing(self, what: str) -> UsageProblem:
        files = [self.folder / f"{self.tool}.{suffix}" for suffix in ("err", "out")]
        lines = [
            line for file in files if file.is_file() for line in file.read_text(errors="replace").splitlines()
        ]
        return UsageProblem(
            f"{self.tool} {what}; its last words: {' | '.join(filter(None, lines))[-300:] or 'none'}. "
            "Fix that, then run ./scripts/cross-examine.sh again"
        )

    def answer(self, looked: int | None, findings: Collection[Finding], **more: Any) -> Answer:
        return Answer(
            self.tool,
            self.text("version") or version(self.tool),
            float(self.text("seconds")),
            looked,
            sorted(dict.fromkeys(findings)),
            **more,
        )


def read(
    folder: Path, scene: Scene, services: Collection[str], tools: Collection[str] | None = None
) -> list[Answer]:
    """Each tool's answer.

    Args:
        folder: holds the tools' outputs.
        scene: the stack that they checked.
        services: what Prowler was asked about, in its own words.
        tools: those that were asked; None for all.

    Raises:
        UsageProblem: a tool did not run, ended as it should not, or checked nothing.
    """
    answers = []
    for tool in _READERS if tools is None else tools:
        statuses, reader = _READERS[tool]
        run = _Run(folder, tool, scene, services)
        if (status := run.text("status")) not in statuses:
            raise run.said_nothing(f"ended with {status}, expected {' or '.join(statuses)}")
        answers.append(reader(run))
    return answers


def _prowler(run: _Run) -> Answer:
    """OCSF detection findings: one for each check and resource, also where all is well."""
    events = run.parsed(run.text("ocsf.json"))
    silent = set(run.services) - {event["resources"][0]["group"]["name"] for event in events}
    if silent:
        raise run.said_nothing(f"gave nothing about {', '.join(sorted(silent))}")
    findings, elsewhere, looked = [], Counter[str](), 0
    for event in events:
        resource, check = event["resources"][0], event["metadata"]["event_code"]
        ours = run.scene.resource(resource["uid"]) or run.scene.resource(resource.get("name", ""))
        looked += ours is not None
        if event["status_code"] == "PASS":
            continue
        if ours is None:
            elsewhere[check] += 1
        else:
            findings.append(Finding(run.tool, check, ours, event["finding_info"]["title"]))
    if not looked:
        raise run.said_nothing(f"checked nothing of '{run.scene.stack}'")
    log = run.folder / "prowler.log"
    errors = len(log.read_text(errors="replace").splitlines()) if log.is_file() else 0
    return run.answer(looked, findings, elsewhere=dict(sorted(elsewhere.items())), errors=errors)


def _checkov(run: _Run) -> Answer:
    """One report for each framework; a single one stands alone, and none is an object without results."""
    content = run.parsed(run.text("out"))
    reports = [
        report for report in (content if isinstance(content, list) else [content]) if "results" in report
    ]
    failed = [check for report in reports for check in report["results"]["failed_checks"]]
    judged = [*failed, *(check for report in reports for check in report["results"]["passed_checks"])]
    unseen = {SOURCE, PROCESSED} - {Path(check["file_path"]).name for check in judged}
    if unseen:
        raise run.said_nothing(f"judged nothing in {', '.join(sorted(unseen))}")
    if broken := [file for report in reports for file in report["results"].get("parsing_errors", [])]:
        raise run.said_nothing(f"cannot read {', '.join(broken)}")
    findings = [
        Finding(run.tool, check["check_id"], _logical_id(check["resource"]), check["check_name"])
        for check in failed
    ]
    return run.answer(
        len({(check["check_id"], _logical_id(check["resource"])) for check in judged}), findings
    )


def _logical_id(resource: str) -> str:
    return resource.partition(".")[2] if resource.startswith("AWS::") else ""


def _cfn_lint(run: _Run) -> Answer:
    matches = run.parsed(run.text("out"))
    controls = [match for match in matches if Path(match["Filename"]).stem == CONTROL]
    if not controls:
        raise run.said_nothing("missed the control's mistake")
    findings = []
    for match in matches:
        if match not in controls:
            path = [str(part) for part in match["Location"].get("Path") or []]
            resource = path[1] if path[:1] == ["Resources"] and len(path) > 1 else ""
            findings.append(
                Finding(run.tool, match["Rule"]["Id"], resource, match["Rule"]["ShortDescription"])
            )
    return run.answer(None, findings)


def _parliament(run: _Run) -> Answer:
    issues = [run.parsed(line) for line in run.text("out").splitlines()]
    controls = [issue for issue in issues if issue["location"].get("filepath") == CONTROL]
    if not controls:
        raise run.said_nothing("missed the control's mistake")
    findings = [
        Finding(
            run.tool,
            issue["issue"],
            run.scene.resource(str(issue["location"].get("filepath"))) or "",
            issue["title"] or issue["issue"],
        )
        for issue in issues
        if issue not in controls
    ]
    return run.answer(None, findings)


# Which exit statuses mean that the tool came to its end, and how to read it.
_READERS: Final[Mapping[str, tuple[Collection[str], Callable[[_Run], Answer]]]] = {
    "prowler": (("0",), _prowler),
    "checkov": (("0",), _checkov),
    # A sum of 2 for errors, 4 for warnings and 8 for remarks; the control alone makes it at least 2.
    "cfn-lint": (("2", "6", "10", "14"), _cfn_lint),
    "parliament": (("1",), _parliament),
}
TOOLS: Final = tuple(_READERS)

"""The report as JSON, from which every other format is made.

Its schema is readiness/report/schema.json. Its digest covers everything else in it, so that a manual change of a report
is detected. A change with a recalculated digest is not detected, see docs/adr/0014-one-report-many-formats.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from readiness import __version__
from readiness.errors import Gap, UsageProblem
from readiness.report import origin
from readiness.report.redaction import redact
from readiness.report.run import Run
from readiness.verdict import Outcome, Result, Verdict

VERSION = 4
FINDINGS = 2_000_000  # characters of all findings in a report; what is left out is counted
SCHEMA = Path(__file__).with_name("schema.json")
Document = Mapping[str, Any]


def build(run: Run) -> dict[str, Any]:
    """The run as JSON's own types, redacted and with its digest."""
    code = origin.code_address(run.suite)
    content: dict[str, Any] = {
        "version": VERSION,
        "suite": __version__,
        "verdict": str(run.verdict),
        "ok": run.verdict.ok,
        "interrupted": run.verdict.interrupted,
        **({"replayed": run.verdict.replayed} if run.verdict.replayed else {}),
        "environment": run.environment.name,
        "emulated": run.environment.emulated,
        "rehearsal": run.verdict.rehearsal,
        "stack": run.environment.stack_name,
        "region": run.environment.region,
        "account": run.masked_account,
        "commit": run.commit,
        "template": run.template_sha256,
        "author": vars(run.author),
        "signature": _signature(run),
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 3),
        "checklist": run.verdict.items,
        "attention": [result.item for result in run.attention()],
        "comparison": run.comparison,
        "budgets": run.budgets,
        "spending": run.spending,
        "left_out": {kind: list(items) for kind, items in run.left_out.items()},
        **({"map": run.map} if run.map else {}),
        **({"trend": run.trend} if run.trend else {}),
        "items": [_item(run, result, code) for result in run.verdict.results],
    }
    redacted: dict[str, Any] = _redacted(content)
    _make_room(redacted["items"])
    return {**redacted, "digest": digest(redacted)}


def render(document: Document) -> str:
    """The document as its file holds it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def digest(document: Document) -> str:
    """SHA-256 over everything but the digest itself, however the file is laid out."""
    covered = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@cache
def schema() -> Mapping[str, Any]:
    """What every document conforms to."""
    return dict(json.loads(SCHEMA.read_text(encoding="utf-8")))


def read(file: Path) -> dict[str, Any]:
    """A report's file.

    Raises:
        UsageProblem: it cannot be read, or is no report of this version.
    """
    try:
        content = json.loads(file.read_bytes())
        _require_version(content, file)
        jsonschema.validate(content, schema())
    except (OSError, ValueError) as problem:
        raise UsageProblem(f"{file}: expected a report, found none ({problem})") from problem
    except jsonschema.ValidationError as problem:
        where = "/".join(map(str, problem.absolute_path)) or "its top"
        raise UsageProblem(
            f"{file}: expected a report of version {VERSION}; at {where}: {problem.message[:200]}"
        ) from problem
    return dict(content)


def _require_version(content: object, file: Path) -> None:
    """Tell of a report that is merely older or newer before the schema calls it broken.

    Raises:
        UsageProblem: it is one.
    """
    version = content.get("version") if isinstance(content, dict) else None
    if isinstance(version, int) and version != VERSION and "verdict" in content:  # type: ignore[operator]
        suite = content.get("suite")  # type: ignore[attr-defined]
        raise UsageProblem(
            f"{file}: expected a report of version {VERSION}, found one of version {version}, by suite {suite}; "
            "read it with that suite, or verify again with this one"
        )


def alterations(document: Document) -> list[str]:
    """How a report contradicts itself; empty when it is as it was written."""
    found = []
    if digest(document) != document["digest"]:
        found.append("its content does not have the digest that it carries")
    results = [
        Result(
            item["id"],
            Outcome(item["outcome"]),
            item["reason"],
            gap=Gap(item["gap"]) if item["gap"] else None,
        )
        for item in document["items"]
    ]
    verdict = Verdict(
        results,
        items=document["checklist"],
        rehearsal=document["rehearsal"],
        interrupted=document["interrupted"],
        replayed=document.get("replayed", ""),
    )
    if (str(verdict), verdict.ok) != (document["verdict"], document["ok"]):
        found.append(f"its items conclude '{verdict}', it says '{document['verdict']}'")
    return found


def _item(run: Run, result: Result, code: str) -> dict[str, Any]:
    item = run.items[result.item]
    path = result.node.partition("::")[0]
    return {
        "id": result.item,
        "title": item.title,
        "section": item.section,
        "severity": item.severity,
        "outcome": result.outcome,
        "reason": result.reason,
        "gap": result.gap,
        "seconds": round(result.seconds, 3),
        "node": result.node,
        "evidence": result.evidence,
        "read": dict(result.read),
        "claim": item.claim,
        "why": item.why,
        "remedy": item.remedy,
        "how": sorted(item.how),
        "line": result.line,
        "code": f"{code}/{path}#L{result.line}" if code and path else "",
        "waiver": vars(result.waiver) if result.waiver else None,
        "observed": [{"assertion": written, "values": values} for written, values in result.observed],
        "exchanges": list(result.exchanges),
        "output": result.output,
        "cause": result.cause or (result.reason if result.outcome is Outcome.UNVERIFIED else ""),
        "findings": [vars(one) for one in result.findings],
        "findings_left_out": result.findings_left_out,
        "pictures": [
            {"name": picture.name, "sha256": picture.sha256} for picture in run.pictures.get(result.item, ())
        ],
    }


def _make_room(items: Sequence[dict[str, Any]]) -> None:
    """Leave out findings where all of them together are too long: from each item what goes beyond an equal share."""
    room = FINDINGS
    hungry = sorted((item for item in items if item["findings"]), key=_length)
    for number, item in enumerate(hungry):
        share, kept = room // (len(hungry) - number), 0
        for one in item["findings"]:
            if (share := share - sum(map(len, one.values()))) < 0:
                break
            kept += 1
        item["findings_left_out"] += len(item["findings"]) - kept
        del item["findings"][kept:]
        room -= _length(item)


def _length(item: Mapping[str, Any]) -> int:
    return sum(len(text) for one in item["findings"] for text in one.values())


def _signature(run: Run) -> str:
    """Return the text on the signature: why a reviewer may not sign this report, or who ran it."""
    if run.verdict.replayed:
        return "not signed: replayed"
    if run.environment.emulated:
        return "not signed: emulated"
    if run.verdict.interrupted:
        return "not signed: interrupted"
    if not run.verdict.ok:
        return "not signed: not ready"
    if len(run.verdict.results) < run.verdict.items:
        return "not signed: a part of the checklist"
    return f"run by {run.author}; not yet signed by a reviewer"


def _redacted(value: Any) -> Any:
    """Return the value with every text redacted. A redacted text does not change."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(key): _redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(inner) for inner in value]
    return value

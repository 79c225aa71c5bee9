"""The two halves of scripts/cross-examine.sh that are not shell: what the tools are shown, and what they said."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from readiness import checklist
from readiness.application import CHECKLIST
from readiness.errors import Denied, UsageProblem
from scripts.cross_examination import coverage, document, scene
from scripts.cross_examination.answers import read
from verification.application import ROOT, connect
from verification.stack import Stack

EXIT_ANSWERED, EXIT_UNANSWERED, EXIT_USAGE = 0, 1, 4


def main(arguments: list[str] | None = None, *, root: Path = ROOT) -> int:
    """Run one half; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.cross_examination", description=__doc__)
    halves = parser.add_subparsers(dest="half", required=True)
    prepare = halves.add_parser("prepare", help="write what the tools are to read; print the region")
    prepare.add_argument("environment")
    prepare.add_argument("folder", type=Path)
    judge = halves.add_parser("judge", help="hold the tools' answers against docs/coverage.toml")
    judge.add_argument("folder", type=Path)
    judge.add_argument("services", nargs="+")
    options = parser.parse_args(arguments)
    try:
        if options.half == "prepare":
            return _prepare(options.environment, options.folder)
        return _judge(options.folder, options.services, root)
    except (UsageProblem, Denied) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return EXIT_USAGE


def _prepare(environment: str, folder: Path) -> int:
    env = connect(environment)
    env.preflight()
    env.require_stack()
    scene.written(Stack(env), folder)
    print(env.region)
    return EXIT_ANSWERED


def _judge(folder: Path, services: list[str], root: Path) -> int:
    table = coverage.load(root / "docs" / "coverage.toml", checklist.load(root / CHECKLIST))
    looked_at = scene.Scene.read(folder)
    answers = read(folder, looked_at, services)
    for row in document.unused(answers, table).values():
        print(f"note: nothing asks for the row {row.tool}.{row.key} in this run", file=sys.stderr)
    if unanswered := document.unanswered(answers, table):
        for finding in unanswered:
            about = finding.resource or "the template"
            print(f"unanswered: {finding.tool} {finding.id} ({about}): {finding.says}")
        print(
            f"error: {len(unanswered)} findings have no row in docs/coverage.toml; add them", file=sys.stderr
        )
        return EXIT_UNANSWERED
    target = root / "docs" / "COVERAGE.md"
    target.write_text(document.render(looked_at, answers, table, datetime.now(UTC).date()), encoding="utf-8")
    print(f"{sum(len(answer.findings) for answer in answers)} findings, all answered for: docs/COVERAGE.md")
    return EXIT_ANSWERED


if __name__ == "__main__":
    sys.exit(main())

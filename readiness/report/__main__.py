"""usage: python -m readiness.report check FILE | publish FILE [--to FILE] [--note TEXT] | history FOLDER.

`check` says whether a report is as it was written, and its verdict: exit status 0 when it is and the verdict is good, 1
when it was altered or the verdict is not good, 4 when FILE is no report. `publish` writes a report of staging to
docs/STAGING_VERIFICATION_REPORT.md; TEXT goes before it, for what a reader has to know and no check can see. `history` prints the kept runs of a report's folder, such as reports/staging: verdicts,
items whose outcome changed, and how long sections took; 4 when none was kept.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from readiness.errors import UsageProblem
from readiness.report import document, known, markdown, put, trend
from readiness.report.document import Document
from readiness.report.history import FOLDER, History
from readiness.report.redaction import redact

PUBLISHED = Path("docs", "STAGING_VERIFICATION_REPORT.md")
ENVIRONMENT = "staging"
_BY = "<!-- Written by 'python -m readiness.report publish' from a report's JSON; do not edit it; publish again. -->\n"


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m readiness.report")
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="whether a report was altered, and its verdict")
    publishing = commands.add_parser("publish", help="write a report of staging into docs/")
    for command in (checking, publishing):
        command.add_argument("file", type=Path, metavar="FILE", help="a verification.json")
    publishing.add_argument("--to", type=Path, default=PUBLISHED, metavar="FILE")
    publishing.add_argument("--note", default="", metavar="TEXT")
    running = commands.add_parser("history", help="the kept runs of an environment")
    running.add_argument(
        "folder", type=Path, metavar="FOLDER", help="where its reports lie, such as reports/staging"
    )
    try:
        asked = parser.parse_args(arguments)
    except SystemExit as ended:
        return 4 if ended.code else 0
    try:
        if asked.command == "history":
            return runs(asked.folder)
        content = document.read(asked.file)
        return check(content) if asked.command == "check" else publish(content, asked.to, asked.note)
    except UsageProblem as problem:
        print(problem, file=sys.stderr)
        return 4


def check(content: Document) -> int:
    """Print what a report is worth."""
    where = f"{content['stack']} in {content['region']}{', emulated' if content['emulated'] else ''}"
    if altered := document.alterations(content):
        print(f"ALTERED: {'; '.join(altered)}")
        print(f"it says of {where}, {content['started']}: {content['verdict']}")
        return 1
    print(f"unaltered ({content['digest']})")
    print(f"{where}, {content['started']}: {content['verdict']}")
    return 0 if content["ok"] else 1


def runs(folder: Path) -> int:
    """Print the kept runs of a report's folder.

    Raises:
        UsageProblem: none was kept.
    """
    kept = History(folder / FOLDER, {})
    if not kept.runs:
        raise UsageProblem(
            f"{folder / FOLDER}: expected the records of earlier runs, found none; run a verification first"
        )
    print(trend.text(trend.trend(kept.runs)), end="")
    for note in kept.notes:
        print(note)
    return 0


def publish(content: Document, file: Path, note: str = "") -> int:
    """Write it as Markdown, below a note where there is one.

    Raises:
        UsageProblem: it is a report of another environment.
    """
    if content["environment"] != ENVIRONMENT:
        raise UsageProblem(
            f"expected a report of {ENVIRONMENT}, found one of {content['environment']}; name the file of a run with --env {ENVIRONMENT}"
        )
    if altered := document.alterations(content):
        print(f"not published, it was altered: {'; '.join(altered)}", file=sys.stderr)
        return 1
    known.hide_environment()  # what the machine that publishes knows is none of the reader's business either
    known.hide_folders(Path.cwd())
    put(file, _BY + redact((f"> {note}\n\n" if note else "") + markdown.render(content)))
    print(f"wrote {file}: {content['verdict']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

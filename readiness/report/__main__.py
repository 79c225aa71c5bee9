"""usage: python -m readiness.report check FILE | publish FILE [--to FILE] [--note TEXT].

`check` says whether a report is as it was written, and its verdict: exit status 0 when it is and the verdict is good, 1
when it was altered or the verdict is not good, 4 when FILE is no report. `publish` writes a report of staging to
docs/STAGING_VERIFICATION_REPORT.md; TEXT goes before it, for what a reader has to know and no check can see.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from readiness.errors import UsageProblem
from readiness.report import document, known, markdown, put
from readiness.report.document import Document
from readiness.report.redaction import redact

PUBLISHED = Path("docs", "STAGING_VERIFICATION_REPORT.md")
ENVIRONMENT = "staging"
_BY = "<!-- Written by 'python -m readiness.report publish' from a report's JSON; do not edit, publish anew. -->\n"


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
    try:
        asked = parser.parse_args(arguments)
    except SystemExit as ended:
        return 4 if ended.code else 0
    try:
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


def publish(content: Document, file: Path, note: str = "") -> int:
    """Write it as Markdown, below a note where there is one.

    Raises:
        UsageProblem: it is a report of another environment.
    """
    if content["environment"] != ENVIRONMENT:
        raise UsageProblem(f"expected a report of {ENVIRONMENT}, found one of {content['environment']}")
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

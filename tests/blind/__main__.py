"""usage: python -m tests.blind ROUND [NUMBER...]

Makes the changes of a round (first, second or third) to a good stack of Pixel Prompt, one at a time, and records which
items FAIL that pass on the good stack. Writes tests/blind/ROUND.jsonl; a number tries that change alone. The round `again`
has the changes of all rounds that no item named.
`python -m tests.blind document` writes docs/BLIND.md from what was recorded.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.blind.change import Change
from tests.blind.rounds import ROUNDS
from tests.mutants.stand import OWN, Look, Stand, stand
from verification.application import ROOT

HERE = Path(__file__).parent
DOCUMENT = ROOT / "docs" / "BLIND.md"
AGAIN = "again"
"""What is recorded of the missed changes of all rounds, after checks were added for some of them."""
CHECKS = "(not static or INF-16 or SEC-24) and not drill and not browser"
"""The checks that run after each change: those that read more than files. Drills and browsers take as long as all others together."""


_GENERATED = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8,}(?![0-9A-Za-z])|-[\w-]{8}(?=\.(?:js|css))|(?<=:)\d{4,5}(?=/)"
)


def main(words: Sequence[str]) -> int:
    """Do what the command line says."""
    if list(words) == ["document"]:
        DOCUMENT.write_text(document(), encoding="utf-8")
        return 0
    rounds = {**ROUNDS, AGAIN: _missed(_judged())}
    if not words or words[0] not in rounds or not all(word.isdigit() for word in words[1:]):
        print(__doc__)
        return 2
    changes = rounds[words[0]]
    numbers = [int(word) for word in words[1:]] or list(changes)
    if unknown := sorted(set(numbers) - set(changes)):
        print(f"expected numbers from {min(changes)} to {max(changes)}, found {unknown}")
        return 2
    with stand(OWN) as place:
        place.deploy([])
        good = place.report(CHECKS)
        commit = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
        for number in numbers:
            row = _tried(place, changes[number], good) | {"number": number, "commit": commit}
            _keep(HERE / f"{words[0]}.jsonl", row)
            print(
                f"{number:2} {row['title']}\n   {row['error'] or list(row['items']) or 'unseen'}", flush=True
            )
    return 0


def _judged() -> Mapping[str, Mapping[str, str]]:
    """The item that names each change, by round and number."""
    return tomllib.loads((HERE / "judged.toml").read_text(encoding="utf-8"))


def _missed(judged: Mapping[str, Mapping[str, str]]) -> dict[int, Change]:
    """The changes that no item named when their round was made."""
    return {
        number: change
        for name, changes in ROUNDS.items()
        for number, change in changes.items()
        if str(number) not in judged.get(name, {})
    }


def _tried(place: Stand, change: Change, good: Look) -> dict[str, Any]:
    """Make one change to the good stack, and say which items then FAIL with what they did not find before."""
    place.deploy([])
    items: dict[str, str] = {}
    error = ""
    try:
        change.apply(place.client, place.physical)
    except Exception as problem:  # noqa: BLE001  # whatever somebody else's code raises is the result of this trial
        error = f"{type(problem).__name__}: {problem}"
    if not error:
        items = {
            item: found.findings[0]
            for item, found in place.report(CHECKS).items()
            if found.outcome == "fail" and _nameless(found.findings) != _nameless(good[item].findings)
        }
    return {"title": change.title, "harm": change.harm, "items": items, "error": error}


def _nameless(findings: Sequence[str]) -> Sequence[str]:
    """Findings without what differs between two deployments of one template: parts of names, ports and checksums."""
    return [_GENERATED.sub("*", one) for one in findings]


def _keep(file: Path, row: Mapping[str, Any]) -> None:
    """Put a result in the place of an earlier one of the same number."""
    rows = {each["number"]: each for each in _rows(file)} | {row["number"]: row}
    text = "".join(json.dumps(rows[number], sort_keys=True) + "\n" for number in sorted(rows))
    file.write_text(text, encoding="utf-8")


def _rows(file: Path) -> list[dict[str, Any]]:
    return (
        [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    )


def document() -> str:
    """docs/BLIND.md: each change with the items that noticed it, and which of them says what is wrong."""
    judged = _judged()
    head = (HERE / "document.md").read_text(encoding="utf-8")
    return head + "".join(
        _table(name, rows, judged.get(name, {}))
        if (rows := _rows(HERE / f"{name}.jsonl"))
        else f"\n## {_title(name)}\n\nNot run yet.\n"
        for name in (*ROUNDS, AGAIN)
    )


def _title(name: str) -> str:
    return "The changes that no item named, made again" if name == AGAIN else f"The {name} round"


def _table(name: str, rows: Iterable[Mapping[str, Any]], judged: Mapping[str, str]) -> str:
    lines, named, seen, tried = [], 0, 0, 0
    for row in rows:
        if row["error"]:
            lines.append(f"| {row['number']} | {row['title']} | not applied: {row['error'][:90]} | - |")
            continue
        meant = judged.get(str(row["number"]), "")
        tried, named, seen = tried + 1, named + bool(meant), seen + bool(row["items"])
        lines.append(
            f"| {row['number']} | {row['title']} | {', '.join(row['items']) or 'none'} | {meant or '**none**'} |"
        )
    commits = ", ".join(sorted({f"`{row['commit']}`" for row in rows}))
    return (
        f"\n## {_title(name)}\n\nCommit {commits}. {tried} changes were made: {named} are named by an item whose claim "
        f"says so, {seen} are seen by some item.\n\n| | Change | Items that FAIL | Named by |\n|--:|---|---|---|\n"
        + "\n".join(lines)
        + "\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Mutants of the functions' source, by the operators of cosmic-ray.

Cosmic-ray has an environment of its own, in which `./scripts/cross-examine.sh --tools` puts it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Final

from readiness.errors import UsageProblem
from tests.mutants.mutant import Rewritten
from verification.application import ROOT

TOOL: Final = (
    str(ROOT / ".local/cross-examination/cosmic-ray/bin/python"),
    "-I",
    str(Path(__file__).with_name("cosmic.py")),
)
SOURCE: Final = "src"
"""Where the functions' packages come from, in the template's folder."""
_DEADLINE_SECONDS: Final = 600
_SHOWN: Final = 100  # characters of a line in `says`


def mutants_of(application: str, folder: Path, tool: Sequence[str] = TOOL) -> list[Rewritten]:
    """Every mutant of the functions' source.

    Args:
        application: its name, such as `pixel-prompt`.
        folder: of its template.
        tool: prints the mutants of the files that are its arguments; another one for tests.

    Raises:
        UsageProblem: the tool is not there, or did not look.
    """
    files = sorted((folder / SOURCE).rglob("*.py"))
    if not Path(tool[0]).is_file():
        raise UsageProblem(f"expected {tool[0]}, found nothing; run ./scripts/cross-examine.sh --tools")
    done = subprocess.run(
        [*tool, *map(str, files)], capture_output=True, text=True, timeout=_DEADLINE_SECONDS, check=False
    )
    if done.returncode:
        raise UsageProblem(f"cosmic-ray ended with {done.returncode}: {done.stderr[-300:]}")
    # The places where one of its operators breaks off, of which there is no mutant.
    print(done.stderr, end="", file=sys.stderr)
    try:
        said = json.loads(done.stdout)
    except ValueError as problem:
        raise UsageProblem(f"cosmic-ray wrote no JSON: {done.stdout[:300]}") from problem
    if not said:
        raise UsageProblem(
            f"cosmic-ray made no mutant of {len(files)} files in {folder / SOURCE}; run it by hand"
        )
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    numbers = Counter[tuple[object, ...]]()
    found = []
    for one in said:
        file = Path(one["file"])
        name, path = file.relative_to(folder / SOURCE).as_posix(), file.relative_to(folder).as_posix()
        numbers[path, one["within"], one["operator"]] += 1
        before, after = (shorten(one[side], _SHOWN, placeholder=" ...") for side in ("before", "after"))
        found.append(
            Rewritten(
                *(application, "", name, (path, one["within"]), one["operator"]),
                f"line {one['line']}: {before} -> {after or 'removed'}",
                value=one["after"],
                number=numbers[path, one["within"], one["operator"]],
                text=_changed(texts[file], one["line"], one["before"], one["after"]),
            )
        )
    return found


def _changed(text: str, line: int, before: str, after: str) -> str:
    """A text with other lines in the place of those from one line on."""
    lines = text.splitlines(keepends=True)
    start = "".join(lines[: line - 1])
    assert text.startswith(before, len(start)), f"line {line} is not {before!r}"
    return start + after + text[len(start) + len(before) :]

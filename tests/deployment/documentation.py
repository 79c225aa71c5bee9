"""The commands that the documents tell people to type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    # What a published report tells people to do comes from PRODUCTION_CHECKLIST.md.
    *sorted({*(ROOT / "docs").rglob("*.md")} - {ROOT / "docs" / "STAGING_VERIFICATION_REPORT.md"}),
    *sorted((ROOT / "scripts").rglob("*.md")),
]
_FENCE = re.compile(r"(?ms)^ *```(?P<language>\w*)\n(?P<body>.*?)^ *```$")
_SHELL = ("sh", "bash", "shell", "console")
# How a command of this project begins, where it stands in a sentence or a table and not in a block.
_INLINE = re.compile(
    r"`((?:\./scripts/|\.?[./\w]*pytest |python -m |git |gh |npm |npx |\.tools/bin/|aws )[^`]*)`"
)
# A way to write what may be typed, and no command yet.
_SYNOPSIS = re.compile(r"<\w+>|\[[^]]*\||\b(DIR|NAME|TAG|X\.Y\.Z)\b|\.\.\.")
_COMMENT = re.compile(r"\s+#\s.*$")
_NEEDS = re.compile(r"\s#\s+needs (AWS|GitHub)\b")


@dataclass(frozen=True)
class Command:
    """One command, and where it stands."""

    text: str
    document: str
    line: int
    needs: str = ""

    def __str__(self) -> str:
        return f"{self.document}:{self.line}: {self.text}"


def commands() -> list[Command]:
    """Every command of every document."""
    return [command for document in DOCUMENTS for command in _in(document)]


def block(document: str, heading: str) -> str:
    """The first block of shell under a heading, as it stands."""
    text = (ROOT / document).read_text().partition(f"\n{heading}\n")[2]
    found = next(match for match in _FENCE.finditer(text) if match["language"] in _SHELL)
    return found["body"]


def _in(document: Path) -> Iterator[Command]:
    name, text = str(document.relative_to(ROOT)), document.read_text()
    prose = list(text)
    for match in _FENCE.finditer(text):
        prose[match.start() : match.end()] = re.sub(r"[^\n]", " ", match[0])
        if match["language"] in _SHELL:
            first = text.count("\n", 0, match.start("body")) + 1
            yield from _lines(match["body"], name, first)
    # What is quoted there is what programs say, not what people type.
    asked = "".join(prose).partition("## Troubleshooting")[0]
    for match in _INLINE.finditer(asked):
        if not _SYNOPSIS.search(match[1]):
            yield Command(" ".join(match[1].split()), name, asked.count("\n", 0, match.start()) + 1)


def _lines(body: str, document: str, first: int) -> Iterator[Command]:
    joined = re.sub(r"\\\n\s*", lambda found: " " + "\0" * found[0].count("\n"), body)
    number = first
    for line in joined.splitlines():
        text = _COMMENT.sub("", line.replace("\0", "")).strip()
        if text and not text.startswith("#"):
            needs = _NEEDS.search(line)
            yield Command(text, document, number, needs[1] if needs else "")
        number += 1 + line.count("\0")

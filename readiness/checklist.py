"""PRODUCTION_CHECKLIST.md as data, and the binding between its items and the tests.

The checklist is written by people. Its form, one item:

    ### SEC-10 The images bucket is private

    *critical · read-only, active*

    The claim, in one paragraph.

    **Why.** What goes wrong without it.

    **Remedy.** What to change, and where.

The second line names the severity, how the claim is settled, and `planned` while no check exists yet.

Items stand in sections, each with a heading like `## Security`. The section's pytest marker is the heading's text in
lower case, unless the text below the heading begins with another one: Marker `infra`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from readiness.application import CHECKLIST
from readiness.errors import UsageProblem


class Severity(StrEnum):
    """How bad it is when the claim does not hold, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class How(StrEnum):
    """What settling an item takes; each is a pytest marker."""

    STATIC = "static"  # reads the source tree
    READ_ONLY = "read-only"  # reads the live stack
    ACTIVE = "active"  # writes to the live stack, or loads it
    DRILL = "drill"  # disturbs other checks of the stack, or takes long: runs alone, after the rest
    BROWSER = "browser"  # drives a real browser
    PAID = "paid"  # costs money at the AI providers on real AWS


_SECTION = re.compile(r"^## (?P<title>\S.*)$\n+(?:Marker `(?P<marker>[a-z][a-z_]*)`)?", re.MULTILINE)
_HEADING = re.compile(r"^### (?P<id>[A-Z][A-Z0-9]*-\d\d) (?P<title>\S.*)$", re.MULTILINE)
_FACTS = re.compile(r"^\*(?P<severity>[a-z]+) · (?P<how>[a-z, -]+?)(?P<planned> · planned)?\*$", re.MULTILINE)
_BODY = re.compile(
    r"\*\n+(?P<claim>\S.*?)\n+\*\*Why\.\*\* (?P<why>.*?)\n+\*\*Remedy\.\*\* (?P<remedy>.*?)(?=\n+#|\s*\Z)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Item:
    """One line of the checklist. Texts are single paragraphs of Markdown."""

    id: str
    title: str
    severity: Severity
    how: frozenset[How]
    claim: str
    why: str
    remedy: str
    section: str
    planned: bool = False


def parse(text: str, name: str = CHECKLIST) -> dict[str, Item]:
    """Items by id, in the order they are written.

    Raises:
        UsageProblem: an item lacks a part, has an unknown word, or is there twice.
    """
    headings = list(_HEADING.finditer(text))
    if not headings:
        raise UsageProblem(
            f"{name} holds no item; expected headings like '### SEC-10 The images bucket is private'"
        )
    sections = [
        (found.start(), found["marker"] or re.sub(r"\W+", "_", found["title"].strip().lower()))
        for found in _SECTION.finditer(text)
    ]
    items: dict[str, Item] = {}
    for heading, after in zip(headings, [*headings[1:], None], strict=True):
        block = text[heading.end() : after.start() if after else len(text)]
        section = next((marker for start, marker in reversed(sections) if start < heading.start()), "")
        item = _item(heading["id"], heading["title"], section, block, f"{name}: {heading['id']}")
        if item.id in items:
            raise UsageProblem(f"{name}: {item.id}: expected a unique id, found it twice; rename one")
        items[item.id] = item
    return items


def load(file: Path) -> dict[str, Item]:
    """The items of a checklist's file.

    Raises:
        UsageProblem: the file is missing or malformed.
    """
    try:
        return parse(file.read_text(encoding="utf-8"), file.name)
    except OSError as problem:
        raise UsageProblem(f"{file.name} cannot be read: {problem.strerror}") from problem


def binding_problems(items: Mapping[str, Item], bound: Iterable[tuple[str, str, str]]) -> list[str]:
    """Where items and checks do not match one to one.

    Args:
        items: the checklist.
        bound: for each check its node id, its item's id ('' when it names none) and its section
            markers joined by a comma.
    """
    bound = list(bound)
    problems = []
    for node, item_id, sections in bound:
        if not item_id:
            problems.append(f'{node}: names no item; add @pytest.mark.item("...")')
        elif item_id not in items:
            problems.append(f"{node}: item {item_id} does not stand in {CHECKLIST}")
        elif sections != items[item_id].section:
            problems.append(
                f"{node}: {item_id} belongs to section '{items[item_id].section}', marked '{sections or 'none'}'"
            )
    counts = Counter(item_id for _, item_id, _ in bound)
    problems += [
        f"{item_id}: has {counts[item_id]} checks, expected one"
        for item_id in counts
        if counts[item_id] > 1 and item_id
    ]
    problems += [f"{item_id}: has no check" for item_id in items if not counts[item_id]]
    return problems


def _item(item_id: str, title: str, section: str, block: str, where: str) -> Item:
    if not section:
        raise UsageProblem(
            f"{where}: expected a section, found none; put a heading such as '## Security' above it"
        )
    facts = _FACTS.search(block)
    body = _BODY.search(block)
    if not facts or not body:
        raise UsageProblem(
            f"{where}: expected '*severity · how*', the claim, '**Why.** ...' and '**Remedy.** ...'"
        )
    try:
        return Item(
            id=item_id,
            title=title.strip(),
            severity=Severity(facts["severity"]),
            how=frozenset(How(word.strip()) for word in facts["how"].split(",")),
            claim=_paragraph(body["claim"]),
            why=_paragraph(body["why"]),
            remedy=_paragraph(body["remedy"]),
            section=section,
            planned=bool(facts["planned"]),
        )
    except ValueError as problem:
        raise UsageProblem(f"{where}: {problem}") from problem


def _paragraph(text: str) -> str:
    return " ".join(text.split())

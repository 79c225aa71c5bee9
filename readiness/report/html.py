"""The report for a reviewer: a fragment for pytest-html's hook, and the frame that pytest-html puts around it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from readiness.environment import Environment
from readiness.report import reading, stack_map
from readiness.report.document import Document
from readiness.report.run import Picture
from readiness.report.templates import TEMPLATES

LIMIT = 2_000_000  # bytes of the whole page
FINDINGS = 12  # of an item that are listed
_FRAME = 60_000  # bytes of pytest-html's own style, script and table
# What pytest-html's page lacks or has wrong, as html-validate tells, with what it has to be. Each stands there at least once.
_CORRECTIONS = {
    "<html>": '<html lang="en">',  # a language for screen readers
    '<meta charset="utf-8"/>': '<meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>',
    '<img src="" />': '<img src="data:," alt="" />',
    'checked="true"': "checked",
}
_STYLE = ("<style>\n:root {", "</style>")


@dataclass(frozen=True)
class Room:
    """How much of a report the page shows.

    Args:
        text: the number of characters of each text of a check.
        full: how many of the points that need attention are shown in full at the top.
        pictures: how many pictures are shown, those of items that need attention first.
    """

    text: int
    full: int = 30
    pictures: int = 1000


# From everything to what fits whatever happens.
_ROOMS = [
    Room(20_000),
    Room(6_000),
    Room(6_000, pictures=8),
    Room(2_000, pictures=8),
    Room(2_000, pictures=0),
    Room(500, pictures=0),
    Room(100, full=10, pictures=0),
]


def title(environment: Environment) -> str:
    """The page's title."""
    return f"Verification of {environment.stack_name}{' (emulated)' if environment.emulated else ''}"


def summary(
    document: Document, pictures: Mapping[str, Sequence[Picture]], *, folder: Path, suite: Path
) -> str:
    """The whole report, as small as it has to be; says what it left out.

    Args:
        document: what to tell.
        pictures: by item.
        folder: where the page will lie.
        suite: what the checks' paths count from, for a link where the code is not published.
    """
    room = Room(0)
    for room in _ROOMS:  # the last one is what fits
        text = _rendered(document, pictures, room, Path(os.path.relpath(suite, folder)))
        if len(text.encode()) <= LIMIT - _FRAME:
            return text
    raise ValueError(
        f"a report of {len(document['items'])} items does not fit into {LIMIT} bytes, cut as {room}"
    )


def correct(page: Path) -> None:
    """Make pytest-html's page valid HTML that a phone and a screen reader can use.

    Raises:
        ValueError: pytest-html's template is another than this was written for.
    """
    text = page.read_text(encoding="utf-8")
    # Ours alone stands within the page's body, where a style has no place.
    before, begin, rest = text.partition(_STYLE[0])
    style, end, after = rest.partition(_STYLE[1])
    if not end or "</head>" not in before:
        raise ValueError(f"{page.name}: the report's style is not where it was put")
    text = before.replace("</head>", f"{begin}{style}{end}</head>", 1) + after
    for found, corrected in _CORRECTIONS.items():
        if found not in text:
            raise ValueError(f"{page.name}: pytest-html's page does not hold {found} any more")
        text = text.replace(found, corrected)
    page.write_text(text, encoding="utf-8")


def _rendered(document: Document, pictures: Mapping[str, Sequence[Picture]], room: Room, suite: Path) -> str:
    order = [*document["attention"], *(item["id"] for item in document["items"])]
    shown: dict[str, Sequence[Picture]] = {}
    left = room.pictures
    for item in dict.fromkeys(order):
        shown[item] = list(pictures.get(item, ()))[:left]
        left -= len(shown[item])
    total = sum(map(len, pictures.values()))
    return TEMPLATES.get_template("report.html.jinja").render(
        report=document,
        items=document["items"],
        points=reading.points(document),
        findings=FINDINGS,
        remarks=reading.standing(document),
        map=stack_map.picture(document),
        pictures=shown,
        hidden_pictures=total - sum(map(len, shown.values())),
        room=room,
        cut=_cut(document, room),
        suite=suite.as_posix(),
    )


def _cut(document: Document, room: Room) -> bool:
    """Whether a text of the report is longer than its room."""
    return any(
        len(text) > room.text
        for item in document["items"]
        for text in (
            item["evidence"],
            item["output"],
            *item["exchanges"],
            *(finding["text"] for finding in item["findings"][:FINDINGS]),
        )
    )

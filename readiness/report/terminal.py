"""The report for the terminal: what needs attention, with a few lines each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from readiness.report import reading
from readiness.report.document import Document
from readiness.report.reading import Point
from readiness.verdict import Outcome

_FINDINGS = 5
_INDENT = " " * 11


def attention(document: Document) -> list[str]:
    """Return the report's lines, the gravest first. Items of one cause are shown together."""
    return [line for point in reading.points(document) for line in _lines(point)]


def _lines(point: Point) -> Iterator[str]:
    item = point.first
    if point.cause:
        yield f"{item['outcome'].upper():10} {point.title}: {point.ids}"
        yield f"{_INDENT}cause: {point.cause}"
        if item["reason"] != point.cause:
            yield _INDENT + item["reason"]
        return
    yield f"{item['outcome'].upper():10} {item['id']} {item['title']} ({item['severity']})"
    yield _INDENT + item["reason"]
    yield from _findings(item)
    if item["outcome"] == Outcome.FAIL:
        yield f"{_INDENT}why: {item['why']}"
        yield f"{_INDENT}remedy: {item['remedy']}"


def _findings(item: Mapping[str, Any]) -> Iterator[str]:
    listed = reading.listed(item, _FINDINGS)
    for finding in listed:
        yield f"{_INDENT}- {reading.line(finding)}{' -> ' * bool(finding['remedy'])}{finding['remedy']}"
    if listed and (more := reading.unlisted(item, len(listed))):
        yield f"{_INDENT}  {more}"

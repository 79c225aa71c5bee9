"""What GitHub shows of a run by itself: annotations on the code, and the job's summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from readiness.report.document import Document
from readiness.report.reading import Point, observed, points
from readiness.verdict import Outcome

A_KIND = 10  # annotations of each kind that GitHub takes from a step; it drops the others without a word
SUMMARY = 1024 * 1024  # bytes of a step's summary; GitHub shows nothing of a longer one
_MESSAGE = 1_000  # characters; GitHub cuts at 4,096 bytes
_KINDS = {Outcome.FAIL: "error", Outcome.UNVERIFIED: "warning", Outcome.WAIVED: "notice"}


def commands(document: Document) -> Iterator[str]:
    """Workflow commands, the gravest first; where one kind has too many, its last one says how many are missing."""
    for outcome, kind in _KINDS.items():
        found = [point for point in points(document) if point.first["outcome"] == outcome]
        shown = found if len(found) <= A_KIND else found[: A_KIND - 1]
        for point in shown:
            yield _of_cause(kind, point) if point.cause else _of_item(kind, point.first)
        if rest := [item["id"] for point in found[len(shown) :] for item in point.items]:
            yield f"::{kind} title={_property('More of the same')}::{_data(f'{len(rest)} more: ' + ', '.join(rest))}"


def append(summary: Path, text: str) -> str:
    """Add the report to the step's summary, unless that would grow too long; what went wrong, or nothing."""
    try:
        there = summary.stat().st_size if summary.exists() else 0
        if there + len(text.encode()) > SUMMARY:
            return f"the step's summary holds {there} bytes; with the report it would pass GitHub's {SUMMARY}"
        with summary.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as problem:
        return f"the step's summary cannot be written: {problem.strerror}"
    return ""


def _of_cause(kind: str, point: Point) -> str:
    message = f"cause: {point.cause}; {point.title}: {point.ids}\nObserved: {point.first['reason']}"
    return f"::{kind} title={_property(point.title)}::{_data(message)}"


def _of_item(kind: str, item: Mapping[str, Any]) -> str:
    properties = {"title": f"{item['id']} {item['title']} ({item['severity']}, {item['outcome']})"}
    if path := item["node"].partition("::")[0]:
        properties = {"file": path, "line": str(item["line"]), **properties}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = f"{observed(item)}\nRemedy: {item['remedy']}"
    return f"::{kind} {listed}::{_data(message)}"


def _data(text: str) -> str:
    """What GitHub's runner would take for the end of a command, escaped as it does itself."""
    return text[:_MESSAGE].replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

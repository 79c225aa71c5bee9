"""What GitHub shows of a run by itself: annotations on the code, and the job's summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from verification.report.document import Document
from verification.report.reading import attention
from verification.verdict import Outcome

A_KIND = 10  # annotations of each kind that GitHub takes from a step; it drops the others without a word
SUMMARY = 1024 * 1024  # bytes of a step's summary; GitHub shows nothing of a longer one
_MESSAGE = 1_000  # characters; GitHub cuts at 4,096 bytes
_KINDS = {Outcome.FAIL: "error", Outcome.UNVERIFIED: "warning", Outcome.WAIVED: "notice"}


def commands(document: Document) -> Iterator[str]:
    """Workflow commands, the gravest first; where one kind has too many, its last one says how many are missing."""
    for outcome, kind in _KINDS.items():
        items = [item for item in attention(document) if item["outcome"] == outcome]
        shown = items if len(items) <= A_KIND else items[: A_KIND - 1]
        for item in shown:
            yield _command(kind, item, f"{item['reason']}\nRemedy: {item['remedy']}")
        if len(shown) < len(items):
            rest = ", ".join(item["id"] for item in items[len(shown) :])
            yield f"::{kind} title={_property('More of the same')}::{_data(f'{len(items) - len(shown)} more: {rest}')}"


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


def _command(kind: str, item: Mapping[str, Any], message: str) -> str:
    properties = {"title": f"{item['id']} {item['title']} ({item['severity']}, {item['outcome']})"}
    if path := item["node"].partition("::")[0]:
        properties = {"file": path, "line": str(item["line"]), **properties}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {listed}::{_data(message)}"


def _data(text: str) -> str:
    """What GitHub's runner would take for the end of a command, escaped as it does itself."""
    return text[:_MESSAGE].replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

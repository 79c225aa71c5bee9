"""The files of a recording: `recording.json`, which says of what run it is, and `exchanges.jsonl`, a line an exchange.

Each process of the run writes lines of its own into `parts/`; at the end they become one file. Format: docs/RECORDINGS.md.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema

from readiness.errors import UsageProblem
from readiness.recording.scrub import WITHHELD

VERSION = 2
LARGEST_ANSWER = 2_000_000
"""Characters of one exchange; a larger one is kept without its answer."""
LARGEST_PART = 48_000_000
"""Characters that one process of a run may write; what comes later is not kept, and the recording says so."""
_SHARED = 256  # characters from which on a text that recurs is written once
_RECORDING, _EXCHANGES, _PARTS = "recording.json", "exchanges.jsonl", "parts"
Line = dict[str, Any]
_TEXT = {"type": "string", "minLength": 1}
_ITEM = {
    "type": "object",
    "properties": {"outcome": _TEXT, "node": _TEXT, "left_out": {"type": "string"}},
    "required": ["outcome", "node", "left_out"],
}
_SETTINGS = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("name", "stack", "region"), _TEXT),
        "cloud": {"type": ["string", "null"]},
        "guard": {"enum": ["read-only", "none"]},
        "production": {"type": "boolean"},
        "jobs_a_month": {"type": "integer"},
        "roles": {"type": "object", "additionalProperties": _TEXT},
    },
    "required": ["name", "stack", "region", "cloud", "guard", "production"],
    "additionalProperties": False,
}
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "version": {"const": VERSION},
        **dict.fromkeys(("suite", "started", "account", "seed"), _TEXT),
        "settings": _SETTINGS,
        "speed": {"type": ["number", "null"]},
        **{name: {"type": "string"} for name in ("endpoint", "commit", "template", "verdict")},
        **{name: {"type": "boolean"} for name in ("emulated", "paid", "full")},
        "exchanges": {"type": "integer"},
        "items": {"type": "object", "additionalProperties": _ITEM},
        "workers": {"type": "object", "additionalProperties": {"type": "array", "items": _TEXT}},
    },
    "required": [
        "version",
        "started",
        "settings",
        "account",
        "seed",
        "endpoint",
        "emulated",
        "speed",
        "paid",
    ],
}


class Part:
    """What one process writes."""

    def __init__(self, folder: Path, name: str) -> None:
        self._file = (folder / _PARTS / f"{name}.jsonl").open("a", encoding="utf-8")
        self._left = LARGEST_PART

    def write(self, line: Line) -> None:
        """Keep one line, as far as there is room."""
        text = json.dumps(line, ensure_ascii=False)
        if len(text) > LARGEST_ANSWER:
            line = {**line, "answer": {WITHHELD: f"{len(text)} characters are too many"}}
            text = json.dumps(line, ensure_ascii=False)
        self._left -= len(text)
        if self._left < 0 and line["kind"] not in ("began", "away"):
            line = {"kind": "away", "scope": line["scope"], "why": "the recording was full", "at": line["at"]}
            text = json.dumps(line, ensure_ascii=False)
        self._file.write(text + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def open_folder(folder: Path) -> None:
    """Make room for a recording. What a run left that did not end, or could not start, is no recording and goes.

    Raises:
        UsageProblem: something is there already, or nothing can be written.
    """
    if folder.is_dir() and [entry.name for entry in folder.iterdir()] == [_PARTS]:
        shutil.rmtree(folder / _PARTS)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageProblem(
            f"--record {folder}: expected a new or empty folder, found something in it; name another"
        )
    try:
        (folder / _PARTS).mkdir(parents=True)
    except OSError as problem:
        raise UsageProblem(
            f"--record {folder} cannot be written: {problem.strerror}; name another"
        ) from problem


def finish(folder: Path, about: Mapping[str, Any], items: Mapping[str, tuple[str, str]]) -> Mapping[str, Any]:
    """Make one file of all parts, and say of what run it is.

    Args:
        folder: of the recording.
        about: the run, as `recording.json` names its properties.
        items: outcome and node of each item.
    """
    lines = sorted(_lines((folder / _PARTS).glob("*.jsonl")), key=lambda line: (line["at"], line["part"]))
    workers: dict[str, list[str]] = {}
    left_out: dict[str, str] = {}
    for line in lines:
        if line["kind"] == "began":
            workers.setdefault(line["part"], []).append(line["node"])
        elif line["kind"] == "away":
            left_out.setdefault(line["scope"], line["why"])
    kept = [line for line in lines if line["kind"] != "away"]
    exchanges = sum(line["kind"] != "began" for line in kept)
    with (folder / _EXCHANGES).open("w", encoding="utf-8") as file:
        for line in _with_shared_texts(kept):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    content = {
        "version": VERSION,
        **about,
        "exchanges": exchanges,
        "full": "the recording was full" in left_out.values(),
        "items": {
            item: {"outcome": outcome, "node": node, "left_out": left_out.get(item, "")}
            for item, (outcome, node) in items.items()
        },
        "workers": workers,
    }
    (folder / _RECORDING).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(folder / _PARTS)
    return content


def about(folder: Path) -> Mapping[str, Any]:
    """Of what run a recording is.

    Raises:
        UsageProblem: there is none, or it is of another version.
    """
    file = folder / _RECORDING
    if not file.is_file():
        raise UsageProblem(
            f"--replay {folder}: expected a folder with {_RECORDING}, found none; make one by --record, and let the run end"
        )
    try:
        content = json.loads(file.read_bytes())
    except ValueError as problem:
        raise UsageProblem(f"--replay {folder}: {_RECORDING} is no JSON: {problem}") from problem
    found = content.get("version") if isinstance(content, dict) else None
    if found == 1:
        raise UsageProblem(
            f"--replay {folder}: expected a recording of version {VERSION}, found 1, which does not say whether its run was "
            "read-only; record a new run, or replay it with the version that made it"
        )
    if found != VERSION:
        raise UsageProblem(
            f"--replay {folder}: expected a recording of version {VERSION}, found {found}; replay it with the suite that made it"
        )
    try:
        jsonschema.validate(content, _SCHEMA)
    except jsonschema.ValidationError as problem:
        raise UsageProblem(
            f"--replay {folder}: {_RECORDING}: {problem.message[:200]}; copy the recording again"
        ) from problem
    return dict(content)


def exchanges(folder: Path) -> Sequence[Line]:
    """Every line of a recording, in the order of time.

    Raises:
        UsageProblem: it cannot be read.
    """
    texts: dict[str, str] = {}
    lines = []
    try:
        for line in _lines([folder / _EXCHANGES]):
            if line["kind"] == "text":
                texts[line["sha256"]] = line["text"]
            else:
                lines.append({**line, "answer": _filled_in(line.get("answer"), texts)})
    except (OSError, ValueError, KeyError) as problem:
        raise UsageProblem(
            f"--replay {folder}: {_EXCHANGES} cannot be read: {problem!r}; copy the recording again"
        ) from problem
    return lines


def _lines(files: Iterator[Path] | Sequence[Path]) -> Iterator[Line]:
    for path in files:
        with path.open(encoding="utf-8") as file:
            for text in file:
                yield {"part": path.stem, **json.loads(text)}


def _with_shared_texts(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines, and before the first that has a long text of many, that text."""
    seen: dict[str, int] = {}
    for line in lines:
        for text in _long_texts(line.get("answer")):
            seen[text] = seen.get(text, 0) + 1
    written: set[str] = set()
    for line in lines:
        for text in _long_texts(line.get("answer")):
            if seen[text] > 1 and text not in written:
                written.add(text)
                yield {"kind": "text", "sha256": _name(text), "text": text}
        shared = {text for text in _long_texts(line.get("answer")) if seen[text] > 1}
        yield {**line, "answer": _shortened(line["answer"], shared)} if shared else line


def _name(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _long_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and len(value) >= _SHARED:
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _long_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _long_texts(inner)


def _shortened(value: Any, shared: set[str]) -> Any:
    if isinstance(value, str) and value in shared:
        return {"$text": _name(value)}
    if isinstance(value, dict):
        return {key: _shortened(inner, shared) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner, shared) for inner in value]
    return value


def _filled_in(value: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"$text"}:
            return texts[value["$text"]]
        return {key: _filled_in(inner, texts) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled_in(inner, texts) for inner in value]
    return value

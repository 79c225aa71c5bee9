"""Performance budgets for the report, from the JSON that `pytest benchmarks --benchmark-json=FILE` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from readiness.errors import UsageProblem

_HELD = {True: "held", False: "over", None: "unverified"}


def read(file: Path, *, environment: str, emulated: bool) -> dict[str, Any]:
    """Each judged figure, with where, when and on which commit they were measured.

    Args:
        file: pytest-benchmark's JSON, with `measured` and `figures` as benchmarks/conftest.py adds them.
        environment: the one that the report is about.
        emulated: whether that is an embedded AWS; a figure of one proves nothing about the other.

    Raises:
        UsageProblem: the file is none of that, or its figures are of another environment.
    """
    try:
        content = json.loads(file.read_bytes())
        measured: Mapping[str, Any] = content.get("measured") or {}
        rows = [
            {
                "group": str(row["group"]),
                "what": str(row["what"]),
                "measured": str(row["measured"]),
                "wanted": str(row["wanted"]),
                "outcome": _HELD[row["held"]] if row["wanted"] or row["held"] is not True else "recorded",
            }
            for row in content.get("figures") or ()
        ]
        found = {
            "file": file.name,
            "taken": str(content["datetime"]),
            "commit": str(measured.get("commit", "")),
            "machine": str(measured.get("machine", "")),
            "rows": rows,
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise UsageProblem(
            f"--benchmarks {file}: expected the JSON of 'pytest benchmarks --benchmark-json={file}', "
            f"found none ({type(problem).__name__}: {problem})"
        ) from problem
    kinds = {True: "emulated", False: "real AWS"}
    wanted = (environment, kinds[emulated])
    where = (measured.get("environment"), kinds.get(measured.get("emulated", ""), "unknown"))
    if rows and where != wanted:
        raise UsageProblem(
            f"--benchmarks {file}: measured on {where[0]} ({where[1]}), this run is of {wanted[0]} ({wanted[1]}); "
            f"measure there: pytest benchmarks --env {environment} --benchmark-json={file}"
        )
    return found

"""GitHub's workflows, as zizmor reads them. It works offline, with its own data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from readiness.errors import Unverified
from readiness.probes import process
from readiness.probes.finding import Finding


def findings(folder: Path, files: Sequence[str], *, severities: Sequence[str] = ()) -> Iterator[Finding]:
    """Return zizmor's findings in the workflows, from exploitable flaws to bad habits.

    Args:
        folder: the folder with `.github`.
        files: the workflows in it, as paths from the folder.
        severities: the severities that count, such as `High`; none for all.

    Raises:
        Unverified: zizmor is not installed, or left a workflow out.
    """
    command = ["zizmor", "--offline", "--no-config", "--no-progress", "--persona", "pedantic"]
    done = process.run([*command, "--format", "json-v1", ".github"], folder=folder)
    answer = process.parsed(done.stdout, "zizmor", done)
    if left_out := [file for file in files if f"completed {file}" not in done.stderr]:
        raise Unverified(f"zizmor did not finish {', '.join(left_out)}: {process.tail(done)}")
    for found in answer:
        counts = not severities or found["determinations"]["severity"] in severities
        if counts and not found["ignored"]:
            yield Finding(*_place(found), found["ident"], found["desc"])


def _place(found: Mapping[str, Any]) -> tuple[str, int]:
    """File and line of the location that matters, of all that zizmor shows for a finding."""
    primary = [place for place in found["locations"] if place["symbolic"].get("kind") == "Primary"]
    place = (primary or found["locations"])[0]
    path = place["symbolic"]["key"].get("Local", {}).get("verbatim_path") or str(place["symbolic"]["key"])
    return path, place["concrete"]["location"]["start_point"]["row"] + 1

"""One run of a tool: in this interpreter's environment, with a deadline, and judged by what it wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from readiness.errors import Unverified
from readiness.probes import addresses
from readiness.progress import waiting

_NOTHING: Mapping[str, str] = MappingProxyType({})


def run(
    command: Sequence[str],
    *,
    folder: Path,
    deadline: timedelta = timedelta(minutes=5),
    variables: Mapping[str, str] = _NOTHING,
) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end, and accept any exit status.

    Raises:
        Unverified: the tool does not exist, or had not ended by the deadline.
    """
    try:
        with waiting(f"{Path(command[0]).name} to end"):
            done = subprocess.run(
                command,
                cwd=folder,
                env={**environment(), **variables},
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=deadline.total_seconds(),
                check=False,
            )
    except FileNotFoundError as problem:
        raise Unverified(f"{problem.filename} does not exist; install it, and check PATH") from problem
    except subprocess.TimeoutExpired as problem:
        raise Unverified(f"{Path(command[0]).name} had not ended after {problem.timeout:.0f} s") from problem
    # Decoded here, for text mode would turn a lone carriage return in a diff into the end of its line.
    output, errors = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, output, errors)


def environment() -> Mapping[str, str]:
    """This interpreter's own tools first; nothing of this pytest run's settings or of GitHub's job, and no AWS to talk to."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PYTEST_", "COV_", "COVERAGE_", "GITHUB_", "VITE_"))
        and name != "PYTHONPATH"
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return {**kept, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "CI": "true", "NO_COLOR": "1"}


def read(file: Path) -> str:
    """Return the file's text, with replacements for invalid bytes; empty when there is no file."""
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def parsed(text: str, tool: str, done: subprocess.CompletedProcess[str]) -> Any:
    """What a tool wrote for machines.

    Raises:
        Unverified: it is no JSON.
    """
    try:
        return json.loads(text)
    except ValueError as problem:
        raise Unverified(
            f"{tool} wrote nothing to judge (exit status {done.returncode}): {tail(done)}"
        ) from problem


def tail(done: subprocess.CompletedProcess[str]) -> str:
    """A tool's last words, without the addresses in them: they go into the report."""
    lines = [line for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
    return addresses.hidden(" | ".join(lines[-3:]))[:300]

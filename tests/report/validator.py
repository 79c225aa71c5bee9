"""html-validate, by the HTML standard, as the judge of a page."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from verification.application import ROOT

_COMMAND = ROOT / ".tools" / "node" / "node_modules" / ".bin" / "html-validate"


def problems(page: Path) -> list[str]:
    """Each breach of the standard, with its place."""
    done = subprocess.run(
        [str(_COMMAND), "--preset", "standard", "--formatter", "json", page.name],
        cwd=page.parent,
        env={**os.environ, "PATH": f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    (found,) = json.loads(done.stdout) or [{"messages": []}]
    return [f"{one['line']}:{one['column']} {one['ruleId']}: {one['message']}" for one in found["messages"]]

"""docs/ADAPTING.md, typed line by line: its files are written, its commands run, its output compared."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.applications import trial
from verification.application import ROOT

TUTORIAL = (ROOT / "docs" / "ADAPTING.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?ms)^```(?P<language>\w+)\n(?P<body>.*?)^```$")
NAMED = re.compile(r"`(?P<name>[\w./]+\.\w+)`:$")
ENDS_WITH_ONE = re.compile(r"NOT READY|NOT PASSED")
pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("tutorial")]


@dataclass(frozen=True)
class Typed:
    """A command, and what the tutorial says that it prints; `...` stands for anything."""

    command: str
    output: str

    def matches(self, printed: str) -> bool:
        parts = [re.escape(part) for part in self.output.strip().split("...")]
        return re.search(".*".join(parts), printed, re.DOTALL) is not None


def steps() -> Iterator[tuple[str, str] | Typed]:
    for block in BLOCK.finditer(TUTORIAL):
        if block["language"] == "session":
            for part in re.split(r"(?m)^\$ ", block["body"])[1:]:
                command, _, output = part.partition("\n")
                yield Typed(command, output)
        else:
            named = NAMED.search(TUTORIAL[: block.start()].rstrip())
            assert named, f"no file is named before the block that begins with {block['body'][:40]!r}"
            yield named["name"], block["body"]


def test_every_block_of_the_tutorial_is_typed() -> None:
    assert len(list(BLOCK.finditer(TUTORIAL))) == TUTORIAL.count("\n```") / 2


@pytest.mark.further
def test_every_line_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    app = tmp_path / "greeting"
    app.mkdir()
    wheel = trial.build(tmp_path)
    venv = trial.virtual_environment(tmp_path, seed=True)
    shutil.copy(wheel, app)
    with trial.cloud() as state:
        path = os.pathsep.join([str(venv / "bin"), str(ROOT / ".tools" / "bin"), os.environ["PATH"]])
        variables = {**trial.variables(state), "PATH": path}
        for step in steps():
            if isinstance(step, tuple):
                name, text = step
                (app / name).parent.mkdir(parents=True, exist_ok=True)
                (app / name).write_text(text, encoding="utf-8")
                continue
            done = subprocess.run(
                shlex.split(step.command),
                cwd=app,
                env=variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            printed = done.stdout + done.stderr
            expected = 1 if ENDS_WITH_ONE.search(step.output) else 0
            assert done.returncode == expected, f"$ {step.command}\n{printed[-4000:]}"
            assert step.matches(printed), (
                f"$ {step.command}\nexpected:\n{step.output}\nprinted:\n{printed[-6000:]}"
            )

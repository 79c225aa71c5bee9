"""A deployment's steps: their names and durations, and the message of one that fails or is interrupted."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from verification.deployment import console, process


class StepFailed(Exception):
    """A step went wrong after the deployment began."""

    def __init__(self, step: str, problem: str) -> None:
        super().__init__(f"step '{step}' failed: {problem}")


class Steps:
    """Names and times what runs, so that a failure or an interrupt can say where it happened."""

    def __init__(self) -> None:
        self.current = "preflight"
        self.durations: dict[str, float] = {}
        self.inherited: Sequence[int] = ()
        self.variables: Mapping[str, str] = {}

    @property
    def seconds(self) -> float:
        """What they took in all."""
        return sum(self.durations.values())

    def command(self, words: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
        """Run a command that a later deployment waits for, should this one be killed."""
        return process.run(words, cwd=cwd, env={**env, **self.variables}, inherited=self.inherited)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce a step, and time it if it succeeds."""
        self.current = name
        console.err(f"==> {name}")
        start = time.monotonic()
        yield
        self.durations[name] = time.monotonic() - start


@contextlib.contextmanager
def explained(steps: Steps, again: str) -> Iterator[None]:
    """Report the step that was interrupted and how to continue. The clean-up is done by then."""
    try:
        yield
    except process.Interrupted as interrupt:
        going_on = (
            " CloudFormation may continue the update: wait until the stack is no longer in progress."
            if steps.current in ("sam deploy", "sam delete")
            else ""
        )
        console.err(
            f"interrupted ({interrupt}) during '{steps.current}'.{going_on} To continue, run again: {again}"
        )
        raise
    except OSError as problem:
        raise StepFailed(steps.current, str(problem)) from problem

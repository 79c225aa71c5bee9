"""One checkout's deployment or deletion while it runs: alone, after what a killed one left, on a running embedded AWS."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from readiness import secret_parameters
from readiness.environment import Environment
from verification.deployment import console, lock, parameters, process, scratch
from verification.deployment.options import Options
from verification.deployment.steps import StepFailed, Steps, explained


@contextlib.contextmanager
def underway(options: Options, purpose: str, again: str) -> Iterator[tuple[Steps, Environment]]:
    """The one thing that this checkout is at, once everything that a killed deployment left has ended or is gone."""
    steps = Steps()
    with contextlib.ExitStack() as stack:
        stack.enter_context(explained(steps, again))
        stack.enter_context(lock.held(options.private / "lock", purpose))
        quiet = lock.quiet(options.private / "children", patience_s=options.patience_s, say=console.note)
        steps.inherited = [stack.enter_context(quiet)]
        parameters.remove_left_behind(options.private)
        steps.variables = stack.enter_context(scratch.variables(options.private))
        directory = options.cloud_directory
        if directory is not None:
            with steps.step("embedded AWS"):
                _start_cloud(options, directory.name)
        yield steps, options.connected()


def _start_cloud(options: Options, name: str) -> None:
    command = [str(options.root / "scripts" / "cloud.sh"), "up", "--name", name]
    status = process.run(command, cwd=options.root, env=secret_parameters.without(os.environ))
    if status:
        raise StepFailed(
            "embedded AWS",
            f"{' '.join(command)} ended with {status}; see ./scripts/cloud.sh logs --name {name}",
        )

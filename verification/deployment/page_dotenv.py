"""frontend/.env: the addresses of the deployed stack, from which the page is built."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from verification.deployment import console, dotenv, outputs
from verification.deployment.options import Options
from verification.deployment.steps import StepFailed

# Vite reads these after .env, so what they say wins.
_STRONGER_DOTENVS = (".env.local", ".env.production", ".env.production.local")


def write(options: Options, values: dict[str, str]) -> bool:
    """Bring frontend/.env in line with the stack's outputs; whether it changed.

    Raises:
        StepFailed: the file could not be written; it is unchanged.
    """
    try:
        return dotenv.update(
            options.dotenv,
            outputs.frontend_variables(options.environment, values),
        )
    except (dotenv.DotenvProblem, ValueError) as problem:
        raise StepFailed("frontend/.env", str(problem)) from problem


def show(options: Options, values: dict[str, str], *, changed: bool) -> None:
    """Say what the file says, and which other file is preferred to it."""
    console.out(f"{name_of(options)} {'now says' if changed else 'already says'}:")
    for name, value in outputs.frontend_variables(options.environment, values).items():
        console.out(f"  {name}={value}")
    for note in _overridden(options.dotenv.parent):
        console.note(note)


def _overridden(frontend: Path) -> Iterator[str]:
    """Name each file that Vite prefers to .env and that sets the same variable."""
    names = outputs.frontend_variables("", dict.fromkeys(outputs.REQUIRED, ""))
    for file in _STRONGER_DOTENVS:
        with contextlib.suppress(dotenv.DotenvProblem):
            for name in sorted(names.keys() & dotenv.parsed(dotenv.read(frontend / file)).keys()):
                yield f"frontend/{file} sets {name} too, and Vite prefers it to .env; remove it there"


def name_of(options: Options) -> str:
    """Return how messages name the file."""
    return "frontend/.env" if options.dotenv.is_relative_to(options.root) else str(options.dotenv)

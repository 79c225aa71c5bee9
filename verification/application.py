"""Pixel Prompt as the engine knows it: its folder, and the environments that it declares."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from readiness import environment
from readiness.application import Application
from readiness.environment import Environment, Settings

ROOT: Final = Path(__file__).resolve().parent.parent


def names(root: Path = ROOT) -> tuple[str, ...]:
    """Every environment that a checkout declares."""
    return environment.names(Application.of(root))


def settings(name: str, root: Path = ROOT) -> Settings:
    """What a checkout declares of one environment.

    Raises:
        UsageProblem: it is not declared, or not well.
    """
    return environment.settings(Application.of(root), name)


def production(root: Path = ROOT) -> Settings:
    """The environment that users rely on.

    Raises:
        UsageProblem: none is declared.
    """
    return environment.production(Application.of(root))


def connect(name: str, *, cloud: str | None = None, root: Path = ROOT) -> Environment:
    """The environment of that name, see readiness.environment.connect."""
    return environment.connect(Application.of(root), name, cloud=cloud)

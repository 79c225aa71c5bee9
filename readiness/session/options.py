"""The options of a verification, and what a run refuses because secrets would leave by it."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness import budgets
from readiness.errors import UsageProblem
from readiness.run import limits

_REFUSED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "log_file": (bool, "--log-file would keep what a check logs as it is"),
    "pastebin": (bool, "--pastebin would send the terminal to a public page"),
    "debug": (bool, "--debug would keep pytest's own trace as it is"),
    "capture": (lambda how: how == "tee-sys", "--capture=tee-sys would show what a check prints as it is"),
}


def add(parser: pytest.Parser) -> None:
    """Declare the options of a verification."""
    group = parser.getgroup("verification", "production verification")
    group.addoption(
        "--env", default="local", metavar="NAME", help="environment of environments.toml (default: local)"
    )
    group.addoption(
        "--app",
        type=Path,
        metavar="DIR",
        help="checkout of the application to verify (default: the folder of its checklist)",
    )
    group.addoption("--application", type=Path, help=argparse.SUPPRESS)  # verify-stack's
    group.addoption("--cloud", metavar="NAME", help="embedded AWS to use, for environments that live on one")
    group.addoption(
        "--paid", action="store_true", help="also run checks that spend money at the AI providers"
    )
    group.addoption(
        "--budget",
        type=_usd,
        default=budgets.RUN_USD,
        metavar="USD",
        help="what the run may spend at the AI providers; 0 allows no paid request (default: %(default)s)",
    )
    group.addoption(
        "--report-dir", type=Path, metavar="DIR", help="where the report goes (default: reports/<env>)"
    )
    group.addoption(
        "--since",
        default="",
        metavar="RUN",
        help="the run to compare with: the beginning of its time or commit (default: the last comparable one)",
    )
    group.addoption(
        "--benchmarks",
        type=Path,
        metavar="FILE",
        help="performance figures for the report, from 'pytest benchmarks --benchmark-json=FILE'",
    )
    group.addoption(
        "--record",
        type=Path,
        metavar="DIR",
        help="keep what was asked and answered, without secrets, in a new folder",
    )
    group.addoption(
        "--replay",
        type=Path,
        metavar="DIR",
        help="take every answer from a recording, without network access; never READY, exit status 6 when every item ends as recorded",
    )
    group.addoption(
        "--deadline",
        type=_duration,
        metavar="TIME",
        help="end the whole run after such a time as 45m; what has not ended is UNVERIFIED "
        f"(default: {limits.words(budgets.RUN_DEADLINE['AWS'])}, on an emulated AWS {limits.words(budgets.RUN_DEADLINE['emulated'])})",
    )
    group.addoption(
        "--item-timeout",
        type=_duration,
        metavar="TIME",
        help="end each check after such a time as 90s (default: by what the check takes)",
    )
    group.addoption(
        "--static", action="store_true", help="read files alone, without AWS; the report is that of 'static'"
    )
    group.addoption("--list-items", action="store_true", help="list the checklist and exit; needs no stack")
    group.addoption("--explain", metavar="ID", help="explain one item and exit; needs no stack")


def refuse_leaks(option: Any) -> None:
    """Refuse pytest's own options that would write text past the redaction.

    Raises:
        UsageProblem: one of them is given.
    """
    for name, (refused, why) in _REFUSED.items():
        if refused(getattr(option, name, None)):
            raise UsageProblem(f"{why}, secrets and all; leave it out")


def given(config: pytest.Config) -> list[Path]:
    """The paths that the command line names."""
    return [Path(config.invocation_params.dir, str(arg).partition("::")[0]).resolve() for arg in config.args]


def asks_for(marker: str, expression: str) -> bool:
    """Return whether the -m expression selects the marker. An expression with `not` does not count."""
    words = re.findall(r"\w+", expression)
    return marker in words and "not" not in words


def _duration(text: str) -> timedelta:
    try:
        return limits.duration(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem


def _usd(text: str) -> float:
    try:
        usd = float(text)
    except ValueError:
        usd = math.nan
    if not 0 <= usd < math.inf:
        raise argparse.ArgumentTypeError(f"expected an amount in USD such as 0, 0.5 or 2, found '{text}'")
    return usd

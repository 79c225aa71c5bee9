"""Options of benchmarks/test_load.py; scripts/run-loadtest.sh sets them all."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("load", "load test")
    group.addoption(
        "--load-profile",
        choices=["light", "full"],
        default="light",
        help="10 users for two and a half minutes (default), or 100 for thirteen",
    )
    group.addoption(
        "--load-scale", type=float, default=1.0, metavar="FACTOR", help="make every phase longer or shorter"
    )
    group.addoption(
        "--load-on", choices=["here", "fargate", "lambda"], default="here", help="who generates the load"
    )
    group.addoption(
        "--load-count",
        type=int,
        default=1,
        metavar="N",
        help="workers in AWS, each of which generates all of it",
    )
    group.addoption(
        "--load-dir",
        type=Path,
        metavar="DIR",
        help="where the results go (default: reports/<env>/load-<time>)",
    )

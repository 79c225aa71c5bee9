"""The application on an embedded AWS of its own, measured as a user does it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.bench import Bench, Checkout, deployed
from verification.application import ROOT
from verification.embedded.cloud import Cloud


@dataclass(frozen=True)
class Run:
    """One run of the benchmarks."""

    status: int
    output: str
    json: dict[str, Any]

    def figure(self, what: str) -> dict[str, Any]:
        return next(row for row in self.json["figures"] if row["what"] == what)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    checkout = Checkout.of_this_tree(tmp_path_factory.mktemp("checkout") / "app")
    cloud = Cloud(f"benchmarks-{os.getpid()}")
    with deployed(checkout, cloud):
        yield Bench(cloud.name, checkout, tmp_path_factory.mktemp("reports"))


def command(bench: Bench, *arguments: str) -> list[str]:
    """What a user types, on that embedded AWS and that checkout."""
    where = ("--env", "local", "--cloud", bench.cloud, "--app", str(bench.checkout.app))
    quiet = ("-p", "no:cacheprovider", "-q", "--tb=short")
    return [sys.executable, "-m", "pytest", *arguments, *where, *quiet]


def variables() -> dict[str, str]:
    """This process's own, without what says that it is a test itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


@pytest.fixture
def measure(bench: Bench, tmp_path: Path) -> Callable[..., Run]:
    """Run benchmarks and read what they leave."""

    def run(*arguments: str, file: Path = tmp_path / "figures.json") -> Run:
        file.unlink(missing_ok=True)
        done = subprocess.run(
            command(bench, *arguments, f"--benchmark-json={file}"),
            cwd=ROOT,
            env=variables(),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        content = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return Run(done.returncode, done.stdout + done.stderr, content)

    return run

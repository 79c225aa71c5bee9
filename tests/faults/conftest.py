"""One embedded AWS a worker, filled once; one checkout for faults of the source."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.faults.bench import Bench, Checkout
from verification.embedded.cloud import Cloud
from verification.environment import ROOT


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough", action="store_true", help="look at each fault with drills and browsers too"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that two workers end at the same time."""
    items.sort(key=lambda item: item.path.name != "test_refusals.py")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.of_this_tree(tmp_path_factory.mktemp("checkout") / "app")


@pytest.fixture(scope="session")
def bench(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The application, deployed as a user deploys it; gone with this process."""
    cloud = Cloud(f"faults-{os.getpid()}")
    cloud.up(owned_by=os.getpid())
    try:
        command = ["scripts/deploy.sh", "local", "--yes", "--cloud", cloud.name, "--app", str(checkout.app)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        yield Bench(cloud.name, checkout, tmp_path_factory.mktemp("reports"))
    finally:
        cloud.down()


@pytest.fixture(scope="session")
def known_good() -> set[str]:
    """The realms and items that were seen to be good without a fault."""
    return set()

"""One embedded AWS a worker, filled once; one checkout for faults of the source."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.faults.bench import Bench, Checkout, Seen
from tests.faults.fault import Realm
from verification.embedded.cloud import Cloud
from verification.environment import ROOT


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
def baselines(bench: Bench) -> dict[Realm, dict[str, Seen]]:
    """What each item's outcome is without a fault, filled when first asked for."""
    return {}

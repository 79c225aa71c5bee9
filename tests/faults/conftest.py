"""One embedded AWS a worker, filled once; one checkout for faults of the source."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from itertools import chain

import pytest

from readiness.shared import Shared
from tests.faults.bench import Bench, Checkout, deployed
from tests.faults.refusals import LIVE, calls_of
from tests.probes.registries import Registries
from verification.embedded.cloud import Cloud


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough", action="store_true", help="look at each fault with drills and browsers too"
    )
    parser.addoption(
        "--together",
        type=int,
        default=1,
        metavar="N",
        help="make up to N faults at once that turn different items, and fewer only if that goes wrong",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that two workers end at the same time."""
    items.sort(key=lambda item: item.path.name != "test_refusals.py")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of the matrix, over all workers."""
    totals: Counter[str] = Counter()
    for report in chain.from_iterable(terminalreporter.stats.get(end, ()) for end in ("passed", "failed")):
        if "test_matrix.py" in report.nodeid:
            totals.update({name: value for name, value in report.user_properties if isinstance(value, int)})
            for name, why in report.user_properties:
                if name == "apart":  # a run of a group becomes two of its halves
                    terminalreporter.write_line(f"halved: {report.nodeid.partition('[')[2][:-1]}: {why}")
    if totals:
        terminalreporter.write_line(
            f"fault matrix: {totals['detected']} of {totals['faults']} faults detected, collateral {totals['collateral']}, "
            f"{totals['halved']} groups halved"
        )


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.of_this_tree(tmp_path_factory.mktemp("checkout") / "app")


@pytest.fixture(scope="session")
def registries(checkout: Checkout) -> Iterator[Registries]:
    """What the tools ask on this machine; the real services change from day to day, or are out of reach."""
    stub = Registries(checkout.app)
    yield stub
    stub.close()


@pytest.fixture(scope="session")
def bench(
    checkout: Checkout, registries: Registries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """The application, deployed as a user deploys it; gone with this process."""
    cloud = Cloud(f"faults-{os.getpid()}")
    with deployed(checkout, cloud):
        yield Bench(cloud.name, checkout, tmp_path_factory.mktemp("reports"), registries)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """What one worker finds out for all: each has the same tree, deployed in the same way."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return Shared(folder)


@pytest.fixture(scope="session")
def callers(bench: Bench, shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Which items call which operation, of everything that is quick."""
    selection = f"{LIVE} and not drill and not browser"
    made = shared.once(
        "calls",
        lambda: {
            operation: sorted(items)
            for operation, items in calls_of(bench, tmp_path_factory.mktemp("calls"), selection).items()
        },
    )
    return {operation: set(items) for operation, items in made.items()}

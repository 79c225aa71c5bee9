"""On an AWS at its worst twenty faults are still found, and nothing that is right fails: minutes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest

from tests.faults.bench import Bench, Checkout, deployed
from tests.faults.fault import Fault, together
from tests.faults.register import FAULTS
from tests.probes.registries import Registries
from verification.embedded.cloud import Cloud

pytestmark = pytest.mark.further

SPEED = 20.0
# Whatever waits for AWS, or looks at what is loose, and some that do neither.
ITEMS = (
    *("CODE-17", "SEC-07", "SEC-10", "SEC-11", "SEC-14", "SEC-15", "SEC-25", "CONF-09", "CONF-12"),
    *(
        "INF-02",
        "INF-05",
        "INF-09",
        "INF-14",
        "INF-19",
        "CDN-03",
        "CDN-05",
        "CDN-07",
        "CDN-08",
        "CDN-09",
        "CDN-11",
    ),
)
FIRST = [next(fault for fault in FAULTS if fault.item == item) for item in ITEMS]


@pytest.fixture(scope="module")
def slow_bench(
    checkout: Checkout, registries: Registries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    cloud = Cloud(f"slow-faults-{os.getpid()}")
    with deployed(checkout, cloud, SPEED):
        yield Bench(cloud.name, checkout, tmp_path_factory.mktemp("reports"), registries)


def test_twenty_faults_are_tried() -> None:
    assert len(set(ITEMS)) == 20


@pytest.mark.parametrize(
    "faults",
    [pytest.param(group, id="+".join(fault.item for fault in group)) for group in together(FIRST, 10)],
)
def test_a_fault_is_found_though_aws_is_slow(faults: Sequence[Fault], slow_bench: Bench) -> None:
    turned = set().union(*(fault.turned for fault in faults))
    selection = " or ".join(ITEMS)
    with ExitStack() as stack:
        for fault in faults:
            stack.enter_context(fault.inject(slow_bench))
        seen = slow_bench.verify("-m", selection)

    assert {
        fault.item: seen[fault.item] for fault in faults if seen[fault.item].outcome != fault.outcome
    } == {}
    assert {item: end for item, end in seen.items() if end.outcome == "fail" and item not in turned} == {}

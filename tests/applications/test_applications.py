"""Four applications that share nothing, each deployed by the SAM CLI and verified by the wheel from a folder of its own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.applications import trial
from verification.embedded.cloud import State

pytestmark = [pytest.mark.embedded]
SEED = 15
# Planted defects that no item names, each with the reason; `python -m tests.applications` shows them all.
NOT_NAMED = {
    "guest book: old-event-format": "the embedded AWS sends every function the payload format 2.0",
    "guest book: copy-elsewhere": "which keys a source writes is not read",
    "guest book: same-minute": "what a key means is the application's own claim",
    "guest book: oldest-first": "the order of a list is the application's own claim",
    "guest book: no-rollback": "no item looks at disable_rollback",
    "site: open-route": "HTTP-09 names the API, not the function behind the route",
    "site: smoke-test-cannot-fail": "in a loop, || may belong to a retry",
}


def some(name: str) -> list[object]:
    """Each planted defect of an application; one of them, drawn by a seed, is tried in every run."""
    planted = trial.defects(name)
    chosen = random.Random(f"{SEED} {name}").choice(
        [each for each in planted if f"{name}: {each.id}" not in NOT_NAMED]
    )
    return [
        pytest.param(each, id=each.id, marks=() if each is chosen else pytest.mark.further)
        for each in planted
    ]


@pytest.fixture(scope="module")
def deployed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[State, Path]]:
    """An embedded AWS with one application as it is meant, and the application's folder; a defect is deployed over it."""
    with trial.cloud() as state:
        folder = trial.copy(request.param, tmp_path_factory.mktemp("good") / "app")
        trial.deploy(state, folder)
        yield state, folder


@pytest.mark.parametrize(
    "deployed",
    [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in trial.FOLDERS],
    indirect=True,
)
def test_a_good_application_has_no_finding(deployed: tuple[State, Path], python: Path) -> None:
    good = trial.verify(python, *deployed)

    assert good.ended("fail") == [], good.findings()
    assert good.ended("unverified") == [], good.terminal[-3000:]
    assert good.status == 0
    assert good.report["verdict"].startswith("READY")


@pytest.mark.parametrize(
    ("deployed", "name", "defect"),
    [
        pytest.param(
            name,
            name,
            *case.values,
            id=f"{name}: {case.id}",
            marks=[*case.marks, pytest.mark.xdist_group(name)],
        )
        for name in trial.FOLDERS
        for case in some(name)
    ],
    indirect=["deployed"],
)
def test_a_planted_defect_is_named(
    deployed: tuple[State, Path], name: str, defect: trial.Defect, python: Path, tmp_path: Path
) -> None:
    if reason := NOT_NAMED.get(f"{name}: {defect.id}"):
        pytest.xfail(reason)
    state, _ = deployed
    folder = trial.copy(name, tmp_path / "app", defect)
    trial.deploy(state, folder)

    seen = trial.verify(python, state, folder)

    assert seen.status == 1
    assert defect.names in seen.findings()

"""Four applications that share nothing, each deployed by the SAM CLI and verified by the wheel from a folder of its own."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.applications import trial

pytestmark = [pytest.mark.embedded]
SEED = 15
# Planted defects that no item names, each with the reason; `python -m tests.applications` shows them all.
NOT_NAMED = {
    "guest book: one-unit": "the embedded AWS has no Application Auto Scaling, and one unit suits a small table",
    "guest book: old-event-format": "the embedded AWS sends every function the payload format 2.0",
    "guest book: copy-elsewhere": "which keys a source writes is not read",
    "guest book: same-minute": "what a key means is the application's own claim",
    "guest book: oldest-first": "the order of a list is the application's own claim",
    "guest book: no-rollback": "no item looks at disable_rollback",
    "REST API: tokens-in-the-log": "no item looks at DataTraceEnabled",
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


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in trial.FOLDERS]
)
def test_a_good_application_has_no_finding(name: str, python: Path, tmp_path: Path) -> None:
    with trial.cloud() as state:
        folder = trial.copy(name, tmp_path / "app")
        trial.deploy(state, folder)

        good = trial.verify(python, state, folder)

    assert good.ended("fail") == [], good.findings()
    assert good.ended("unverified") == [], good.terminal[-3000:]
    assert good.status == 0
    assert good.report["verdict"].startswith("READY")


@pytest.mark.parametrize(
    ("name", "defect"),
    [
        pytest.param(
            name, *case.values, id=f"{name}: {case.id}", marks=[*case.marks, pytest.mark.xdist_group(name)]
        )
        for name in trial.FOLDERS
        for case in some(name)
    ],
)
def test_a_planted_defect_is_named(name: str, defect: trial.Defect, python: Path, tmp_path: Path) -> None:
    if reason := NOT_NAMED.get(f"{name}: {defect.id}"):
        pytest.xfail(reason)
    with trial.cloud() as state:
        folder = trial.copy(name, tmp_path / "app", defect)
        trial.deploy(state, folder)

        seen = trial.verify(python, state, folder)

    assert seen.status == 1
    assert defect.names in seen.findings()

"""The fault matrix: each fault turns its item and its declared relatives, and nothing else.

One fault: pytest tests/faults -k SEC-10
"""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet

from tests.faults.bench import Bench, Seen
from tests.faults.document import render
from tests.faults.fault import Fault, Realm
from tests.faults.register import FAULTS
from verification import checklist
from verification.environment import ROOT

# What every fault of a realm is looked at with. Drills, browsers and unit tests take long: they run for the
# faults that are about them, and for all with --thorough.
_SELECTION = {
    Realm.LIVE: "not static and not drill and not browser",
    Realm.SOURCE: "static and not CODE-02 and not CODE-03 and not CODE-04",
}
_THOROUGH = {Realm.LIVE: "not static", Realm.SOURCE: "static"}
_GOOD = ("pass", "waived")


def _look(bench: Bench, selection: str) -> dict[str, Seen]:
    items = checklist.load(ROOT)
    return {item: seen for item, seen in bench.verify("-m", selection).items() if not items[item].planned}


def _selection(fault: Fault, *, thorough: bool) -> str:
    if thorough:
        return _THOROUGH[fault.realm]
    return " or ".join([f"({_SELECTION[fault.realm]})", fault.item, *sorted(fault.relatives)])


def _parameters() -> list[ParameterSet]:
    """Every fault; the second and later ones of an item are marked, for a run that has less time."""
    seen: set[str] = set()
    parameters = []
    for fault in FAULTS:
        marks = [pytest.mark.further] if fault.item in seen else []
        seen.add(fault.item)
        parameters.append(pytest.param(fault, id=str(fault), marks=marks))
    return parameters


@pytest.mark.parametrize("fault", _parameters())
def test_fault_turns_its_item_alone(
    fault: Fault, bench: Bench, known_good: set[str], request: pytest.FixtureRequest
) -> None:
    selection = _selection(fault, thorough=request.config.getoption("--thorough", default=False))
    if not {fault.item, *fault.relatives, fault.realm} <= known_good:
        before = _look(bench, selection)
        broken = {item: seen for item, seen in before.items() if seen.outcome not in _GOOD}
        assert broken == {}, "items that do not pass without any fault"
        known_good |= {*before, fault.realm}

    with fault.inject(bench):
        after = _look(bench, selection)

    assert after[fault.item].outcome == fault.outcome, after[fault.item]
    turned = {item: seen for item, seen in after.items() if seen.outcome not in _GOOD and item != fault.item}
    assert turned.keys() == fault.relatives, turned


def test_every_item_has_a_fault() -> None:
    """A check that nobody has seen fail may be unable to."""
    checked = {item.id for item in checklist.load(ROOT).values() if not item.planned}

    assert checked - {fault.item for fault in FAULTS} == set()
    assert {fault.item for fault in FAULTS} - checked == set()


def test_the_matrix_is_documented() -> None:
    """docs/FAULTS.md is generated: python -m tests.faults.document"""
    assert (ROOT / "docs" / "FAULTS.md").read_text(encoding="utf-8") == render()

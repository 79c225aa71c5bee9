"""The fault matrix: each fault turns its item and its declared relatives, and nothing else.

One fault: pytest tests/faults -k SEC-10
"""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet

from tests.faults import estate, jobs, live, source  # noqa: F401  # registers the faults
from tests.faults.bench import Bench, Seen
from tests.faults.document import render
from tests.faults.fault import FAULTS, Fault, Realm
from verification import checklist
from verification.environment import ROOT

_SELECTION = {Realm.LIVE: ("-m", "not static"), Realm.SOURCE: ("-m", "static")}
_GOOD = ("pass", "waived")


def _look(bench: Bench, realm: Realm) -> dict[str, Seen]:
    planned = {item.id for item in checklist.load(ROOT).values() if item.planned}
    return {item: seen for item, seen in bench.verify(*_SELECTION[realm]).items() if item not in planned}


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
    fault: Fault, bench: Bench, baselines: dict[Realm, dict[str, Seen]]
) -> None:
    if fault.realm not in baselines:
        baselines[fault.realm] = _look(bench, fault.realm)
        broken = {item: seen for item, seen in baselines[fault.realm].items() if seen.outcome not in _GOOD}
        assert broken == {}, "items that do not pass without any fault"

    with fault.inject(bench):
        after = _look(bench, fault.realm)

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

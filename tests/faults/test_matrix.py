"""The fault matrix: each fault turns its item and its declared relatives, and nothing else.

One item: pytest tests/faults -k SEC-10
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack

import pytest

from readiness import checklist
from readiness.application import CHECKLIST
from readiness.shared import Shared
from tests.faults.bench import Bench, Seen
from tests.faults.document import render
from tests.faults.fault import Fault, Realm, together
from tests.faults.register import FAULTS
from verification.application import ROOT

# What every fault of a realm is looked at with. Drills, browsers, unit tests, and the tools that build, audit or
# start a run of their own take long: they run for the faults that are about them, and for all with --thorough.
_LONG = ("CODE-02", "CODE-03", "CODE-04", "CODE-21", "SEC-02", "SEC-05", "SEC-21")
# They see every change of the stack or the source: only their own faults are looked at with them.
_SEE_EVERYTHING = ("INF-04", "INF-21", "CONF-14")
# How full the account is, and how long ten cold starts take: a third of the time of all, and hardly any fault's matter.
_MEASURING = ("INF-08", "INF-10")
_SELECTION = {
    Realm.LIVE: " and not ".join(["not static", "drill", "browser", *_SEE_EVERYTHING, *_MEASURING]),
    Realm.SOURCE: " and not ".join(["static", *_LONG]),
}
_THOROUGH = {Realm.LIVE: " and not ".join(["not static", *_SEE_EVERYTHING]), Realm.SOURCE: "static"}


def _look(bench: Bench, selection: str) -> dict[str, Seen]:
    items = checklist.load(ROOT / CHECKLIST)
    return {item: seen for item, seen in bench.verify("-m", selection).items() if not items[item].planned}


def _good(bench: Bench, selection: str) -> list[str]:
    """The items of a selection, none of which may fail without any fault; one that does is looked at a second time."""
    seen = _look(bench, selection)
    if broken := {item: one for item, one in seen.items() if not one.good}:
        broken = {item: one for item, one in _look(bench, " or ".join(broken)).items() if not one.good}
    assert broken == {}, "items that do not pass without any fault"
    return sorted(seen)


def _require_good(bench: Bench, shared: Shared, items: AbstractSet[str]) -> None:
    """Look at items without any fault, all in one run, unless an earlier group did."""
    if unknown := sorted(item for item in items if shared.made(f"good {item}") is None):
        _good(bench, " or ".join(unknown))
        for item in unknown:
            shared.once(f"good {item}", lambda: True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each fault by itself, or in groups with --together; the second and later ones of an item are marked."""
    if "faults" not in metafunc.fixturenames:
        return
    first: dict[str, Fault] = {}
    for fault in FAULTS:
        first.setdefault(fault.item, fault)
    size = metafunc.config.getoption("--together", default=1)
    parameters = [
        pytest.param(group, id=_name(group), marks=marks)
        for faults, marks in (
            (list(first.values()), []),
            ([fault for fault in FAULTS if fault not in first.values()], [pytest.mark.further]),
        )
        for group in sorted(together(faults, size), key=_first)
    ]
    metafunc.parametrize("faults", parameters)


def _first(group: Sequence[Fault]) -> tuple[bool, int]:
    """The order of groups.

    First those with an item that sees everything: a suspended versioning, which no API takes away, would turn it too.
    Then the largest, so that the workers end together.
    """
    return all(fault.item not in _SEE_EVERYTHING for fault in group), -len(group)


def _name(group: Sequence[Fault]) -> str:
    return str(group[0]) if len(group) == 1 else "+".join(fault.item for fault in group)


def _try(faults: Sequence[Fault], bench: Bench, shared: Shared, *, thorough: bool) -> list[str]:
    """What is not as the faults declare, after all of them were made at once."""
    turned = set().union(*(fault.turned for fault in faults))
    # A realm is looked at whole once, and the items that this leaves out when a fault of them comes.
    usual = (_THOROUGH if thorough else _SELECTION)[faults[0].realm]
    good = set(shared.once(f"good {faults[0].realm}", lambda: _good(bench, usual)))
    _require_good(bench, shared, turned - good)

    with ExitStack() as stack:
        for fault in faults:
            stack.enter_context(fault.inject(bench))
        after = _look(bench, " or ".join([f"({usual})", *sorted(turned)]))

    wrong = [
        f"{fault}: {fault.item} is not {fault.outcome}: {after[fault.item]}"
        for fault in faults
        if after[fault.item].outcome != fault.outcome
    ]
    wrong += [
        f"{fault}: {fault.item} has no finding that matches {fault.finding!r}: {after[fault.item].findings}"
        for fault in faults
        if fault.finding and not any(re.search(fault.finding, one) for one in after[fault.item].findings)
    ]
    bad = {item for item, seen in after.items() if not seen.good}
    wrong += [f"{item} turned too: {after[item]}" for item in sorted(bad - turned)]
    wrong += [f"{item} did not turn, though it is a relative" for item in sorted(turned - bad)]
    return wrong


def _halves(
    faults: Sequence[Fault], tried: Callable[[Sequence[Fault]], list[str]]
) -> tuple[list[str], list[str]]:
    """What is not as declared, and why groups fell apart: a group is halved until a fault is by itself, which decides."""
    try:
        wrong = tried(faults)
    except AssertionError as problem:
        if len(faults) == 1:
            raise
        wrong = [str(problem)]
    if not wrong or len(faults) == 1:
        return wrong, []
    middle = len(faults) // 2
    parts = [_halves(part, tried) for part in (faults[:middle], faults[middle:])]
    return [line for found, _ in parts for line in found], [
        wrong[0],
        *(why for _, more in parts for why in more),
    ]


def test_faults_turn_their_items_alone(
    faults: Sequence[Fault],
    bench: Bench,
    shared: Shared,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    """Several at once where they affect different items; where that is not as declared, smaller groups decide."""
    thorough = request.config.getoption("--thorough", default=False)
    wrong, apart = _halves(faults, lambda group: _try(group, bench, shared, thorough=thorough))
    for why in apart:
        record_property("apart", why)
    missed = [fault for fault in faults if any(line.startswith(f"{fault}: ") for line in wrong)]
    record_property("faults", len(faults))
    record_property("detected", len(faults) - len(missed))
    record_property("collateral", sum("turned too" in line for line in wrong))
    record_property("halved", len(apart))

    assert not wrong, "\n".join(wrong)


def test_a_group_is_halved_until_the_fault_that_is_not_as_declared_is_by_itself() -> None:
    faults = FAULTS[:8]
    bad, tried = faults[5], []

    def seen(group: Sequence[Fault]) -> list[str]:
        tried.append(list(group))
        return [f"{bad}: is not fail"] if bad in group else []

    assert _halves(faults, seen) == ([f"{bad}: is not fail"], [f"{bad}: is not fail"] * 3)
    assert tried == [faults, faults[:4], faults[4:], faults[4:6], [faults[4]], [bad], faults[6:]]


def test_faults_that_only_turn_more_together_are_not_wrong() -> None:
    faults = FAULTS[:2]

    assert _halves(faults, lambda group: ["SEC-01 turned too"] * (len(group) - 1)) == (
        [],
        ["SEC-01 turned too"],
    )


def test_a_certificate_that_no_name_shows_proves_nothing(bench: Bench) -> None:
    """CloudFront serves its own name with its own certificate, and so with TLS 1.0."""
    seen = bench.verify("-m", "SEC-20")["SEC-20"]

    assert (seen.outcome, seen.gap) == ("unverified", "needs AWS"), seen
    assert "no domain name of its own" in seen.reason


def test_every_item_has_a_fault() -> None:
    """A check that nobody has seen fail may be unable to."""
    checked = {item.id for item in checklist.load(ROOT / CHECKLIST).values() if not item.planned}

    assert checked - {fault.item for fault in FAULTS} == set()
    assert {fault.item for fault in FAULTS} - checked == set()


def test_the_matrix_is_documented() -> None:
    """docs/FAULTS.md is generated: python -m tests.faults.document"""
    assert (ROOT / "docs" / "FAULTS.md").read_text(encoding="utf-8") == render()

from contextlib import nullcontext
from dataclasses import replace

from readiness.verdict import Outcome
from tests.faults.fault import Fault, Realm, together
from tests.faults.refusals import apart, drawn


def a_fault(item, *relatives, realm=Realm.LIVE, alone=False):
    return Fault(item, "it breaks", realm, lambda _: nullcontext(), Outcome.FAIL, frozenset(relatives), alone)


def items(groups):
    return [[fault.item for fault in group] for group in groups]


def test_faults_that_turn_different_items_last_together():
    faults = [a_fault("SEC-01"), a_fault("SEC-02", "SEC-03"), a_fault("SEC-04")]

    assert items(together(faults, 8)) == [["SEC-01", "SEC-02", "SEC-04"]]


def test_faults_that_turn_one_item_do_not():
    faults = [a_fault("SEC-01", "SEC-03"), a_fault("SEC-02", "SEC-03"), a_fault("SEC-03"), a_fault("SEC-01")]

    assert items(together(faults, 8)) == [["SEC-01"], ["SEC-02", "SEC-01"], ["SEC-03"]]


def test_faults_that_hide_each_other_do_not():
    hides, other = replace(a_fault("CDN-18"), apart_from=frozenset({"CDN-04"})), a_fault("CDN-02", "CDN-04")

    assert together([hides, other], 8) == [(hides,), (other,)]
    assert together([other, hides], 8) == [(other,), (hides,)]


def test_realms_stay_apart_and_some_faults_are_alone():
    faults = [
        a_fault("SEC-01"),
        a_fault("CODE-01", realm=Realm.SOURCE),
        a_fault("INF-01", alone=True),
        a_fault("SEC-02"),
    ]

    assert items(together(faults, 8)) == [["SEC-01", "SEC-02"], ["CODE-01"], ["INF-01"]]


def test_a_group_is_no_larger_than_asked_for_and_one_is_every_fault_by_itself():
    faults = [a_fault(f"SEC-0{number}") for number in range(1, 6)]

    assert [len(group) for group in together(faults, 2)] == [2, 2, 1]
    assert [len(group) for group in together(faults, 1)] == [1] * 5


def test_no_item_is_judged_with_two_of_its_calls_refused():
    callers = {"a:Get": {"ONE", "ALL"}, "b:Get": {"TWO", "ALL"}, "c:Get": {"ALL"}}

    assert apart(callers, callers) == [{operation: items} for operation, items in callers.items()]
    chosen = {"a:Get": {"ONE"}, "b:Get": {"TWO"}, "c:Get": {"ALL"}}
    assert apart(chosen, callers) == [{"a:Get": {"ONE"}, "b:Get": {"TWO"}}, {"c:Get": {"ALL"}}]


def test_an_item_keeps_some_of_its_calls_and_each_item_keeps_one():
    callers = {f"s3:Get{number}": {"ALL"} for number in range(9)} | {"b:Get": {"TWO", "ALL"}}

    kept = drawn(callers, 3)

    assert sum("ALL" in items for items in kept.values()) == 3
    assert "TWO" in kept["b:Get"]
    assert kept == drawn(callers, 3)
    assert drawn(callers, 99) == callers


def test_faults_of_one_item_last_together_if_their_findings_tell_them_apart():
    one, other = (replace(a_fault("INF-21"), finding=text) for text in ("queue", "stage"))
    related = replace(a_fault("INF-21", "SEC-16"), finding="mapping")
    silent = a_fault("INF-21")

    assert together([one, other], 8) == [(one, other)]
    assert together([one, related], 8) == [(one, related)]
    assert len(together([related, replace(a_fault("SEC-16"), finding="cost")], 8)) == 2
    assert together([one, silent], 8) == [(one,), (silent,)]

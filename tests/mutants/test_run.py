"""Which mutant an item has noticed is told by what its finding names; never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest

from tests.mutants.mutant import REMOVED, Mutant
from tests.mutants.run import Told, Workers, attempt, groups, sample, try_all
from tests.mutants.score import Fate
from tests.mutants.stand import DRIFT, OWN, Look, Refused, Said, said

GOOD: Look = {"SQS-01": Said("pass", ("",)), "HTTP-08": Said("pass", ("",)), "SRC-01": Said("pass", ("",))}


def mutant(resource: str, name: str = "VisibilityTimeout", value: object = 600) -> Mutant:
    path = ("Resources", resource, "Properties", name) if resource else ("Globals", name)
    return Mutant("shop", resource, "AWS::SQS::Queue", path, "times-ten", f"{name}: 60 -> {value}", value)


@dataclass
class Fake:
    """A place where items say what a test has them say of each resource's mutant."""

    noticed: Mapping[str, Mapping[str, Said]] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    references: frozenset[frozenset[str]] = frozenset()
    deployed: list[list[str]] = field(default_factory=list)

    def deploy(self, mutants: Sequence[Mutant]) -> None:
        self.deployed.append([each.resource for each in mutants])
        if self.refused & {each.resource for each in mutants}:
            raise Refused("SAM transform", "no such thing")

    def look(self, step: str) -> Look:
        del step
        look = dict(GOOD)
        for resource in self.deployed[-1]:
            for item, told in self.noticed.get(resource, {}).items():
                before = look[item].findings if look[item].outcome == told.outcome else ()
                look[item] = Said(told.outcome, before + told.findings)
        return look

    def names(self, mutant: Mutant) -> frozenset[str]:
        return frozenset({mutant.resource, f"shop-{mutant.resource}-1A2B"} if mutant.resource else ())

    def related(self, one: str, other: str) -> bool:
        return one == other or frozenset({one, other}) in self.references


def judged(place: Fake, *mutants: Mutant) -> dict[str, Told]:
    told: dict[str, Told] = {}
    with Workers(lambda: nullcontext(place), 1, None) as workers:
        workers.judge(mutants, GOOD, "all", lambda each, _: told.update({each.mutant.resource: each}))
    return told


def fails(item: str, *findings: str) -> dict[str, Said]:
    return {item: Said("fail", findings)}


def test_nothing_noticed_means_that_all_have_survived() -> None:
    place = Fake()

    told = judged(place, mutant("Orders"), mutant("Bills"))

    assert {name: one.fate for name, one in told.items()} == dict.fromkeys(("Orders", "Bills"), Fate.SURVIVED)
    assert place.deployed == [["Orders", "Bills"]]


def test_whom_a_finding_names_is_killed_and_the_others_are_tried_without_it() -> None:
    place = Fake({"Orders": fails("SQS-01", "shop-Orders-1A2B: expected 60, found 600")})

    told = judged(place, mutant("Orders"), mutant("Bills"))

    assert told["Orders"] == Told(mutant("Orders"), Fate.KILLED, {"SQS-01": True})
    assert told["Bills"].fate is Fate.SURVIVED
    assert place.deployed == [["Orders", "Bills"], ["Bills"]]


def test_a_finding_that_names_nobody_is_told_apart_by_halves() -> None:
    place = Fake({"Bills": fails("HTTP-08", "GET /bills answered 500")})

    told = judged(place, mutant("Orders"), mutant("Bills"), mutant("Jobs"))

    assert told["Bills"] == Told(mutant("Bills"), Fate.KILLED, {"HTTP-08": False})
    assert {told["Orders"].fate, told["Jobs"].fate} == {Fate.SURVIVED}


def test_whom_anothers_mutant_brought_into_a_finding_is_tried_alone() -> None:
    """A role's mutant makes an item name the function, beside a function's mutant that nobody notices."""
    both = fails("HTTP-08", "Orders answered 500")
    place = Fake({"Role": both})

    told = judged(place, mutant("Orders"), mutant("Role"))

    assert told["Role"].fate is Fate.KILLED
    assert told["Orders"].fate is Fate.SURVIVED
    assert place.deployed == [["Orders", "Role"], ["Role"], ["Orders"]]


def test_a_part_of_a_name_is_no_name() -> None:
    place = Fake({"OrdersPolicy": fails("SQS-01", "OrdersPolicy admits a stranger")})

    told = judged(place, mutant("Orders"), mutant("OrdersPolicy"))

    assert told["OrdersPolicy"].fate is Fate.KILLED
    assert told["Orders"].fate is Fate.SURVIVED


def test_a_refused_deployment_is_halved_until_it_is_known_who_is_stillborn() -> None:
    place = Fake(refused=frozenset({"Bills"}))

    told = judged(place, mutant("Orders"), mutant("Bills"), mutant("Jobs"))

    assert told["Bills"] == Told(mutant("Bills"), Fate.STILLBORN, by="SAM transform", message="no such thing")
    assert {told["Orders"].fate, told["Jobs"].fate} == {Fate.SURVIVED}


def test_unverified_alone_is_no_kill() -> None:
    place = Fake({"Orders": {"SQS-01": Said("unverified", ("Orders cannot be read",))}})

    assert judged(place, mutant("Orders"))["Orders"] == Told(mutant("Orders"), Fate.UNSURE, {"SQS-01": True})


def test_what_fails_on_the_good_application_notices_nothing() -> None:
    place = Fake({"Orders": fails("SQS-01", "Orders is wrong")})
    base = {**GOOD, "SQS-01": Said("fail", ("Orders is wrong",))}

    (told,) = attempt(place, base, [mutant("Orders")], "all").told

    assert told.fate is Fate.SURVIVED


@pytest.mark.parametrize(
    ("item", "finding", "meant"),
    [
        ("SQS-01", "expected a visibility timeout of 60 s, found 600 s", True),
        ("HTTP-08", "GET / answered 500", False),
        ("SRC-01", "E3034 Orders: VisibilityTimeout is too large", False),
    ],
)
def test_a_kill_is_by_meaning_where_the_finding_is_about_the_change(
    item: str, finding: str, *, meant: bool
) -> None:
    place = Fake({"Orders": fails(item, finding)})

    assert judged(place, mutant("Orders"))["Orders"].items == {item: meant}


def test_the_kind_of_what_is_gone_is_what_the_change_is_about() -> None:
    gone = Mutant("shop", "Orders", "AWS::SQS::Queue", ("Resources", "Orders"), "remove", "gone", REMOVED)
    place = Fake({"Orders": fails("SQS-01", "no queue takes what is sent")})

    assert judged(place, gone)["Orders"].items == {"SQS-01": True}


def test_resources_that_refer_to_each_other_are_not_tried_together() -> None:
    place = Fake(references=frozenset({frozenset({"Orders", "Policy"})}))
    made = groups([mutant("Orders"), mutant("Policy"), mutant("Bills"), mutant("")], place.related)

    assert [[each.resource for each in group] for group in made] == [["Orders", "Bills"], ["Policy"], [""]]


def test_a_larger_sample_holds_the_smaller_one() -> None:
    every = [mutant(f"Queue{number}") for number in range(50)]

    small, large = sample(every, 5, 16), sample(every, 20, 16)

    assert len(small) == 5
    assert set(small) < set(large)
    assert set(sample(every[1:], 5, 16)) >= set(small) - {every[0]}
    assert sample(every, 5, 17) != small
    assert sample(every, None, 16) == every


def test_the_slow_items_run_for_what_the_quick_ones_have_not_killed() -> None:
    place = Fake({"Orders": fails("SQS-01", "Orders is wrong")})
    kept: list[tuple[str, Fate]] = []

    with Workers(lambda: nullcontext(place), 1, None) as workers:
        try_all(
            OWN,
            [mutant("Orders"), mutant("Bills"), mutant("Jobs")],
            workers,
            "all",
            lambda told, fate, _: kept.append((told.mutant.resource, fate)),
            quickly_alive=frozenset({mutant("Jobs").id}),
        )

    assert kept == [
        ("Orders", Fate.KILLED),
        ("Bills", Fate.ALIVE),
        ("Jobs", Fate.SURVIVED),
        ("Bills", Fate.SURVIVED),
    ]
    # [] is the good application, looked at before each step.
    assert place.deployed == [[], ["Orders", "Bills"], ["Bills"], [], ["Jobs", "Bills"]]


def test_a_change_by_hand_that_an_item_could_not_judge_stays_unsure_without_drift() -> None:
    class WithoutDrift(Fake):
        def look(self, step: str) -> Look:
            return {"STACK-02": Said("pass", ("",))} if step == DRIFT else super().look(step)

    place = WithoutDrift({"Orders": {"SQS-01": Said("unverified", ("shop-Orders-1A2B is not there",))}})
    kept: dict[str, tuple[Fate, list[str]]] = {}

    with Workers(lambda: nullcontext(place), 1, None) as workers:
        try_all(
            "site",
            [mutant("Orders"), mutant("Bills")],
            workers,
            "all",
            lambda told, fate, _: kept.update({told.mutant.resource: (fate, [*told.items])}),
            of="by-hand",
        )

    assert kept == {"Orders": (Fate.UNSURE, ["SQS-01"]), "Bills": (Fate.SURVIVED, [])}


def test_nothing_more_is_begun_after_the_time() -> None:
    place = Fake()
    with Workers(lambda: nullcontext(place), 1, 0.0) as workers:
        workers.judge([mutant("Orders")], GOOD, "all", lambda *_: pytest.fail("nothing was to be judged"))

    assert place.deployed == []


def test_a_report_is_read_by_item_and_finding() -> None:
    found = {"subject": "Orders", "message": "expected 60"}
    entry = {"id": "SQS-01", "outcome": "fail", "reason": "two", "findings": [found, found]}

    assert said({"items": [entry, {**entry, "id": "SQS-02", "findings": []}]}) == {
        "SQS-01": Said("fail", ("Orders expected 60",) * 2),
        "SQS-02": Said("fail", ("two",)),
    }

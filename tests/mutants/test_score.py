"""Results outlive an interruption, and the score leaves out what nobody could notice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.mutants import document
from tests.mutants.mutant import Mutant, Rewritten
from tests.mutants.score import Fate, Peer, Result, Results, Run, Score, append, by, lost

TIMEOUT = ("Resources", "Orders", "Properties", "Rules", 0, "Timeout")


def result(name: str, fate: Fate, **facts: object) -> Result:
    mutant = Mutant("site", name, "AWS::SQS::Queue", TIMEOUT, "flip", "Timeout: a | b", 1)
    return Result.of(mutant, fate, "abc", **facts)


def test_the_score_is_the_share_of_the_killed_in_what_lived() -> None:
    results = [
        *(result(f"K{n}", Fate.KILLED, items={"SQS-01": n == 0}) for n in range(3)),
        *(result("S", Fate.SURVIVED), result("U", Fate.UNSURE), result("B", Fate.STILLBORN)),
        *(result("E", Fate.EQUIVALENT), result("A", Fate.ALIVE)),
    ]

    score = Score.of(results)

    assert score == Score(killed=3, meant=1, survived=1, unsure=1, stillborn=1, equivalent=1, alive=1)
    assert score.percent == "-", "one is not judged yet"
    assert Score.of(results[:-1]).percent == "75 %"
    assert Score.of(results[-3:]).percent == "-"
    assert by(results, lambda one: one.operator) == {"flip": score}


def test_the_last_line_about_a_mutant_counts_and_a_cut_line_does_not(tmp_path: Path) -> None:
    file = tmp_path / "reports" / "mutants.jsonl"
    run = Run("site", "abc", 9, 2, 16, 60.0, 2, ["SEC-20"])
    peer = Peer("cfn-lint", "site", {"m": ["E3012 Orders"]})
    for entry in (result("K", Fate.ALIVE), run, peer, result("K", Fate.KILLED, items={"SQS-01": True})):
        append(file, entry)
    with file.open("a", encoding="utf-8") as cut:
        cut.write('{"mutant": "si')

    read = Results.read(file)

    assert list(read.results.values()) == [result("K", Fate.KILLED, items={"SQS-01": True})]
    assert (read.runs, read.peers) == ([run], [peer])
    assert Results.read(tmp_path / "absent").results == {}


def test_a_place_in_a_list_is_no_property() -> None:
    one = result("K", Fate.KILLED)

    assert (one.where, one.property) == ("Properties.Rules.0.Timeout", "Properties.Rules.Timeout")


def test_what_was_noticed_before_and_is_not_now_is_lost() -> None:
    def results(*each: Result) -> Results:
        return Results({one.mutant: one for one in each}, [])

    before = results(*(result(name, Fate.KILLED) for name in "abc"))
    now = results(result("a", Fate.KILLED), result("b", Fate.SURVIVED), result("d", Fate.SURVIVED))

    assert [one.resource for one in lost(now, before)] == ["b"]


def test_the_document_names_each_survivor_and_what_other_tools_say_of_it() -> None:
    killed, survived = result("Orders", Fate.KILLED, items={"SQS-01": True}), result("Bills", Fate.SURVIVED)
    last = Results(
        {one.mutant: one for one in (killed, survived)},
        [Run("site", "abc", 9, 2, 16, 90.0, 2, ["SEC-20"])],
        [
            Peer("cfn-lint", "site", {survived.mutant: ["W3005 Bills"]}),
            Peer("prowler", "pipeline", {}),
        ],
    )
    first = Results({survived.mutant: survived}, [])

    text = document.render(first, last, Results({}, []), {})

    assert "| site | 0 % | 50 % | 1 | 1 | 1 | 0 | 0 | 0 | 0 |" in text
    assert "| site | `abc` | 9 | 2 | 16 | 1.5 min | 2 | SEC-20 |" in text
    assert (
        "| site | Bills | AWS::SQS::Queue | `Properties.Rules.0.Timeout`: Timeout: a &#124; b | flip | - |"
        in text
    )
    assert "| site | 2 | 1 (50 %) | 1 (50 %) | not asked |" in text
    assert f"| site | {survived.mutant} | Timeout: a &#124; b | cfn-lint: W3005 Bills |" in text


def test_the_document_tells_drift_from_an_item_that_names_a_change_by_hand() -> None:
    results = [
        result("Named", Fate.KILLED, items={"SQS-01": True, "STACK-02": True}),
        result("Drifted", Fate.KILLED, items={"STACK-02": True}),
        result("Unseen", Fate.SURVIVED),
        result("Refused", Fate.STILLBORN),
    ]
    by_hand = Results({one.mutant: one for one in results}, [Run("site", "abc", 9, 4, 18, 60.0, 2)])

    text = document.render(Results({}, []), Results({}, []), by_hand, {})

    assert "| site | 3 | 1 (33 %) | 1 (33 %) | 0 (0 %) | 1 (33 %) | 1 | 0 |" in text
    assert "| site | `abc` | 4 | 18 | 1.0 min |" in text
    assert "| site | Unseen | AWS::SQS::Queue |" in text


def test_the_document_counts_kills_by_module_and_names_the_line_of_each_survivor() -> None:
    def source(name: str, fate: Fate, number: int) -> Result:
        path = (f"src/shop/{name}", "pay")
        says = f"line {number}: a < b -> a <= b"
        return Result.of(
            Rewritten("pixel-prompt", "", f"shop/{name}", path, "Lt_LtE", says, "", number, text=""),
            fate,
            "abc",
        )

    results = [
        source("a.py", Fate.KILLED, 3),
        source("a.py", Fate.SURVIVED, 7),
        source("b.py", Fate.STILLBORN, 1),
    ]
    found = Results(
        {one.mutant: one for one in results},
        [Run("pixel-prompt", "abc", 90, 5, 16, 60.0, 1), Run("pixel-prompt", "abc", 90, 5, 16, 30.0, 1)],
    )

    text = document.render(*(Results({}, []),) * 3, {"source": found, "contract": Results({}, [])})

    assert "| the functions' source | 90 | 3 | 50 % | 1 | 1 | 0 | 1 | 0 | 2 | `abc` | 16 | 1.5 min |" in text
    assert "| shop/a.py | 1 | 1 | 0 | 0 | 0 |" in text
    assert "| `src/shop/a.py` | pay | line 7: a < b -> a <= b | Lt_LtE | - |" in text


def test_a_survivor_that_people_found_equivalent_since_is_no_miss() -> None:
    usual = replace(
        result("Book", Fate.SURVIVED),
        mutant="guest-book/BookRole/Properties.Policies/duplicate-member",
        type="AWS::IAM::Role",
    )
    killed, missed = replace(usual, fate=Fate.KILLED), result("Orders", Fate.SURVIVED)

    def fates(*each: Result) -> list[Fate]:
        found = Results({one.mutant: one for one in each}, [])
        return [one.fate for one in document.reviewed(found).results.values()]

    assert fates(usual, missed) == [Fate.EQUIVALENT, Fate.SURVIVED]
    assert fates(killed) == [Fate.KILLED]


def test_the_document_is_what_the_results_say() -> None:
    """docs/RECALL.md is generated: python -m tests.mutants --document"""
    assert document.RECALL.read_text(encoding="utf-8") == document.written()

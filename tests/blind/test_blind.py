"""The rounds of changes by hand, and their document."""

from __future__ import annotations

import json

from tests.blind import __main__ as command
from tests.blind.rounds import ROUNDS


def test_each_round_has_thirty_changes_of_its_own():
    numbers = [number for changes in ROUNDS.values() for number in changes]
    titles = {change.title for changes in ROUNDS.values() for change in changes.values()}

    assert numbers == list(range(1, len(titles) + 1))
    assert {len(changes) for changes in ROUNDS.values()} == {30}


def test_a_change_is_named_by_what_a_person_judged_and_seen_by_any_item():
    rows = [
        {"number": 1, "title": "One", "items": {"INF-04": "differs"}, "error": "", "commit": "abc"},
        {"number": 2, "title": "Two", "items": {"SEC-10": "is open"}, "error": "", "commit": "abc"},
        {"number": 3, "title": "Three", "items": {}, "error": "ClientError: no", "commit": "abc"},
    ]

    table = command._table("first", rows, {"2": "SEC-10"})

    assert "2 changes were made: 1 are named by an item whose claim says so, 2 are seen by some item" in table
    assert "| 1 | One | INF-04 | **none** |" in table
    assert "| 3 | Three | not applied: ClientError: no | - |" in table


def test_the_document_is_that_of_the_results():
    assert command.DOCUMENT.read_text(encoding="utf-8") == command.document()


def test_names_that_a_deployment_generates_make_no_new_finding():
    before, after = (
        [f"{host}/x is not in site-{suffix}: assets/Help-{hash_}.js, expected MD5 {md5}"]
        for host, suffix, hash_, md5 in (
            ("https://localhost:29581", "e76a2dae807af", "DXo2SYFG", "5fa2a7b4a4b781f8c3cc709a591a4255"),
            ("https://localhost:24740", "5A04886313881", "B_9-xTs5", "e9e1b9ddcaefd1cba767c63c62c4866f"),
        )
    )

    assert command._nameless(before) == command._nameless(after)
    assert command._nameless(["15 of 25"]) != command._nameless(["8 of 25"])


def test_only_what_no_item_named_is_made_again():
    judged = {name: {str(number): "INF-01" for number in changes} for name, changes in ROUNDS.items()}
    del judged["first"]["4"], judged["third"]["83"]

    assert command._missed(judged) == {4: ROUNDS["first"][4], 83: ROUNDS["third"][83]}
    assert command._missed(judged | {command.AGAIN: {"4": "INF-22"}}).keys() == {4, 83}


def test_a_result_takes_the_place_of_an_earlier_one(tmp_path):
    for title in ("before", "after"):
        command._keep(tmp_path / "first.jsonl", {"number": 2, "title": title})
    command._keep(tmp_path / "first.jsonl", {"number": 1, "title": "one"})

    rows = [json.loads(line) for line in (tmp_path / "first.jsonl").read_text().splitlines()]
    assert [(row["number"], row["title"]) for row in rows] == [(1, "one"), (2, "after")]


def test_it_says_how_it_is_used(capsys):
    assert command.main([]) == 2
    assert command.main(["first", "31"]) == 2
    assert "expected numbers from 1 to 30, found [31]" in capsys.readouterr().out

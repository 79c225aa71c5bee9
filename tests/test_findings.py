"""readiness/findings.py"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

import pytest

from readiness.findings import compared, said
from readiness.probes.finding import Finding
from readiness.verdict import Found


class Broken:
    def __repr__(self):
        raise RuntimeError("no words")

    def __eq__(self, other):
        raise RuntimeError("no equal")

    __hash__ = None


class Endless(list):
    def __iter__(self):
        raise RuntimeError("no end")


def hook(op, left, right):
    """As the plugin calls it, from pytest."""
    return compared(op, left, right)


def found(op, left, right):
    return [str(one) for one in hook(op, left, right).findings]


@pytest.mark.parametrize(
    ("op", "left", "right", "expected"),
    [
        ("==", ["a", "b"], [], ["a", "b"]),
        ("==", ("a", 3), (), ["a", "3"]),
        ("==", {"a"}, set(), ["a"]),
        ("==", {"api": "reserves 1", "b": ["x", "y"]}, {}, ["api: reserves 1", "b: x; y"]),
        ("==", {1: {"a": 2}, "b": None}, {}, ["1: {'a': 2}", "b: None"]),
        ("==", {"a", "c"}, {"b", "c"}, ["'a' is not expected", "'b' is missing"]),
        ("<=", {"GET", "PUT"}, {"GET"}, ["'PUT' is not allowed"]),
        (
            "==",
            {"a": 1, "b": 2, "c": 3},
            {"a": 1, "b": 3, "d": 4},
            ["b: expected 3, found 2", "d: missing, expected 4", "c: not expected, found 3"],
        ),
        ("==", 200, HTTPStatus.FORBIDDEN, ["expected 403 Forbidden, found 200"]),
        ("<", timedelta(seconds=40), timedelta(seconds=29), ["expected less than 0:00:29, found 0:00:40"]),
        (">=", 1, 2, ["expected at least 2, found 1"]),
        ("!=", 1, 1, ["expected anything but 1, found 1"]),
        ("is", None, True, ["expected True, found None"]),
        ("in", "x", "abc", ["'x' is not in 'abc'"]),
        ("not in", "a", "abc", ["'a' is in 'abc'"]),
        ("==", [1, 2], [1, 3], ["expected [1, 3], found [1, 2]"]),
    ],
)
def test_a_comparison_is_shown_in_plain_words(op, left, right, expected):
    assert found(op, left, right) == expected


@pytest.mark.parametrize(
    ("op", "left", "right"),
    [("==", [], []), ("==", 1, 1), ("<=", {1}, {1, 2}), ("in", "a", "abc"), (">", 2, 1)],
)
def test_what_holds_is_no_finding(op, left, right):
    assert hook(op, left, right) is None


def test_a_tools_finding_keeps_its_place_and_its_remedy():
    complaints = [Finding("a.py", 3, "F401", "unused", "remove it"), Finding("b.lock", 0, "old", "behind")]

    assert hook("==", complaints, []).findings == [
        Found("F401 unused", "a.py:3", "remove it"),
        Found("old behind", "b.lock"),
    ]


def test_a_value_that_cannot_be_shown_or_compared_hides_nothing():
    assert said(Broken()) == "<Broken, which cannot be shown: RuntimeError>"
    assert found("==", [Broken(), "b"], []) == ["<Broken, which cannot be shown: RuntimeError>", "b"]
    assert found("==", Endless("a"), []) == ["expected [], found ['a']"]
    assert found("==", Broken(), 1) == ["expected 1, found <Broken, which cannot be shown: RuntimeError>"]


def test_a_single_value_is_called_as_the_source_calls_it():
    assert hook("==", 1, 2).findings[0].place == "hook('==', 1, 2).findings[0].place"
    assert hook("<", 2, 1).findings[0].place == "", "the source compares otherwise"
    (unasserted,) = hook("==", 1, 2).findings
    assert unasserted == Found("expected 2, found 1")


def test_a_comparison_is_about_the_exception_that_its_own_line_raised():
    def here():
        comparison = hook("==", [1], [])
        raise AssertionError(comparison)

    def on_one_line():
        raise AssertionError(hook("==", [1], []))

    for fails, about in ((here, False), (on_one_line, True)):
        with pytest.raises(AssertionError) as ended:
            fails()
        assert ended.value.args[0].ended(ended.value.__traceback__) is about
        assert not ended.value.args[0].ended(None)

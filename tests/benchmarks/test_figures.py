"""benchmarks/figures.py"""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchmarks.figures import Figure, Figures, table
from readiness.samples import Samples


@pytest.mark.parametrize(
    ("sign", "value", "held"),
    [
        ("<", 9, True),
        ("<", 10, False),
        ("<=", 10, True),
        ("<=", 10.1, False),
        (">=", 10, True),
        (">=", 9.9, False),
    ],
)
def test_a_figure_is_held_against_its_limit(sign, value, held):
    figures = Figures(group="lambda")

    assert figures.hold("a thing", value, sign, 10, "ms", samples=20) is held
    assert figures.rows[0].held is held
    assert Figure.of(figures.rows[0].plain) == figures.rows[0]


@pytest.mark.parametrize(("slowest", "held"), [(499, True), (500, False), (900, False)])
def test_a_tail_is_held_against_its_limit_and_compared_with_nothing(slowest, held):
    figures = Figures(group="api")
    times = Samples.of("calls", [timedelta(milliseconds=slowest)] * 20)

    assert figures.tail("p95", times, timedelta(milliseconds=500)) is held
    (row,) = figures.rows
    assert (row.held, row.value, row.unit, row.samples, row.compared) == (held, slowest, "ms", 20, False)


def test_only_what_improves_upwards_says_so():
    figures = Figures()
    figures.hold("time", 1, "<", 2, "ms")
    figures.hold("score", 100, ">=", 90, "points")

    assert [row.better for row in figures.rows] == ["less", "more"]


def test_the_table_tells_missed_from_unseen_and_a_rehearsal_from_a_proof():
    figures = Figures(group="api")
    figures.hold("late", 900, "<", 500, "ms")
    figures.hold("in time", 5, "<", 500, "ms")
    figures.record("noted", 3, "KB")
    figures.unseen("dark", "Denied: lambda:InvokeFunction")
    figures.emulated = True
    figures.hold("rehearsed", 5, "<", 500, "ms")
    figures.hold("late in rehearsal", 900, "<", 500, "ms")

    assert [row.verdict for row in figures.rows] == [
        "OVER",
        "ok",
        "-",
        "UNVERIFIED",
        "held in rehearsal",
        "OVER",
    ]
    lines = table(figures.rows)
    assert "900.0 ms" in lines[0]
    assert "wanted < 500.0 ms" in lines[0]
    assert lines[3].endswith("UNVERIFIED: Denied: lambda:InvokeFunction")

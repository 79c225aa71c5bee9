"""readiness/report/figures.py"""

from __future__ import annotations

import json

import pytest

from readiness.errors import UsageProblem
from readiness.report import figures

ROW = {
    "what": "p95",
    "group": "api",
    "measured": "341 ms",
    "wanted": "< 300 ms",
    "held": False,
    "value": 341.0,
}
WHERE = {"environment": "staging", "emulated": False, "commit": "0123456789ab", "machine": "Linux x86_64"}


@pytest.fixture
def read(tmp_path):
    def read(content, **how):
        file = tmp_path / "bench.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return figures.read(file, **{"environment": "staging", "emulated": False, **how})

    return read


def content(*rows, **where):
    return {"datetime": "2026-11-22T21:04:11+00:00", "measured": {**WHERE, **where}, "figures": rows}


@pytest.mark.parametrize(
    ("held", "wanted", "outcome"),
    [
        (True, "< 300 ms", "held"),
        (False, "< 300 ms", "over"),
        (None, "", "unverified"),
        (True, "", "recorded"),
    ],
)
def test_each_figure_says_whether_it_held(read, held, wanted, outcome):
    found = read(content({**ROW, "held": held, "wanted": wanted}))

    assert found["rows"] == [
        {"group": "api", "what": "p95", "measured": "341 ms", "wanted": wanted, "outcome": outcome}
    ]
    assert (found["file"], found["commit"], found["machine"]) == (
        "bench.json",
        "0123456789ab",
        "Linux x86_64",
    )


def test_a_file_without_judged_budgets_is_taken_as_it_is(read):
    assert read({"datetime": "2026-11-22T21:04:11+00:00", "benchmarks": []})["rows"] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        json.dumps(content({"what": "p95"})),
        json.dumps(content({**ROW, "held": "maybe"})),
    ],
)
def test_another_file_stops_the_run(read, text):
    with pytest.raises(UsageProblem, match="expected the JSON of 'pytest benchmarks --benchmark-json="):
        read(text)


def test_a_file_that_is_not_there_stops_the_run(tmp_path):
    with pytest.raises(UsageProblem, match="FileNotFoundError"):
        figures.read(tmp_path / "none.json", environment="staging", emulated=False)


@pytest.mark.parametrize(
    ("where", "how"),
    [
        ({"environment": "dev"}, {}),
        ({"emulated": True}, {}),
        ({}, {"emulated": True}),
        ({"emulated": None}, {}),
    ],
)
def test_figures_of_another_environment_prove_nothing_here(read, where, how):
    with pytest.raises(UsageProblem, match=r"measured on .*, this run is of staging"):
        read(content(ROW, **where), **how)

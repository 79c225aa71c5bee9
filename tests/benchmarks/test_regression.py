"""benchmarks/regression.py"""

from __future__ import annotations

import json

import pytest

from benchmarks import regression
from benchmarks.figures import Figures
from readiness.errors import Unverified, UsageProblem
from verification import budgets

WHERE = {"environment": "staging", "emulated": False, "machine": "Linux x86_64, 2 processors"}


def rows(value, unit="ms", *, samples=20, better="less", what="warm p50", compared=True):
    figures = Figures(group="lambda")
    figures.judge(
        what, "", "", held=True, value=value, unit=unit, samples=samples, better=better, compared=compared
    )
    return figures.rows


def baseline(*arguments, **options):
    return {"measured": WHERE, "figures": [row.plain for row in rows(*arguments, **options)]}


@pytest.mark.parametrize("unit", list(budgets.REGRESSION_NOISE))
@pytest.mark.parametrize("better", ["less", "more"])
def test_noise_is_tolerated_and_more_is_not(unit, better):
    band, _ = budgets.REGRESSION_NOISE[unit]

    def one(factor):
        now = 1000 * factor if better == "less" else 1000 / factor
        [found] = regression.compare(baseline(1000, unit, better=better), rows(now, unit, better=better))
        return found

    assert one(1).ratio == pytest.approx(1)
    assert one(band * 0.995).held
    assert not one(band * 1.05).held
    assert one(0.5).held


def test_what_is_very_small_makes_no_large_ratio():
    [found] = regression.compare(baseline(0.2), rows(0.9))

    assert found.held, str(found)


def test_nothing_is_divided_by_zero():
    [found] = regression.compare(baseline(0.0, ""), rows(0.09, ""))

    assert not found.held
    assert "REGRESSED" in str(found)


@pytest.mark.parametrize(("then", "now"), [(4, 20), (20, 4), (0, 20)])
def test_too_few_samples_raise(then, now):
    with pytest.raises(Unverified, match=r"warm p50: \d samples, at least 5 are needed"):
        regression.compare(baseline(1, samples=then), rows(1, samples=now))


def test_only_what_both_runs_measured_is_compared():
    assert regression.compare(baseline(1), rows(1, what="another")) == []
    assert regression.compare(baseline(1), rows(None)) == []
    assert regression.compare(baseline(1), rows(9, compared=False)) == []


def test_a_unit_without_a_noise_raises():
    with pytest.raises(Unverified, match="no noise is known of 'furlongs'"):
        regression.compare(baseline(1, "furlongs"), rows(1, "furlongs"))


@pytest.mark.parametrize("key", list(WHERE))
def test_another_environment_or_machine_cannot_be_compared(key):
    regression.require_same(WHERE, WHERE)
    with pytest.raises(UsageProblem, match=f"{key}: then .*measure a baseline where this run is made"):
        regression.require_same({**WHERE, key: "another"}, WHERE)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[", "{}", "[]", json.dumps({"figures": []})),
        json.dumps({"measured": WHERE, "figures": [{"name": "warm p50"}]}),
        json.dumps({**baseline(1), "measured": "here"}),
    ],
)
def test_a_file_without_figures_is_reported_at_once(tmp_path, text):
    file = tmp_path / "baseline.json"
    file.write_text(text)
    with pytest.raises(UsageProblem, match="--benchmark-json="):
        regression.read(file)
    with pytest.raises(UsageProblem, match="cannot be read"):
        regression.read(tmp_path / "missing.json")

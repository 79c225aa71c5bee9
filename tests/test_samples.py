"""readiness/samples.py"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.errors import Unverified
from readiness.samples import Samples, assert_p95_under


def milliseconds(*values):
    return Samples.of("a start", (timedelta(milliseconds=value) for value in values))


def test_a_percentile_is_a_sample_by_nearest_rank():
    samples = milliseconds(*range(20, 0, -1))

    assert samples.percentile(50) == timedelta(milliseconds=10)
    assert samples.percentile(95) == timedelta(milliseconds=19)
    assert samples.percentile(100) == timedelta(milliseconds=20)


@given(st.lists(st.integers(0, 10_000), min_size=10), st.integers(1, 100))
def test_so_many_in_a_hundred_do_not_exceed_it(values, percent):
    limit = milliseconds(*values).percentile(percent)

    assert sum(timedelta(milliseconds=value) <= limit for value in values) >= percent / 100 * len(values)


def test_too_few_samples_prove_nothing():
    with pytest.raises(Unverified, match="a start: 9 samples, at least 10 are needed"):
        milliseconds(*range(9)).percentile(95)
    with pytest.raises(Unverified, match="0 samples"):
        _ = milliseconds().most
    with pytest.raises(Unverified, match="2 samples"):
        _ = milliseconds(1, 2).median


def test_samples_tell_their_figures():
    assert repr(milliseconds()) == "<a start: no sample>"
    assert repr(milliseconds(1, 3)) == "<a start: 2 samples, min 1.0 ms, mean 2.0 ms, max 3.0 ms>"
    assert "p95 10.0 ms" in repr(milliseconds(*range(1, 11)))


def test_a_busy_machine_makes_no_start_slow():
    budget = timedelta(seconds=3)
    quiet, slow, hindered = [
        (timedelta(seconds=took), timedelta(seconds=late)) for took, late in ((1, 0), (4, 0.5), (4, 2))
    ]

    assert_p95_under(budget, "a start", [quiet] * 19 + [slow])
    with pytest.raises(AssertionError, match="under 3 s, found <a start"):
        assert_p95_under(budget, "a start", [quiet] * 18 + [slow] * 2)
    with pytest.raises(Unverified, match=r"under 3 s, found <a start.*other processes delayed"):
        assert_p95_under(budget, "a start", [quiet] * 18 + [slow, hindered])

"""readiness/report/shortening.py"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from readiness.report import shortening
from readiness.report.shortening import beginning, shorten


def test_a_text_that_fits_stays_as_it_is():
    assert beginning("short") == shorten("short", 5) == "short"


@given(st.integers(0, 80))
def test_a_key_at_the_cut_is_left_out_whole(shift):
    key = "sk-" + "a1" * 30
    text = "x" * (shortening.LONGEST - shift - 1) + " " + key + " " + "y" * 100

    kept = beginning(text)

    assert key in kept or "sk-" not in kept
    assert "characters more" in kept


def test_a_text_of_one_word_is_not_left_out():
    assert beginning("x" * 1_000_000).count("x") > 200_000


@given(st.text(max_size=400), st.integers(80, 300))
def test_a_shortened_text_is_no_longer_than_asked_for(text, limit):
    assert len(shorten(text, limit)) <= max(limit, 80)

"""readiness/run/limits.py"""

from __future__ import annotations

from datetime import timedelta

import pytest

from readiness.budgets import CLEAN_UP_LIMIT, ITEM_LIMITS
from readiness.checklist import How
from readiness.run import limits


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2 min", 120), ("2h", 7200)]
)
def test_a_duration_is_read(text, seconds):
    assert limits.duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0", "-1", "soon", "1d", "nan", "1e9", "90 s s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="expected a time such as 90s"):
        limits.duration(text)


@pytest.mark.parametrize(
    ("seconds", "words"), [(90, "90 s"), (3, "3 s"), (1800, "30 min"), (7200, "2 h"), (0.5, "0.5 s")]
)
def test_a_limit_in_words(seconds, words):
    assert limits.words(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize("emulated", [True, False])
def test_every_kind_of_check_has_its_limits(emulated):
    kind = "emulated" if emulated else "AWS"

    assert set(ITEM_LIMITS[kind]) == set(CLEAN_UP_LIMIT[kind]) == {how.value for how in How}
    assert limits.limit({How.READ_ONLY, How.DRILL}, emulated=emulated) == ITEM_LIMITS[kind]["drill"]
    assert limits.clean_up_limit({How.STATIC}, emulated=emulated) == CLEAN_UP_LIMIT[kind]["static"]

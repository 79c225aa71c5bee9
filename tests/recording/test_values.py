"""readiness/recording/values.py"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.recording.values import plain, restored

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.datetimes(timezones=st.just(UTC))
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_characters="$")), inner),
)


@given(VALUES)
def test_what_goes_through_json_comes_back(value):
    assert restored(json.loads(json.dumps(plain(value)))) == value


def test_tuples_come_back_as_lists():
    assert restored(plain((1, datetime(2026, 1, 2, tzinfo=UTC)))) == [1, datetime(2026, 1, 2, tzinfo=UTC)]


def test_what_cannot_be_recorded_is_refused():
    with pytest.raises(TypeError, match="object cannot be recorded"):
        plain({"a": object()})

"""verification/probes/burst.py"""

from __future__ import annotations

import itertools

import pytest

from tests.probes.server import Reply
from verification.errors import Unverified
from verification.probes.api import Api
from verification.probes.burst import burst


def test_a_burst_counts_its_answers_after_opening_its_connections(env, server):
    number = itertools.count()
    server.answer = lambda _request: Reply(200 if next(number) < 7 else 429)

    seen = burst(Api(env, server.url), "/health", requests=12, connections=3)

    assert seen.statuses == {200: 4, 429: 8}
    assert len(seen.refused) == 8
    assert seen.rate == pytest.approx(12 / seen.elapsed.total_seconds())


def test_a_burst_that_is_not_answered_proves_nothing(env):
    with pytest.raises(Unverified, match="no answer"):
        burst(Api(env, "http://127.0.0.1:1"), "/health", requests=2, connections=1)

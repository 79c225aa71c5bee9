"""verification/probes/burst.py"""

from __future__ import annotations

import itertools
import time

import pytest

from readiness.errors import Unverified
from tests.probes.server import Reply
from verification.probes.api import Api
from verification.probes.burst import burst


def test_a_burst_counts_its_answers_after_opening_its_connections(env, server):
    number = itertools.count()
    server.answer = lambda _request: Reply(200 if next(number) < 11 else 429)

    seen = burst(Api(env, server.url), "/health", requests=12, rounds=1, rate=1, connections=range(3, 9))

    assert seen.statuses == {200: 4, 429: 8}
    assert len(seen.refused) == 8
    assert seen.rate == pytest.approx(12 / seen.elapsed.total_seconds())


@pytest.mark.parametrize(("refused_from", "sent"), [(30, 24), (1000, 36)])
def test_a_burst_goes_on_until_it_is_refused(env, server, refused_from, sent):
    """A busy machine sends too slowly to exceed the limit within one round."""
    number = itertools.count()
    server.answer = lambda _request: Reply(200 if next(number) < refused_from else 429)

    seen = burst(Api(env, server.url), "/health", requests=12, rounds=3, rate=1, connections=range(3, 9))

    assert len(seen.answers) == sent


def test_a_burst_from_far_away_comes_over_more_connections(env, server):
    """Ten at a time, with a fifth of a second to each answer, never exceed fifty a second."""
    under_way: list[int] = []
    most: list[int] = []

    def answer(_request):
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.2)
        under_way.pop()
        return Reply()

    server.answer = answer

    burst(Api(env, server.url), "/health", requests=60, rounds=1, rate=100, connections=range(1, 31))

    assert 10 < max(most) <= 30


def test_a_burst_that_is_not_answered_proves_nothing(env):
    with pytest.raises(Unverified, match="no answer"):
        burst(
            Api(env, "http://127.0.0.1:1"), "/health", requests=2, rounds=1, rate=1, connections=range(1, 2)
        )

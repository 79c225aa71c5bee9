"""verification/probes/traffic.py"""

from __future__ import annotations

import time
from datetime import timedelta

from readiness import budgets as general
from tests.probes.server import Reply
from verification import budgets
from verification.probes.api import Api
from verification.probes.traffic import pause, traffic


def wait_for(server, requests):
    end = time.monotonic() + 10
    while len(server.asked) < requests and time.monotonic() < end:
        time.sleep(0.01)


def test_a_user_asks_until_it_is_over(server, env):
    with traffic(Api(env, server.url)) as users:
        wait_for(server, 3)

    assert {request.path for request in server.asked} == {"/health"}
    assert len(users.answered) == len(server.asked) >= 3
    assert users.failed == []


def test_one_error_among_many_answers_is_seen(server, env):
    server.replies(Reply(), Reply(503), Reply())

    with traffic(Api(env, server.url)) as users:
        wait_for(server, 4)

    assert len(users.failed) == 1
    assert "503" in users.failed[0]


def test_no_answer_is_a_failure(env):
    with traffic(Api(env, "http://127.0.0.1:9")) as users:
        end = time.monotonic() + 10
        while not users.failed and time.monotonic() < end:
            time.sleep(0.01)

    assert users.failed
    assert users.answered == []


def test_an_items_allowance_lasts_for_the_longest_drill():
    """It was used up after half a minute, and every request after that counted as one that failed."""
    elapsed, requests = timedelta(), 0
    while elapsed < budgets.DEPLOYMENT_DEADLINE:
        elapsed += pause(elapsed)
        requests += 1

    assert 0.5 * general.REQUESTS_OF_AN_ITEM < requests < general.REQUESTS_OF_AN_ITEM


def test_a_short_drill_is_looked_at_closely():
    assert pause(timedelta()) == pause(timedelta(seconds=1)) == budgets.TRAFFIC_PAUSE
    assert pause(timedelta(hours=1)) == budgets.TRAFFIC_LONGEST_PAUSE

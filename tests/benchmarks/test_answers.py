"""What benchmarks/test_api.py and benchmarks/test_cdn.py make of answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchmarks import test_api as api
from benchmarks import test_cdn as cdn
from benchmarks.figures import Figures
from readiness.errors import Unverified
from readiness.probes.http import Answer


def answer(status=200, milliseconds=20, x_cache=""):
    return Answer("GET /", status, {"x-cache": x_cache}, b"", timedelta(milliseconds=milliseconds))


def test_what_the_gateway_refuses_is_counted_and_is_no_sample():
    figures = Figures()
    answers = [answer() for _ in range(20)] + [answer(429, milliseconds=1) for _ in range(5)]

    assert api._judge("GET /health", 10, answers, figures)
    refused, _, late = figures.rows
    assert (late.value, late.samples) == (20, 20)
    assert (refused.what, refused.value, refused.samples) == (
        "GET /health, 10 at once: refused for haste",
        5,
        25,
    )


def test_refusals_alone_are_no_measurement():
    with pytest.raises(Unverified, match="0 samples"):
        api._judge("GET /health", 10, [answer(429) for _ in range(20)], Figures())


@pytest.mark.parametrize(
    ("route", "users", "limit"),
    [("GET /health", 1, 500), ("GET /health", 50, 5000), ("POST /enhance", 1, 5000)],
)
def test_many_users_and_the_text_model_may_take_longer(route, users, limit):
    figures = Figures()

    assert api._judge(route, users, [answer(milliseconds=limit - 1)] * 10, figures)
    assert not api._judge(route, users, [answer(milliseconds=limit)] * 10, figures)


def test_an_images_first_request_counts_for_no_rate():
    seen = cdn.Seen([(0, answer(x_cache="Miss from cloudfront"))])
    seen.answers += [(n, answer(x_cache="Hit from cloudfront")) for n in range(1, 4)]
    seen.answers.append((4, answer(x_cache="RefreshHit from cloudfront")))

    assert seen.hit_percent == 75
    assert (len(seen.by_word("Miss")), len(seen.by_word("Hit"))) == (1, 3)


class Day:
    """An address with so many requests left, as verification.allowance.Allowance tells of one."""

    def __init__(self, left, *, unlimited=False):
        self.left, self.is_unlimited, self.given = left, unlimited, []

    def require(self, requests, what):
        if self.left < requests:
            raise Unverified(f"{what}: {self.left} left")

    def give_back(self, answers):
        self.given += answers


def test_what_a_round_has_used_of_the_day_is_given_back():
    """A benchmark's rounds together are five times what an address may send in a day."""
    day = Day(left=50)

    for _ in range(4):
        assert len(api._round(answer, 50, day, "POST /enhance")) == 50

    assert len(day.given) == 200


def test_a_round_that_the_day_has_no_room_for_is_not_begun():
    with pytest.raises(Unverified, match="POST /enhance, 10 at once: 9 left"):
        api._round(lambda: pytest.fail("it was sent"), 10, Day(left=9), "POST /enhance")


def test_an_address_without_a_limit_has_nothing_to_give_back():
    day = Day(left=0, unlimited=True)

    assert len(api._round(answer, 10, day, "POST /enhance")) == 10
    assert day.given == []


def test_a_refused_request_was_not_counted():
    day = Day(left=50)
    api._round(lambda: answer(429), 3, day, "POST /enhance")

    assert day.given == []

"""verification/allowance.py, and how a run asks it before it pays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from readiness.errors import Denied, Unverified
from readiness.probes.http import Answer
from verification import budgets, fixtures
from verification.allowance import Allowance

ANSWER = Answer(
    "GET /health",
    200,
    {"date": "Sat, 28 Nov 2026 09:00:00 GMT", "apigw-requestid": "r1"},
    b"",
    timedelta(),
)


class Line:
    def __init__(self, id_, *addresses):
        self.id = id_
        self.addresses = addresses

    def mentions(self, id_):
        return self.id == id_


class Log:
    def __init__(self, *lines):
        self.lines = lines

    def wait_for(self, term, since, enough):
        assert since == datetime(2026, 11, 28, 9, tzinfo=UTC)
        return self.lines


def stack(*, used=0, allowed="", log=None):
    counter = SimpleNamespace(used=used)
    return SimpleNamespace(
        env=SimpleNamespace(name="staging"),
        access_log=log or Log(Line("r0", "192.0.2.9"), Line("r1", "203.0.113.7")),
        api=SimpleNamespace(environment={"ADDRESS_DAILY_LIMIT": "50", "ALLOWED_ADDRESSES": allowed}),
        counters=SimpleNamespace(of_address=lambda address: {"203.0.113.7": counter}[address]),
    )


def test_the_gateways_log_tells_whose_request_it_was():
    assert Allowance.of(stack(), ANSWER).address == "203.0.113.7"


@pytest.mark.parametrize("lines", [(), (Line("r0", "192.0.2.9"),), (Line("r1", "a", "b"),)])
def test_a_log_that_does_not_tell_leaves_it_unverified(lines):
    with pytest.raises(Unverified, match=r"addresses for request 'r1', expected one"):
        Allowance.of(stack(log=Log(*lines)), ANSWER)


@pytest.mark.parametrize(
    ("allowed", "unlimited"),
    [
        ("", False),
        ("203.0.113.7", True),
        ("198.51.100.1, 203.0.113.0/24", True),
        ("198.51.100.1", False),
        ("2001:db8::/32", False),
    ],
)
def test_an_allow_listed_address_has_no_limit(allowed, unlimited):
    own = Allowance.of(stack(used=50, allowed=allowed), ANSWER)

    assert own.is_unlimited == unlimited
    if unlimited:
        own.require(1000, "a benchmark")


@pytest.mark.parametrize(("used", "enough"), [(41, True), (42, False), (70, False)])
def test_what_is_left_has_to_suffice(used, enough):
    own = Allowance.of(stack(used=used), ANSWER)
    if enough:
        own.require(9, "a run")
        return
    with pytest.raises(Unverified, match=r"a run sends 9 requests.*AllowedAddresses") as told:
        own.require(9, "a run")
    assert told.value.cause == "the verifier's address has too few requests left of this day"


class Asked:
    """The API of a stack, of which every request is answered alike."""

    def __init__(self, *_):
        pass

    def call(self, *_):
        return ANSWER


def test_a_run_says_before_it_pays_that_the_api_would_refuse(monkeypatch):
    monkeypatch.setattr(fixtures, "Api", Asked)
    fixtures._require_allowance(stack(used=50 - budgets.RUN_REQUESTS), "https://api")

    with pytest.raises(Unverified, match="a run sends"):
        fixtures._require_allowance(stack(used=51 - budgets.RUN_REQUESTS), "https://api")


def test_if_the_allowance_is_unknown_the_run_continues(monkeypatch):
    class Silent(Log):
        def wait_for(self, *_):
            raise Denied("logs:FilterLogEvents", "no")

    monkeypatch.setattr(fixtures, "Api", Asked)
    fixtures._require_allowance(stack(log=Silent()), "https://api")

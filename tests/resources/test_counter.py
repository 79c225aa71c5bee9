"""verification/resources/counter.py"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from readiness.aws.table import Table
from verification import budgets
from verification.resources.counter import Counter, Counters, forgotten, give_back_all

NOON = datetime(2026, 1, 31, 12, 20, tzinfo=UTC)


@pytest.fixture
def table(env, unique):
    env.client("dynamodb").create_table(
        TableName=unique,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return Table(env, unique)


@pytest.fixture
def counter(table):
    return Counters(table, NOON).of_all


class Watch(Table):
    """A table whose clock is read from a list."""

    def __init__(self, *times):
        super().__init__(None, "some-table")
        vars(self)["times"] = list(times)

    @property
    def clock(self):
        return vars(self)["times"].pop(0)


def row(table, key):
    answer = table.env.client("dynamodb").get_item(TableName=table.name, Key={"pk": {"S": key}})
    return answer.get("Item")


def test_counters_are_named_as_the_application_names_them(table):
    counters = Counters(table, NOON)

    assert counters.of_all.key == "limit#global#2026-01-31T12"
    assert counters.of_all.ends == datetime(2026, 1, 31, 13, tzinfo=UTC)
    assert counters.of_address("198.18.0.1").key == "limit#address#198.18.0.1#2026-01-31"
    assert counters.of_address("198.18.0.1").ends == datetime(2026, 2, 1, tzinfo=UTC)
    assert counters.of_address("198.18.0.1", days_ago=1).key == "limit#address#198.18.0.1#2026-01-30"


def test_what_was_never_counted_is_none(counter):
    assert counter.used == 0


def test_counting_adds_up_and_the_row_expires(counter):
    counter.add(3)
    counter.add(-1)

    assert counter.used == 2
    assert row(counter.table, counter.key)["expiresAt"] == {
        "N": str(int((counter.ends + timedelta(hours=1)).timestamp()))
    }


def test_what_is_forgotten_is_gone(counter):
    counter.add(1)
    with forgotten(counter):
        counter.add(1)
    counter.forget()

    assert row(counter.table, counter.key) is None


def test_a_counter_is_deleted_also_after_an_error(counter):
    def spoil():
        with forgotten(counter):
            counter.add(1)
            raise ValueError

    with pytest.raises(ValueError):
        spoil()
    assert counter.used == 0


def test_a_lifted_counter_comes_down_by_what_it_was_lifted(counter):
    counter.add(7)
    with counter.raised_to(998):
        assert counter.used == 998
        counter.add(2)

    assert counter.used == 9


def test_a_raised_counter_is_restored_also_after_an_error(counter):
    def spoil():
        with counter.raised_to(998):
            raise ValueError

    with pytest.raises(ValueError):
        spoil()
    assert counter.used == 0


def test_a_counter_that_stands_there_already_is_not_lifted(counter):
    counter.add(998)
    with counter.raised_to(998):
        assert counter.used == 998

    assert counter.used == 998


def test_what_a_killed_run_lifted_is_taken_back_by_the_next(counter):
    counter.add(7)
    abandoned = counter.raised_to(998)
    abandoned.__enter__()  # and never left

    with counter.raised_to(900):
        assert counter.used == 900
    assert counter.used == 7


def test_a_lift_or_its_end_that_is_sent_twice_counts_once(counter):
    counter._lift(5)
    counter._lift(5)
    assert counter.used == 5

    counter.restore()
    counter.restore()
    assert counter.used == 0
    assert "expiresAt" in row(counter.table, counter.key)


def test_a_window_is_over_when_aws_says_so(table):
    assert Counter(table, "k", datetime.now(UTC) - timedelta(minutes=1)).over
    assert not Counter(table, "k", datetime.now(UTC) + timedelta(minutes=1)).over


def test_a_moment_in_the_middle_of_an_hour_is_taken_as_it_is():
    assert Counters.of(Watch(NOON)).at == NOON


def test_the_end_of_an_hour_is_waited_for():
    late = NOON.replace(minute=59, second=59, microsecond=990_000)
    after = late + timedelta(seconds=1)
    assert timedelta(hours=1) - timedelta(minutes=59, seconds=59) < budgets.WINDOW_MARGIN

    assert Counters.of(Watch(late, after)).at == after


def test_requests_are_given_back_to_their_own_windows(table):
    counters, later = Counters(table, NOON), NOON.replace(hour=13)
    counters.of_address("203.0.113.7").add(5)
    counters.of_all.add(7)
    Counters(table, later).of_all.add(2)

    assert give_back_all(table, "203.0.113.7", [NOON, NOON, later]) == 3
    assert counters.of_address("203.0.113.7").used == 2
    assert (counters.of_all.used, Counters(table, later).of_all.used) == (5, 1)


def test_nothing_is_given_back_for_an_address_that_is_not_counted(table):
    """Else everybody would be given requests that nobody has paid for."""
    counters = Counters(table, NOON)
    counters.of_all.add(7)

    assert give_back_all(table, "203.0.113.7", [NOON]) == 0
    assert (counters.of_all.used, row(table, counters.of_address("203.0.113.7").key)) == (7, None)


def test_an_address_of_ipv6_is_counted_with_its_network(table):
    assert Counters(table, NOON).of_address("2001:db8::7").key == "limit#address#2001:db8::/64#2026-01-31"

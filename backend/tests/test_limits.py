from collections import Counter
from typing import Any

import pytest
from doubles import FakeClock, FakeDynamoDb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pixel_prompt.errors import ApiError
from pixel_prompt.limits import Limiter
from pixel_prompt.table import ConditionFailed, Table


class CountingTable:
    """Holds counters as the table does, without its speed."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()
        self.expires: dict[str, int] = {}

    def update(self, key: str, expression: str, condition: str, names: Any, values: Any) -> None:
        if ":one" in values:
            if self.used[key] >= values[":limit"]:
                raise ConditionFailed
            self.used[key] += 1
            self.expires[key] = values[":expires"]
        else:
            if self.used[key] <= 0:
                raise ConditionFailed
            self.used[key] -= 1


def limiter(
    table: Any, clock: FakeClock, total: int = 1000, daily: int = 50, allowed: tuple[str, ...] = ()
) -> Limiter:
    return Limiter(table, total, daily, allowed, clock)


def refusal(limits: Limiter, address: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        limits.spend(address)
    return caught.value


def attempt(limits: Limiter, address: str) -> ApiError | None:
    try:
        limits.spend(address)
    except ApiError as error:
        return error
    return None


def test_an_address_has_a_day_and_the_next_day_starts_anew(table: Table, clock: FakeClock) -> None:
    limits = limiter(table, clock, daily=2)
    limits.spend("192.0.2.1")
    limits.spend("192.0.2.1")
    error = refusal(limits, "192.0.2.1")
    assert (error.status, error.code) == (429, "address_limit")
    assert error.headers["Retry-After"] == str(int(23.5 * 3600))
    limits.spend("192.0.2.2")
    clock.at += 23.5 * 3600
    limits.spend("192.0.2.1")


def test_all_callers_share_an_hour(table: Table, clock: FakeClock) -> None:
    limits = limiter(table, clock, total=2)
    limits.spend("192.0.2.1")
    limits.spend("192.0.2.2")
    error = refusal(limits, "192.0.2.3")
    assert (error.code, error.headers["Retry-After"]) == ("global_limit", "1800")
    clock.at += 1800
    limits.spend("192.0.2.3")


def test_a_request_that_all_callers_limit_refuses_does_not_count_for_its_address(clock: FakeClock) -> None:
    counters = CountingTable()
    limits = limiter(counters, clock, total=1, daily=5)
    limits.spend("192.0.2.1")
    refusal(limits, "192.0.2.2")
    assert counters.used["limit#address#192.0.2.2#2026-01-01"] == 0


def test_a_refund_takes_back_one_request_and_never_goes_below_none(table: Table, clock: FakeClock) -> None:
    limits = limiter(table, clock, daily=1)
    limits.refund("192.0.2.1")
    limits.spend("192.0.2.1")
    limits.refund("192.0.2.1")
    limits.spend("192.0.2.1")
    refusal(limits, "192.0.2.1")


def test_counters_outlive_their_window_and_then_expire(clock: FakeClock) -> None:
    counters = CountingTable()
    limiter(counters, clock).spend("192.0.2.1")
    assert counters.expires == {
        "limit#address#192.0.2.1#2026-01-01": int(clock.at) - 1800 + 25 * 3600,
        "limit#global#2026-01-01T00": int(clock.at) - 1800 + 2 * 3600,
    }


@pytest.mark.parametrize("address", ["198.51.100.7", "203.0.113.9", "::ffff:203.0.113.9", "2001:db8::5"])
def test_allowed_addresses_have_no_limit(clock: FakeClock, address: str) -> None:
    limits = limiter(
        CountingTable(), clock, total=1, daily=1, allowed=("198.51.100.7", "203.0.113.0/24", "2001:db8::/32")
    )
    for _ in range(5):
        limits.spend(address)
    limits.refund(address)


def test_an_allow_list_that_is_none_stops_the_function(clock: FakeClock) -> None:
    with pytest.raises(ValueError):
        limiter(CountingTable(), clock, allowed=("everyone",))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("", "not an address", True),
    ],
)
def test_what_counts_as_one_caller(clock: FakeClock, one: str, other: str, *, same: bool) -> None:
    limits = limiter(CountingTable(), clock, daily=1)
    limits.spend(one)
    if same:
        refusal(limits, other)
    else:
        limits.spend(other)


def test_counting_is_one_conditional_write_so_that_concurrent_requests_cannot_pass_together(
    clock: FakeClock,
) -> None:
    writes: list[dict[str, Any]] = []

    class Recorder(FakeDynamoDb):
        def update_item(self, **arguments: Any) -> dict[str, Any]:
            writes.append(arguments)
            return {}

    limiter(Table(Recorder(), "jobs"), clock).spend("192.0.2.1")
    assert len(writes) == 2
    for write in writes:
        assert "ADD used :one" in write["UpdateExpression"]
        assert write["ConditionExpression"] == "attribute_not_exists(used) OR used < :limit"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 6),
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4000)), max_size=60),
)
def test_no_window_ever_holds_more_than_its_limit(
    total: int, daily: int, requests: list[tuple[int, int]]
) -> None:
    clock = FakeClock(1_767_225_600.0)
    counters = CountingTable()
    limits = limiter(counters, clock, total=total, daily=daily)
    passed: Counter[object] = Counter()
    for caller, pause in requests:
        clock.at += pause
        refused = attempt(limits, f"192.0.2.{caller}")
        if refused is not None:
            assert 1 <= int(refused.headers["Retry-After"]) <= 86400
        else:
            passed["hour", int(clock.at) // 3600] += 1
            passed[caller, int(clock.at) // 86400] += 1
    assert all(count <= (total if window[0] == "hour" else daily) for window, count in passed.items())

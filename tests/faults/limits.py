"""Faults of the limits on requests."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.bench import Bench
from tests.faults.fault import fault

_LIMITS = "pixel_prompt/limits.py"
_ERRORS = "pixel_prompt/errors.py"
_API = "pixel_prompt/api.py"
_SPEND = "self._limiter.spend(request.source_address)"
_ADD = """\
            self._table.update(
                window.key,
                "SET expiresAt = :expires ADD used :one",
                "attribute_not_exists(used) OR used < :limit",
                {},
                {":one": 1, ":limit": window.limit, ":expires": window.ends + _AFTERLIFE_SECONDS},
            )
"""


# What happens beyond a limit


@fault("CODE-13", "the limiter lets everybody through", relatives={"CONF-03", "CONF-04"})
def no_limit(bench: Bench) -> Iterator[None]:
    with bench.patched("ApiFunction", _LIMITS, "if self._is_allowed(address):", "if True:"):
        yield


@fault("CODE-13", "a refusal does not say when to come back")
def no_retry_after(bench: Bench) -> Iterator[None]:
    with bench.patched("ApiFunction", _ERRORS, ', {"Retry-After": str(retry_after_seconds)})', ")"):
        yield


@fault("CODE-13", "a refusal sends the caller away for longer than the window")
def retry_after_the_next_window(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", _LIMITS, "window.ends - int(now))", "window.ends + clock.DAY_SECONDS - int(now))"
    ):
        yield


@fault("CODE-13", "whoever was refused stays refused when the window has ended")
def banned_for_good(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        _LIMITS,
        "        if not self._add(of_address):\n",
        '        banned = f"banned#{address}"\n'
        "        full = not self._table.get(banned) and not self._add(of_address)\n"
        "        if full:\n"
        '            self._table.create(banned, {"expiresAt": of_address.ends})\n'
        "        if full or self._table.get(banned):\n",
    ):
        yield


@fault("CODE-13", "one counter serves for all days", relatives={"CONF-04"})
def window_without_end(bench: Bench) -> Iterator[None]:
    with bench.patched("ApiFunction", _LIMITS, "#{timestamp(now)[:10]}", ""):
        yield


@fault("CODE-13", "a refused job is stored all the same")
def refused_after_the_job_was_stored(bench: Bench) -> Iterator[None]:
    create = "job = self._jobs.create(wish, models, request.correlation_id, verification=verification)"
    with bench.patched(
        "ApiFunction",
        _API,
        f"        {_SPEND}\n        {create}\n",
        f"        {create}\n        {_SPEND}\n",
    ):
        yield


# The limit that all callers share


@fault("CONF-03", "the global limit is 10000 an hour", relatives={"CONF-20"})
def ten_times_the_limit(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", GLOBAL_HOURLY_LIMIT="10000"):
        yield


@fault("CONF-20", "the global limit is a million", relatives={"CONF-03"})
def no_limit_to_speak_of(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", GLOBAL_HOURLY_LIMIT="1000000"):
        yield


@fault("CONF-03", "requests are counted by a read and then a write")
def racy_counter(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        _LIMITS,
        _ADD,
        '            used = (self._table.get(window.key) or {}).get("used", 0)\n'
        "            if used >= window.limit:\n"
        "                return False\n"
        '            self._table.update(window.key, "SET used = :used, expiresAt = :expires",'
        ' "attribute_exists(pk) OR attribute_not_exists(pk)", {}, {":used": used + 1, ":expires": window.ends})\n',
    ):
        yield


@fault("CONF-03", "the limit is looked at first and counted later")
def checked_then_counted(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        _LIMITS,
        _ADD,
        '            if (self._table.get(window.key) or {}).get("used", 0) >= window.limit:\n'
        "                return False\n"
        '            self._table.update(window.key, "SET expiresAt = :expires ADD used :one",'
        ' "attribute_exists(pk) OR attribute_not_exists(pk)", {}, {":one": 1, ":expires": window.ends})\n',
    ):
        yield


@fault("CONF-03", "only addresses have a limit")
def no_global_limit(bench: Bench) -> Iterator[None]:
    with bench.patched("ApiFunction", _LIMITS, "if not self._add(of_all):", "if False:"):
        yield


@fault("CONF-03", "the global limit refuses a tenth too early")
def global_limit_too_low(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        _LIMITS,
        "Window(key, self._global_hourly,",
        "Window(key, self._global_hourly * 9 // 10,",
    ):
        yield


# The limit of one address


@fault("CONF-04", "the limiter believes the body's ip")
def body_names_the_address(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        _API,
        _SPEND,
        'self._limiter.spend(json.loads(request.body()).get("ip", request.source_address))',
    ):
        yield


@fault("CONF-04", "the limiter believes X-Forwarded-For")
def header_names_the_address(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        _API,
        _SPEND,
        'self._limiter.spend(request.headers.get("x-forwarded-for", request.source_address).split(",")[0])',
    ):
        yield


@fault("CONF-04", "the limiter of one route alone believes the body's ip")
def one_route_believes_the_body(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        _API,
        f"{_SPEND}\n        job",
        'self._limiter.spend(json.loads(request.body()).get("ip", request.source_address))\n        job',
    ):
        yield


@fault("CONF-04", "an address has 500 requests a day", relatives={"CONF-20"})
def ten_times_the_day(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", ADDRESS_DAILY_LIMIT="500"):
        yield

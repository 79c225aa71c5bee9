"""What a load test came to: Artillery's JSON, read strictly and held against the budgets.

Rates are computed from counters and times; Artillery's own `http.request_rate` was seen to be wrong by half. Latencies
are Artillery's: from the request to the first byte of its answer, in buckets one per cent wide.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

from readiness.errors import Unverified
from verification import budgets

ROUTES = tuple(budgets.LOAD_MIX)
_BY_ROUTE = "plugins.metrics-by-endpoint."
_ACCEPTED, _TOO_MANY, _UNAVAILABLE, _GATEWAY_TIMEOUT = "202", "429", "503", "504"
# Source: backend/openapi.yaml, ModelError; what else a model fails by is no vendor's decision.
_REFUSALS = ("unauthorized", "rate_limited", "moderated", "rejected")


@dataclass(frozen=True)
class Latency:
    """Milliseconds until the first byte of the answers to some requests."""

    count: int
    min_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, what: str, summary: Mapping[str, Any]) -> Latency:
        """Read one of Artillery's summaries.

        Raises:
            Unverified: a figure is missing, or is no number.
        """
        names = {"count": "count", "min": "min_ms", "p50": "p50_ms"}
        names |= {"p95": "p95_ms", "p99": "p99_ms", "max": "max_ms"}
        odd = [name for name in names if not _is_number(summary.get(name))]
        if odd:
            raise Unverified(f"Artillery's summary of {what} has no number for {', '.join(odd)}")
        return cls(**{ours: summary[theirs] for theirs, ours in names.items()})


@dataclass(frozen=True)
class Moment:
    """One of Artillery's periods, `second` its end counted from the beginning of the test."""

    second: float
    users: int
    requests: int
    errors: int
    latency: Latency | None


@dataclass(frozen=True)
class Load:
    """One load test.

    Args:
        began: when the first user came.
        seconds: from the first to the last thing that was counted.
        created, completed: users who came, and who left as they were meant to.
        requests, expected: requests, and answers with the status that the contract has for a success.
        codes: answers by status.
        broken: requests without an answer, by what Artillery calls the reason.
        gateway, application: refusals by status, by who refused.
        latency: None when nothing was answered.
        by_route: latencies of the routes that were answered.
        timeline: every period in order.
    """

    began: datetime
    seconds: float
    created: int
    completed: int
    requests: int
    expected: int
    codes: Mapping[str, int]
    broken: Mapping[str, int]
    gateway: Mapping[str, int]
    application: Mapping[str, int]
    latency: Latency | None
    by_route: Mapping[str, Latency]
    timeline: Sequence[Moment]

    @classmethod
    def read(cls, file: Path) -> Load:
        """Read Artillery's output file.

        Raises:
            Unverified: there is none, or it is not what Artillery writes.
        """
        try:
            return cls.of(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as problem:
            raise Unverified(f"Artillery left nothing to judge: {problem}") from problem

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Load:
        """Read Artillery's report.

        Raises:
            Unverified: a counter or a summary is missing, or the counters contradict each other.
        """
        whole, periods = _part(report, "aggregate", dict), _part(report, "intermediate", list)
        counters, summaries = _part(whole, "counters", dict), _part(whole, "summaries", dict)
        requests, answers = _counter(counters, "http.requests"), _counter(counters, "http.responses")
        codes, broken = _named(counters, "http.codes."), _named(counters, "errors.")
        if sum(codes.values()) != answers or answers + sum(broken.values()) != requests:
            raise Unverified(
                f"Artillery's counters contradict each other: {requests} requests, {answers} answers, "
                f"codes {dict(codes)}, errors {dict(broken)}; was it interrupted?"
            )
        judged = _counter(counters, "answers.expected") + _counter(counters, "answers.other")
        if judged != answers:
            raise Unverified(f"users.mjs judged {judged} of {answers} answers; does its hook still run?")
        first, last = (_moment(whole, name) for name in ("firstCounterAt", "lastCounterAt"))
        latencies = {name: _latency(summaries, f"{_BY_ROUTE}response_time.{name}") for name in ROUTES}
        by_route = {name: latency for name, latency in latencies.items() if latency}
        latency = _latency(summaries, "http.response_time")
        counted = [latency.count if latency else 0, sum(one.count for one in by_route.values())]
        if counted != [answers, answers]:
            raise Unverified(f"Artillery timed {counted[0]} answers, by route {counted[1]}, of {answers}")
        timeline = _timeline(periods, first)
        if (spread := sum(moment.requests for moment in timeline)) != requests:
            raise Unverified(f"Artillery's periods hold {spread} of {requests} requests")
        return cls(
            began=first,
            seconds=(last - first).total_seconds(),
            created=_counter(counters, "vusers.created"),
            completed=_counter(counters, "vusers.completed"),
            requests=requests,
            expected=_counter(counters, "answers.expected"),
            codes=codes,
            broken=broken,
            gateway=_named(counters, "refusals.gateway."),
            application=_named(counters, "refusals.application."),
            latency=latency,
            by_route=by_route,
            timeline=timeline,
        )

    @property
    def requests_per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def users_most(self) -> int:
        """Users who were there at the same time, at most."""
        return max((moment.users for moment in self.timeline), default=0)

    def users_held(self, since: float, until: float) -> int:
        """Users who were there at the same time, at least, between two seconds of the test; 0 when no moment was recorded."""
        return min((moment.users for moment in self.timeline if since < moment.second <= until), default=0)

    @property
    def errors(self) -> int:
        """Requests that were not answered as they should have been."""
        return self.requests - self.expected

    @property
    def error_rate(self) -> float:
        """Part of the requests; all of them when there was none."""
        return self.errors / self.requests if self.requests else 1.0

    @property
    def timeouts(self) -> int:
        """Requests without an answer in time, as the gateway or the generator reports."""
        ours = sum(count for name, count in self.broken.items() if "TIMEOUT" in name or "TIMEDOUT" in name)
        return self.codes.get(_GATEWAY_TIMEOUT, 0) + ours

    def part(self, route: str) -> float:
        """A route's part of what was answered."""
        total = sum(one.count for one in self.by_route.values())
        return self.by_route[route].count / total if route in self.by_route else 0.0

    def document(self) -> dict[str, Any]:
        """The figures as JSON's own types."""
        latency = {f"p{part}_ms": getattr(self.latency, f"p{part}_ms", None) for part in (50, 95, 99)}
        return {
            "began": self.began.isoformat(),
            "seconds": self.seconds,
            "users_most": self.users_most,
            "users_created": self.created,
            "users_completed": self.completed,
            "requests": self.requests,
            "requests_per_second": self.requests_per_second,
            **latency,
            "min_ms": getattr(self.latency, "min_ms", None),
            "max_ms": getattr(self.latency, "max_ms", None),
            "error_rate": self.error_rate,
            "codes": dict(self.codes),
            "broken": dict(self.broken),
            "refused_by_gateway": dict(self.gateway),
            "refused_by_application": dict(self.application),
            "by_route": {name: asdict(latency) for name, latency in self.by_route.items()},
            "timeline": [
                {
                    "second": moment.second,
                    "users": moment.users,
                    "requests": moment.requests,
                    **{f"p{part}_ms": getattr(moment.latency, f"p{part}_ms", None) for part in (50, 95, 99)},
                    "errors": moment.errors,
                }
                for moment in self.timeline
            ],
        }


@dataclass(frozen=True)
class Images:
    """What became of the images that a load test's jobs asked for.

    Args:
        jobs: that were made.
        wanted: images that they asked for.
        delivered: images that there are.
        unfinished: images whose result is not known yet.
        missing: how many are missing, by vendor and then by the reason.
    """

    jobs: int
    wanted: int
    delivered: int
    unfinished: int
    missing: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, jobs: Sequence[Mapping[str, tuple[str, str]]], vendors: Mapping[str, str]) -> Images:
        """Count them.

        Args:
            jobs: of each its models' state and, for one that failed, the reason.
            vendors: whose each model is.
        """
        every = [(model, *result) for job in jobs for model, result in job.items()]
        missing: dict[str, Counter[str]] = {}
        for model, state, code in every:
            if state == "failed":
                missing.setdefault(vendors.get(model, "unknown"), Counter())[code or "unknown"] += 1
        states = Counter(state for _, state, _ in every)
        unfinished = len(every) - states["completed"] - states["failed"]
        # asdict cannot copy a Counter.
        by_vendor = {vendor: dict(reasons) for vendor, reasons in missing.items()}
        return cls(len(jobs), len(every), states["completed"], unfinished, by_vendor)

    @property
    def refused(self) -> int:
        """Images that vendors refused to make."""
        return sum(reasons.get(code, 0) for reasons in self.missing.values() for code in _REFUSALS)

    @property
    def part(self) -> float:
        """How much of what was wanted there is."""
        return self.delivered / self.wanted if self.wanted else 0.0

    @property
    def reasons(self) -> str:
        """What is missing, in words."""
        return "; ".join(
            f"{vendor}: {', '.join(f'{count} {code}' for code, count in sorted(reasons.items()))}"
            for vendor, reasons in sorted(self.missing.items())
        )


@dataclass(frozen=True)
class Criterion:
    """One thing that a load test has to hold, as it was measured."""

    what: str
    measured: str
    wanted: str
    held: bool
    advice: str = ""


def judge(
    load: Load,
    *,
    images: Images,
    users: int,
    held_between: tuple[float, float],
    throttles: float,
    crashes: float,
    goals: bool,
) -> Sequence[Criterion]:
    """Hold a load test against the budgets.

    Args:
        load: what was measured.
        images: what became of the jobs that it made.
        users: how many the profile has at the same time.
        held_between: the seconds of the test between which all of them are there.
        throttles: what CloudWatch counts of the functions' throttled invocations.
        crashes: and of those that failed.
        goals: whether the project's own, tighter goals hold as well.

    Raises:
        Unverified: fewer answers than percentiles can be taken of.
    """
    p95, p99 = (
        (budgets.LOAD_GOAL_P95, budgets.LOAD_GOAL_P99) if goals else (budgets.LOAD_P95, budgets.LOAD_P99)
    )
    held = load.users_held(*held_between)
    enough = math.ceil(budgets.LOAD_COMPLETED * users)
    completed = load.completed / load.created if load.created else 0.0
    none_or_few = load.errors == 0 if goals else load.error_rate < budgets.LOAD_ERRORS
    return [
        Criterion(
            "requests", f"{load.requests}", "> 0", load.requests > 0, "is the target the deployed API?"
        ),
        Criterion(
            "users at once, throughout",
            f"{held}",
            f">= {enough} of {users}",
            held >= enough > 0,
            "a user whose request breaks off leaves; see errors",
        ),
        _within("p95", load.latency, p95),
        _within("p99", load.latency, p99),
        Criterion(
            "error rate",
            f"{load.error_rate:.2%}",
            "0%" if goals else f"< {budgets.LOAD_ERRORS:.0%}",
            bool(load.requests) and none_or_few,
            f"codes {dict(load.codes)}, errors {dict(load.broken)}",
        ),
        Criterion(
            "users who came through",
            f"{completed:.1%}",
            f"> {budgets.LOAD_COMPLETED:.0%}",
            completed > budgets.LOAD_COMPLETED,
            f"{load.completed} of {load.created}; errors {dict(load.broken)}",
        ),
        _none("time-outs", load.timeouts, f"codes {dict(load.codes)}, errors {dict(load.broken)}"),
        _none(
            "throttled invocations",
            int(throttles),
            "raise the functions' reserved concurrency, or the account's",
        ),
        _none(
            "failed invocations", int(crashes), "read the functions' logs; 'load-' begins each correlation id"
        ),
        _none(
            "503 of the gateway",
            load.gateway.get(_UNAVAILABLE, 0),
            "no function was free, or none answered within 30 s",
        ),
        _none(
            "429 of the gateway",
            load.gateway.get(_TOO_MANY, 0),
            "the profile stays below its rate, so another client sends requests too, or the rate was lowered",
        ),
        _none(
            "429 of the application",
            load.application.get(_TOO_MANY, 0),
            "deploy with AllowedAddresses naming the generator's address (docs/DEPLOYMENT.md)",
        ),
        Criterion(
            "jobs that ended",
            f"{images.jobs} with {images.unfinished} images unfinished",
            f">= {load.codes.get(_ACCEPTED, 0)} with 0",
            images.jobs >= load.codes.get(_ACCEPTED, 0) and not images.unfinished,
            "read the worker's log and the dead-letter queue (docs/DEPLOYMENT.md)",
        ),
        Criterion(
            "images delivered",
            f"{images.part:.1%}",
            f">= {budgets.LOAD_IMAGES:.0%}",
            images.part >= budgets.LOAD_IMAGES,
            f"missing: {images.reasons}",
        ),
        _none(
            "images refused by vendors",
            images.refused,
            f"{images.reasons}; have those vendors raise their limits, or load with fewer users",
        ),
        *(
            Criterion(
                f"part of {route}",
                f"{load.part(route):.1%}",
                f"{wanted:.0%} +- {budgets.LOAD_MIX_MARGIN:.0%}",
                abs(load.part(route) - wanted) <= budgets.LOAD_MIX_MARGIN,
                "requests of this route break off, or the scenario was changed",
            )
            for route, wanted in budgets.LOAD_MIX.items()
        ),
    ]


def _within(name: str, latency: Latency | None, limit: timedelta) -> Criterion:
    wanted = f"< {limit.total_seconds():g} s"
    if latency is None:
        return Criterion(name, "no answer", wanted, held=False, advice="nothing was answered at all")
    if latency.count < budgets.LOAD_SAMPLES:
        raise Unverified(
            f"{latency.count} answers are too few for a {name} (at least {budgets.LOAD_SAMPLES}); run for longer"
        )
    value = timedelta(milliseconds=getattr(latency, f"{name}_ms"))
    return Criterion(
        name, f"{value.total_seconds():.3f} s", wanted, value < limit, "see the routes' own latencies"
    )


def _none(what: str, count: int, advice: str) -> Criterion:
    return Criterion(what, f"{count}", "0", count == 0, advice)


def _timeline(periods: Sequence[Mapping[str, Any]], began: datetime) -> Sequence[Moment]:
    ordered = sorted(periods, key=lambda period: _moment(period, "lastCounterAt"))
    counters = [_part(period, "counters", dict) for period in ordered]
    changes = (
        _counter(one, "vusers.created") - _counter(one, "vusers.completed") - _counter(one, "vusers.failed")
        for one in counters
    )
    return [
        Moment(
            second=(_moment(period, "lastCounterAt") - began).total_seconds(),
            users=users,
            requests=_counter(one, "http.requests"),
            errors=_counter(one, "answers.other") + sum(_named(one, "errors.").values()),
            latency=_latency(_part(period, "summaries", dict), "http.response_time"),
        )
        for period, one, users in zip(ordered, counters, accumulate(changes), strict=True)
    ]


def _part(whole: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(whole, Mapping) or not isinstance(whole.get(name), kind):
        raise Unverified(f"Artillery's report has no {name}; was it written by another version?")
    return whole[name]


def _counter(counters: Mapping[str, Any], name: str) -> int:
    """Artillery leaves out what it never counted."""
    value = counters.get(name, 0)
    if not _is_number(value):
        raise Unverified(f"Artillery's counter {name} is {value!r}, no number")
    return int(value)


def _named(counters: Mapping[str, Any], prefix: str) -> Mapping[str, int]:
    return {
        name.removeprefix(prefix): _counter(counters, name) for name in counters if name.startswith(prefix)
    }


def _latency(summaries: Mapping[str, Any], name: str) -> Latency | None:
    return Latency.of(name, _part(summaries, name, dict)) if name in summaries else None


def _moment(whole: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromtimestamp(_part(whole, name, (int, float)) / 1000, UTC)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

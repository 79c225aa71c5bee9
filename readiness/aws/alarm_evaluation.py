"""Whether a given series of data points raises an alarm, by CloudWatch's documented rules. Makes no request.

Sources: CloudWatch User Guide, "Alarm evaluation", "Configuring how CloudWatch alarms treat missing data", "Percentile-based
alarms and low data samples".
"""

from __future__ import annotations

import math
import operator
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import accumulate
from typing import Final

from readiness.aws.alarm import Alarm, Metric
from readiness.aws.metric_math import Vector, computed
from readiness.errors import Unverified

Values = Mapping[float, int]
"""What is published of a metric in one minute: each value, and how often."""

ALARM: Final = "ALARM"
_OK: Final = "OK"
_UNKNOWN: Final = "INSUFFICIENT_DATA"
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
# So many more data points are retrieved than are evaluated. AWS gives no rule; its example retrieves 5 for 3.
_MORE: Final = 2
_SAMPLES: Final = 10  # times 1 / (1 - percentile): fewer are a low sample


@dataclass(frozen=True)
class Course:
    """What a metric publishes in the course of a trouble.

    Args:
        unit: the only one that its data points have.
        parts: for how many minutes what is published in each of them; none is no data point.
    """

    unit: str
    parts: Sequence[tuple[int, Values]]

    @cached_property
    def _starts(self) -> Sequence[int]:
        return [0, *accumulate(minutes for minutes, _ in self.parts)]

    def between(self, start: int, end: int) -> Values:
        """All that was published from one minute up to another."""
        found: Counter[float] = Counter()
        first = max(bisect_right(self._starts, start) - 1, 0)
        for at, (length, values) in zip(self._starts[first:], self.parts[first:], strict=False):
            if at >= end:
                break
            minutes = min(end, at + length) - max(start, at)
            for value, count in values.items():
                found[value] += count * max(minutes, 0)
        return +found


@dataclass(frozen=True)
class Trouble:
    """A failure, as CloudWatch's metrics show it.

    Args:
        what: description for the reader of a finding.
        begins: minute of the courses in which the failure begins.
        minutes: length of the courses.
        courses: courses by namespace and name of the metric.
        dimensions: the dimensions of all of these metrics.
        wider: whether the same data is also published for all resources together and, with one more dimension, for
            parts of this resource.
    """

    what: str
    begins: int
    minutes: int
    courses: Mapping[tuple[str, str], Course]
    dimensions: Mapping[str, str]
    wider: bool = False

    def covers(self, metric: Metric) -> bool:
        """Whether it shows in this metric."""
        if (metric.namespace, metric.name) not in self.courses:
            return False
        if metric.dimensions == self.dimensions:
            return True
        return self.wider and (not metric.dimensions or self.dimensions.items() <= metric.dimensions.items())

    def course(self, metric: Metric) -> Course:
        """Return the data that an alarm on this metric gets: none of other resources, and none in an unpublished unit.

        Raises:
            Unverified: the course of the metric is not known.
        """
        stated = self.courses.get((metric.namespace, metric.name))
        if stated is None:
            raise Unverified(
                f"expected a known series of {metric.namespace} {metric.name} while {self.what}, found none; test by hand whether the alarm fires",
                cause=f"no stated series of {metric.namespace} {metric.name}",
            )
        if not self.covers(metric) or metric.unit not in ("", stated.unit):
            return Course(stated.unit, ())
        return stated


@dataclass(frozen=True)
class Seen:
    """What an alarm made of a trouble.

    Args:
        after: how long after the beginning it went to ALARM, None for never.
        why: what it saw, in words.
    """

    after: timedelta | None
    why: str


def too_short(alarm: Alarm) -> timedelta | None:
    """A period in which an alarm often gets no data point, since AWS publishes its own metrics once a minute.

    Source: CloudWatch API Reference, PutMetricAlarm, Period.
    """
    return next(
        (
            query.period
            for query in alarm.queries
            if query.metric and query.metric.namespace.startswith("AWS/") and query.period < _MINUTE
        ),
        None,
    )


def would_alarm(alarm: Alarm, trouble: Trouble) -> timedelta | None:
    """How long after a trouble begins an alarm goes to ALARM and acts, None for never within the stated time.

    Raises:
        Unverified: the alarm uses what is not understood here.
    """
    return seen(alarm, trouble).after


def seen(alarm: Alarm, trouble: Trouble) -> Seen:
    """Return the alarm's reaction to a failure, and the reason.

    Only a change to ALARM starts actions. An alarm that is in ALARM before the failure begins does not report it, even
    if its state changes later.

    Raises:
        Unverified: the alarm uses what is not understood here.
    """
    if (period := too_short(alarm)) is not None:
        return Seen(
            None,
            f"its period of {period.total_seconds():.0f} s is shorter than the minute of its data points",
        )
    rule = _Rule(alarm)
    if not alarm.actions_enabled:
        return Seen(None, "its actions are off")
    # CloudWatch looks once an hour where the periods exceed a day together.
    step = 60 if rule.period * rule.periods > _DAY else 1
    state, values = _UNKNOWN, []
    for now in range(step, trouble.minutes + 1, step):
        if rule.waits_for_samples(trouble, now):
            continue
        points = rule.points(trouble, now)
        former, state = state, rule.state(points, state)
        if now <= trouble.begins:
            continue
        if former == ALARM:
            return Seen(
                None,
                f"it is in ALARM before anything is wrong, by {rule} and TreatMissingData {alarm.treat_missing_data}",
            )
        if state == ALARM:
            return Seen(timedelta(minutes=now - trouble.begins), "")
        values += [point for point in points[:1] if point is not None]
    saw = f"{min(values):g} to {max(values):g}" if values else "no data point"
    return Seen(None, f"it gets {saw} for {rule}")


def unnoticed(alarms: Iterable[Alarm], troubles: Sequence[Trouble]) -> Sequence[str] | None:
    """For each alarm that watches a trouble, why it does not tell of it in time; None where one of them does.

    Args:
        alarms: of which a single one has to notice.
        troubles: the same one under several circumstances, each of which has to be noticed.

    Raises:
        Unverified: none does, and one of them is not understood.
    """
    why: list[str] = []
    doubts: list[Unverified] = []
    for alarm in alarms:
        if not any(troubles[0].covers(metric) for metric in alarm.metrics):
            continue
        try:
            missed = next((one for trouble in troubles if (one := seen(alarm, trouble)).after is None), None)
        except Unverified as doubt:
            doubts.append(doubt)
            continue
        if missed is None:
            return None
        why.append(f"{alarm.name}: {missed.why}, while {troubles[0].what}")
    if doubts:
        raise doubts[0]
    return why


class _Rule:
    """What an alarm does with its data points.

    Raises:
        Unverified: it uses what is not understood here.
    """

    def __init__(self, alarm: Alarm) -> None:
        self.alarm, self.period = alarm, max((query.period for query in alarm.queries), default=timedelta())
        self.periods, self.needed = alarm.periods, alarm.needed
        if alarm.beyond or alarm.threshold is None or alarm.comparison not in _COMPARISONS:
            raise _not_understood(alarm, alarm.beyond or alarm.comparison or "no comparison")
        if self.period < _MINUTE or not alarm.queries:
            raise _not_understood(alarm, f"a period of {self.period}")
        self.threshold, self.breaches = alarm.threshold, _COMPARISONS[alarm.comparison]

    def __str__(self) -> str:
        many = "" if self.needed == self.periods == 1 else f" in {self.needed} of {self.periods} periods"
        named = "/".join(query.metric.statistic for query in self.alarm.queries if query.metric)
        return (
            f"{named} {self.alarm.comparison} {self.threshold:g}{many} of {self.period.total_seconds():.0f} s"
        )

    def points(self, trouble: Trouble, now: int) -> Vector:
        """The values of the latest periods, the newest first."""
        known: dict[str, Vector] = {}
        for query in self.alarm.queries:
            if query.metric:
                # One more than is retrieved, for what compares a point with the one before it.
                spans = self._spans(now, self.periods + _MORE + 1)
                course = trouble.course(query.metric)
                known[query.id] = [statistic(query.metric.statistic, course.between(*span)) for span in spans]
        waiting = [query for query in self.alarm.queries if query.expression]
        while waiting:  # one may use another, in any order
            ready = [query for query in waiting if not _names(query.expression) & {one.id for one in waiting}]
            if not ready:
                raise _not_understood(self.alarm, "expressions that use each other")
            for query in ready:
                known[query.id] = computed(query.expression, known, self.period)
            waiting = [query for query in waiting if query not in ready]
        returned = [query.id for query in self.alarm.queries if query.returned]
        return known[returned[-1] if returned else self.alarm.queries[-1].id][: self.periods + _MORE]

    def _spans(self, now: int, count: int) -> Iterator[tuple[int, int]]:
        minutes = int(self.period / _MINUTE)
        for age in range(count):
            end = now - age * minutes
            yield end - minutes, end

    def waits_for_samples(self, trouble: Trouble, now: int) -> bool:
        """Whether a percentile has too few samples, and the alarm waits for more."""
        metrics = [query.metric for query in self.alarm.queries if query.metric]
        found = re.fullmatch(r"p(\d+(?:\.\d+)?)", metrics[0].statistic) if len(metrics) == 1 else None
        if not found or self.alarm.low_samples != "ignore":
            return False
        part = float(found[1]) / 100
        wanted = _SAMPLES / min(part, 1 - part) if 0 < part < 1 else 0
        (latest,) = self._spans(now, 1)
        return sum(trouble.course(metrics[0]).between(*latest).values()) < wanted

    def state(self, points: Vector, before: str) -> str:
        """The state that the latest points call for."""
        treatment = self.alarm.treat_missing_data
        real = [
            (age, self.breaches(point, self.threshold))
            for age, point in enumerate(points)
            if point is not None
        ]
        if not real:
            return {"missing": _UNKNOWN, "breaching": ALARM, "notBreaching": _OK}.get(treatment, before)
        latest = real[: self.periods]
        breaching = sum(breach for _, breach in latest)
        missing = self.periods - len(latest)
        if breaching + (missing if treatment == "breaching" else 0) >= self.needed:
            return ALARM
        if missing and treatment in ("missing", "ignore") and self._premature(real):
            return ALARM if treatment == "missing" else before
        return _OK

    def _premature(self, real: Sequence[tuple[int, bool]]) -> bool:
        """Whether a breach is old enough to count although what came after it is missing."""
        oldest = max((age for age, _ in real if age < self.periods), default=-1)
        return all(breach for _, breach in real) and oldest + 1 >= self.needed


def _not_understood(alarm: Alarm, what: str) -> Unverified:
    return Unverified(
        f"expected of alarm '{alarm.name}' a threshold and periods of a minute or more, found {what}; check by hand whether it fires",
        cause="an alarm that is not understood",
    )


def _names(expression: str) -> set[str]:
    return set(re.findall(r"\b[a-z]\w*\b", expression))


def statistic(name: str, values: Values) -> float | None:
    """A statistic of what was published in one period, None where that is nothing.

    Raises:
        Unverified: it is not understood.
    """
    if not values:
        return None
    count, total = sum(values.values()), sum(value * times for value, times in values.items())
    simple = {
        "Sum": total,
        "SampleCount": count,
        "Average": total / count,
        "Minimum": min(values),
        "Maximum": max(values),
    }
    if name in simple:
        return float(simple[name])
    if not (found := re.fullmatch(r"p(\d+(?:\.\d+)?)", name)):
        raise Unverified(
            f"expected a simple statistic or a percentile, found '{name}'; look by hand whether the alarm fires",
            cause=f"statistic {name} is not understood",
        )
    rank, passed = max(math.ceil(float(found[1]) / 100 * count), 1), 0
    for value in sorted(values):
        passed += values[value]
        if passed >= rank:
            return value
    return max(values)

"""AWS::CloudWatch::Alarm."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from readiness.environment import Environment
from readiness.errors import Missing
from readiness.progress import waiting


@dataclass(frozen=True)
class Metric:
    """What an alarm watches."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    unit: str = ""  # the only one that is counted; '' for any
    statistic: str = field(default="", compare=False)


@dataclass(frozen=True)
class Query:
    """One input of an alarm: a metric, or an expression over other inputs."""

    id: str
    period: timedelta
    metric: Metric | None = None
    expression: str = ""
    returned: bool = True  # whether the alarm compares this one


@dataclass(frozen=True)
class Alarm:
    """A live metric alarm. An alarm on metric math watches several metrics."""

    name: str
    metrics: Sequence[Metric]
    actions: Sequence[str]
    actions_enabled: bool
    threshold: float | None = None  # in the metric's own unit; None for an anomaly band
    treat_missing_data: str = "missing"
    comparison: str = ""
    statistic: str = ""
    span: timedelta = timedelta()  # of all the periods that it looks at
    expressions: Sequence[str] = ()  # of metric math, a SEARCH among them
    queries: Sequence[Query] = ()
    periods: int = 0  # that it looks at
    needed: int = 0  # of these have to breach
    low_samples: str = ""  # 'ignore' where a percentile of few samples does not count
    beyond: str = ""  # what of it alarm_evaluation does not understand

    def watches(self, namespace: str, metric: str, **dimensions: str) -> bool:
        """Whether the alarm would act on this metric with exactly these dimensions: others are another series."""
        return self.actions_enabled and any(
            watched.namespace == namespace and watched.name == metric and watched.dimensions == dimensions
            for watched in self.metrics
        )

    def __str__(self) -> str:
        rule = f"{self.statistic} {self.comparison} {self.threshold} over {self.span}"
        return f"{self.name} ({rule}{'' if self.actions_enabled else ', actions off'})"


def alarms_of(env: Environment, names: Sequence[str]) -> Sequence[Alarm]:
    """The alarms of those names that exist, at most a hundred a call."""
    client = env.client("cloudwatch")
    found = []
    for start in range(0, len(names), 100):
        answer = client.describe_alarms(
            AlarmNames=list(names[start : start + 100]), AlarmTypes=["MetricAlarm"], MaxRecords=100
        )
        found += answer["MetricAlarms"]
    return [described_alarm(alarm) for alarm in found]


def every_alarm(env: Environment, region: str | None = None) -> Sequence[Alarm]:
    """All metric alarms of the account in one region: a resource may be watched by another stack's alarm.

    The actions of an alarm that a composite alarm names count as enabled: the composite alarm acts in its stead.
    """
    pages = env.client("cloudwatch", region).get_paginator("describe_alarms")
    found = [
        described_alarm(alarm)
        for page in pages.paginate(AlarmTypes=["MetricAlarm"])
        for alarm in page.get("MetricAlarms", [])
    ]
    rules = [] if all(alarm.actions_enabled for alarm in found) else composite_rules(env, region)
    return [
        replace(alarm, actions_enabled=alarm.actions_enabled or is_named_by(rules, alarm.name))
        for alarm in found
    ]


def is_named_by(rules: Iterable[str], alarm: str) -> bool:
    """Return whether a rule of a composite alarm names an alarm, by its name or its ARN."""
    named = re.compile(rf'\(\s*"?(?:arn:[^"()]*:alarm:)?{re.escape(alarm)}"?\s*\)')
    return any(named.search(rule) for rule in rules)


def composite_rules(env: Environment, region: str | None = None) -> Sequence[str]:
    """The rules of the account's composite alarms that do something; each names alarms."""
    pages = env.client("cloudwatch", region).get_paginator("describe_alarms")
    return [
        alarm["AlarmRule"]
        for page in pages.paginate(AlarmTypes=["CompositeAlarm"])
        for alarm in page.get("CompositeAlarms", [])
        if alarm.get("ActionsEnabled") and alarm.get("AlarmActions")
    ]


def described_alarm(description: Mapping[str, Any]) -> Alarm:
    """An alarm as DescribeAlarms tells of it."""
    queries = [_query(part) for part in description.get("Metrics", [])]
    if description.get("MetricName"):
        queries = [Query("", timedelta(seconds=description.get("Period", 0)), _metric(description))]
    periods = description.get("EvaluationPeriods", 0)
    return Alarm(
        name=description["AlarmName"],
        metrics=[query.metric for query in queries if query.metric],
        actions=description.get("AlarmActions", []),
        actions_enabled=bool(description.get("ActionsEnabled")),
        threshold=description.get("Threshold"),
        treat_missing_data=description.get("TreatMissingData") or "missing",
        comparison=description.get("ComparisonOperator", ""),
        statistic=description.get("Statistic", ""),
        span=max((query.period for query in queries), default=timedelta()) * periods,
        expressions=tuple(query.expression for query in queries if query.expression),
        queries=tuple(queries),
        periods=periods,
        needed=description.get("DatapointsToAlarm") or periods,
        low_samples=description.get("EvaluateLowSampleCountPercentile", ""),
        beyond=_beyond(description),
    )


def _query(part: Mapping[str, Any]) -> Query:
    """One of `Metrics`."""
    stat = part.get("MetricStat", {})
    metric = {**stat.get("Metric", {}), "Statistic": stat.get("Stat"), "Unit": stat.get("Unit", "")}
    return Query(
        part["Id"],
        timedelta(seconds=stat.get("Period") or part.get("Period", 0)),
        _metric(metric) if stat else None,
        part.get("Expression", ""),
        part.get("ReturnData", True),
    )


def _metric(description: Mapping[str, Any]) -> Metric:
    return Metric(
        description.get("Namespace", ""),
        description.get("MetricName", ""),
        {dimension["Name"]: dimension["Value"] for dimension in description.get("Dimensions", [])},
        description.get("Unit", ""),
        description.get("Statistic") or description.get("ExtendedStatistic", ""),
    )


def _beyond(description: Mapping[str, Any]) -> str:
    """What no rule of `alarm_evaluation` covers: bands, periods by the clock, PromQL, metrics of other accounts."""
    odd = [name for name in ("ThresholdMetricId", "EvaluationCriteria") if description.get(name)]
    odd += ["WallClockWindow"] if "WallClockWindow" in description.get("EvaluationWindow", {}) else []
    odd += ["AccountId"] if any(part.get("AccountId") for part in description.get("Metrics", [])) else []
    return ", ".join(odd)


@dataclass(frozen=True)
class AlarmState:
    """`value` is OK, ALARM or INSUFFICIENT_DATA; `since` is by CloudWatch's clock."""

    value: str
    since: datetime


@dataclass(frozen=True)
class AlarmSwitch:
    """An alarm that a drill raises."""

    env: Environment = field(repr=False)
    name: str

    @property
    def alarm(self) -> Alarm:
        """What it watches, and how.

        Raises:
            Missing: there is no such alarm.
        """
        found = alarms_of(self.env, [self.name])
        if not found:
            raise Missing(
                f"{self!r} does not exist; deploy the stack again",
                cause=f"alarm '{self.name}' does not exist",
            )
        return found[0]

    @property
    def state(self) -> AlarmState:
        """What it says now."""
        (found,) = self.env.client("cloudwatch").describe_alarms(
            AlarmNames=[self.name], AlarmTypes=["MetricAlarm"]
        )["MetricAlarms"]
        return AlarmState(found["StateValue"], found["StateUpdatedTimestamp"])

    def lower(self) -> None:
        """Set it to OK; it rises again at its next evaluation if there still is a reason to."""
        self.env.client("cloudwatch").set_alarm_state(
            AlarmName=self.name, StateValue="OK", StateReason="lowered by a drill of the verification"
        )

    @waiting("an alarm to rise")
    def wait_until_raised(self, deadline: timedelta) -> AlarmState:
        """What it says once it is in ALARM, or after the deadline."""
        until = time.monotonic() + self.env.patience(deadline).total_seconds()
        while (state := self.state).value != "ALARM" and time.monotonic() < until:
            time.sleep(random.uniform(0.5, 1.5))  # noqa: S311  # jitter, not a secret
        return state

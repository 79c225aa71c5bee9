"""AWS::CloudWatch::Alarm."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from readiness.environment import Environment
from readiness.errors import Missing
from readiness.progress import waiting

# Source: CloudWatch API Reference, PutMetricAlarm, "ComparisonOperator".
_AT_THE_THRESHOLD = {"GreaterThanOrEqualToThreshold": True, "GreaterThanThreshold": False}


@dataclass(frozen=True)
class Metric:
    """What an alarm watches."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    unit: str = ""  # the only one that is counted; '' for any
    statistic: str = field(default="", compare=False)


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

    def watches(self, namespace: str, metric: str, **dimensions: str) -> bool:
        """Whether the alarm would act on this metric with exactly these dimensions: others are another series."""
        return self.actions_enabled and any(
            watched.namespace == namespace and watched.name == metric and watched.dimensions == dimensions
            for watched in self.metrics
        )

    def notices(self, count: int, within: timedelta) -> bool:
        """Whether so many events in each period raise it, and after how long at the most."""
        at_once = count if self.statistic in ("Sum", "") else min(count, 1)  # each event counts as one
        if self.threshold is None or self.comparison not in _AT_THE_THRESHOLD or self.span > within:
            return False
        return self.threshold < at_once or (_AT_THE_THRESHOLD[self.comparison] and self.threshold == at_once)

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
    return [_alarm(alarm) for alarm in found]


def every_alarm(env: Environment, region: str | None = None) -> Sequence[Alarm]:
    """All metric alarms of the account in one region: a resource may be watched by another stack's alarm."""
    pages = env.client("cloudwatch", region).get_paginator("describe_alarms")
    return [
        _alarm(alarm)
        for page in pages.paginate(AlarmTypes=["MetricAlarm"])
        for alarm in page.get("MetricAlarms", [])
    ]


def composite_rules(env: Environment) -> Sequence[str]:
    """The rules of the account's composite alarms that do something; each names alarms."""
    pages = env.client("cloudwatch").get_paginator("describe_alarms")
    return [
        alarm["AlarmRule"]
        for page in pages.paginate(AlarmTypes=["CompositeAlarm"])
        for alarm in page.get("CompositeAlarms", [])
        if alarm.get("ActionsEnabled") and alarm.get("AlarmActions")
    ]


def _alarm(told: Mapping[str, Any]) -> Alarm:
    parts = [part for part in told.get("Metrics", []) if "MetricStat" in part]
    metrics = [
        told,
        *({**part["MetricStat"]["Metric"], "Statistic": part["MetricStat"]["Stat"]} for part in parts),
    ]
    return Alarm(
        name=told["AlarmName"],
        metrics=[
            Metric(
                metric.get("Namespace", ""),
                metric.get("MetricName", ""),
                {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])},
                metric.get("Unit", ""),
                metric.get("Statistic") or metric.get("ExtendedStatistic", ""),
            )
            for metric in metrics
            if metric.get("MetricName")
        ],
        actions=told.get("AlarmActions", []),
        actions_enabled=bool(told.get("ActionsEnabled")),
        threshold=told.get("Threshold"),
        treat_missing_data=told.get("TreatMissingData") or "missing",
        comparison=told.get("ComparisonOperator", ""),
        statistic=told.get("Statistic", ""),
        span=_period(told) * told.get("EvaluationPeriods", 0),
        expressions=tuple(part["Expression"] for part in told.get("Metrics", []) if part.get("Expression")),
    )


def _period(alarm: Mapping[str, Any]) -> timedelta:
    """Of its metric, or the longest of its metrics."""
    parts = [part["MetricStat"]["Period"] for part in alarm.get("Metrics", []) if "MetricStat" in part]
    return timedelta(seconds=max([alarm.get("Period", 0), *parts]))


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

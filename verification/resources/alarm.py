"""AWS::CloudWatch::Alarm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verification.environment import Environment


@dataclass(frozen=True)
class Metric:
    """What an alarm watches."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]


@dataclass(frozen=True)
class Alarm:
    """A live metric alarm. An alarm on metric math watches several metrics."""

    name: str
    metrics: Sequence[Metric]
    actions: Sequence[str]
    actions_enabled: bool
    threshold: float | None = None  # in the metric's own unit; None for an anomaly band

    def watches(self, namespace: str, metric: str, **dimensions: str) -> bool:
        """Whether the alarm would act on this metric with exactly these dimensions: others are another series."""
        return self.actions_enabled and any(
            watched.namespace == namespace and watched.name == metric and watched.dimensions == dimensions
            for watched in self.metrics
        )


def alarms_of(env: Environment, names: Sequence[str]) -> Sequence[Alarm]:
    """The alarms of those names that exist, at most a hundred a call."""
    client = env.client("cloudwatch")
    found = []
    for start in range(0, len(names), 100):
        answer = client.describe_alarms(
            AlarmNames=list(names[start : start + 100]), AlarmTypes=["MetricAlarm"], MaxRecords=100
        )
        found += answer["MetricAlarms"]
    return [
        Alarm(
            name=alarm["AlarmName"],
            metrics=[
                Metric(
                    metric.get("Namespace", ""),
                    metric.get("MetricName", ""),
                    {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])},
                )
                for metric in [
                    alarm,
                    *(
                        part["MetricStat"]["Metric"]
                        for part in alarm.get("Metrics", [])
                        if "MetricStat" in part
                    ),
                ]
                if metric.get("MetricName")
            ],
            actions=alarm.get("AlarmActions", []),
            actions_enabled=bool(alarm.get("ActionsEnabled")),
            threshold=alarm.get("Threshold"),
        )
        for alarm in found
    ]

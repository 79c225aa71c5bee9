"""Metrics of CloudWatch, over a stretch of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from readiness.environment import Environment

_PERIOD = timedelta(minutes=1)


@dataclass(frozen=True)
class Window:
    """What CloudWatch has about a stretch of time."""

    sum: float
    average: float
    maximum: float


@dataclass(frozen=True)
class Metric:
    """One metric with its dimensions."""

    env: Environment = field(repr=False)
    namespace: str
    name: str
    dimensions: Mapping[str, str]

    def over(self, since: datetime, until: datetime) -> Window | None:
        """All whole minutes that touch the stretch; None when nothing was counted in them."""
        points = self.env.client("cloudwatch").get_metric_statistics(
            Namespace=self.namespace,
            MetricName=self.name,
            Dimensions=[{"Name": name, "Value": value} for name, value in self.dimensions.items()],
            StartTime=since.replace(second=0, microsecond=0),
            EndTime=until.replace(second=0, microsecond=0) + _PERIOD,
            Period=int(_PERIOD.total_seconds()),
            Statistics=["Sum", "SampleCount", "Maximum"],
        )["Datapoints"]
        count = sum(point["SampleCount"] for point in points)
        if not count:
            return None
        total = float(sum(point["Sum"] for point in points))
        return Window(total, total / count, float(max(point["Maximum"] for point in points)))

"""readiness/aws/metric.py"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from readiness.aws.metric import Metric, Window
from readiness.errors import Denied


def test_a_stretch_of_time_is_looked_at_in_whole_minutes(env, unique) -> None:
    start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=10)
    values = {-1: 100.0, 30: 2.0, 40: 4.0, 100: 6.0, 121: 200.0}
    env.client("cloudwatch").put_metric_data(
        Namespace="AWS/Tests",
        MetricData=[
            {
                "MetricName": "Duration",
                "Dimensions": [{"Name": "FunctionName", "Value": unique}],
                "Timestamp": start + timedelta(seconds=second),
                "Value": value,
            }
            for second, value in values.items()
        ],
    )
    metric = Metric(env, "AWS/Tests", "Duration", {"FunctionName": unique})

    seen = metric.over(start + timedelta(seconds=35), start + timedelta(seconds=90))

    assert seen == Window(sum=12.0, average=4.0, maximum=6.0)


def test_what_never_was_is_nothing(env, unique) -> None:
    now = datetime.now(UTC)

    assert Metric(env, "AWS/Tests", "Errors", {"FunctionName": unique}).over(now, now) is None


def test_a_denied_read_names_the_permission(denying) -> None:
    now = datetime.now(UTC)

    with pytest.raises(Denied) as refused:
        Metric(denying, "AWS/Tests", "Errors", {}).over(now, now)
    assert refused.value.action == "cloudwatch:GetMetricStatistics"

"""verification/embedded/server/aliases.py"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.embedded.conftest import Running

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

SOURCE = """
def handler(event, context):
    return context.invoked_function_arn
"""


@pytest.fixture(scope="module")
def name(cloud: Running, make_function: Callable[..., str]) -> str:
    made = make_function(SOURCE)
    functions = cloud.client("lambda")
    version = functions.publish_version(FunctionName=made)["Version"]
    functions.create_alias(FunctionName=made, Name="live", FunctionVersion=version)
    functions.add_permission(
        FunctionName=made,
        Qualifier="live",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )
    return made


def test_a_function_knows_the_alias_that_it_was_called_by(cloud: Running, name: str) -> None:
    functions = cloud.client("lambda")

    by_alias = json.load(functions.invoke(FunctionName=name, Qualifier="live")["Payload"])
    itself = json.load(functions.invoke(FunctionName=name)["Payload"])

    assert by_alias.endswith(f":function:{name}:live")
    assert itself.endswith(f":function:{name}")


def test_an_aliass_permissions_are_not_its_functions(cloud: Running, name: str) -> None:
    functions = cloud.client("lambda")

    policy = json.loads(functions.get_policy(FunctionName=name, Qualifier="live")["Policy"])

    assert [one["Sid"] for one in policy["Statement"]] == ["rule"]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        functions.get_policy(FunctionName=name)


def test_an_alias_has_metrics_of_its_own(cloud: Running, name: str) -> None:
    cloud.client("lambda").invoke(FunctionName=name, Qualifier="live")

    def invocations(*more: dict[str, str]) -> float:
        now = time.time()
        points = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Invocations",
            Dimensions=[{"Name": "FunctionName", "Value": name}, *more],
            StartTime=now - 600,
            EndTime=now + 60,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    assert 1 <= invocations({"Name": "Resource", "Value": f"{name}:live"}) <= invocations()


def test_what_is_provisioned_is_listed(cloud: Running, name: str) -> None:
    functions = cloud.client("lambda")
    before = functions.list_provisioned_concurrency_configs(FunctionName=name)
    functions.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=2
    )

    (listed,) = functions.list_provisioned_concurrency_configs(FunctionName=name)[
        "ProvisionedConcurrencyConfigs"
    ]

    assert before["ProvisionedConcurrencyConfigs"] == []
    assert listed["FunctionArn"].endswith(f":function:{name}:live")
    assert listed["RequestedProvisionedConcurrentExecutions"] == 2

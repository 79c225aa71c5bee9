"""What a template declares of a table arrives in DynamoDB and in its scaling."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.cloudformation.template import FULL, changed, ref, resource
from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import Stack, deployed

pytestmark = pytest.mark.embedded


def test_table_settings(full: Stack) -> None:
    tables, name = full.cloud.client("dynamodb"), full.id_of("Table")
    table = tables.describe_table(TableName=name)["Table"]
    recovery = tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]

    assert table["SSEDescription"]["Status"] == "ENABLED"
    assert table["DeletionProtectionEnabled"] is True
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "expires",
    }


def test_an_index_that_includes_nothing_is_refused(cloud: Running) -> None:
    table = dict(FULL["Resources"]["Table"]["Properties"])
    key = {"KeySchema": table["KeySchema"], "Projection": {"ProjectionType": "INCLUDE"}}
    wanted = {
        "AttributeDefinitions": table["AttributeDefinitions"],
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": table["KeySchema"],
        "GlobalSecondaryIndexes": [{"IndexName": "by-pk", **key}],
    }

    with pytest.raises(AssertionError, match="NonKeyAttributes is not specified"):
        Stack(cloud, {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": wanted}}})


def test_table_update(restored: Stack) -> None:
    changes = {
        "TimeToLiveSpecification": None,
        "PointInTimeRecoverySpecification": None,
        "SSESpecification": None,
        "DeletionProtectionEnabled": False,
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
    }
    assert restored.update(changed(Table=changes)) == "UPDATE_COMPLETE", restored.reasons()
    tables, name = restored.cloud.client("dynamodb"), restored.id_of("Table")
    table = tables.describe_table(TableName=name)["Table"]
    recovery = tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]

    assert table["DeletionProtectionEnabled"] is False
    assert table.get("SSEDescription", {}).get("Status") != "ENABLED"
    assert table["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    ttl = tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "DISABLED"


def test_protected_table_is_not_deleted(cloud: Running) -> None:
    template = {"Resources": {"Table": FULL["Resources"]["Table"]}, "Parameters": FULL["Parameters"]}
    stack = Stack(cloud, template)

    assert stack.delete() == "DELETE_FAILED"
    cloud.client("dynamodb").update_table(TableName=stack.id_of("Table"), DeletionProtectionEnabled=False)
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_global_table_has_the_settings_of_its_replica(cloud: Running) -> None:
    replica: dict[str, Any] = {
        "Region": {"Ref": "AWS::Region"},
        "DeletionProtectionEnabled": True,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    table = {
        "TableName": unique("table"),  # MiniStack replaces one that it named itself
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "Replicas": [replica],
    }
    template = {"Resources": {"Table": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": table}}}
    tables = cloud.client("dynamodb")
    with deployed(cloud, template) as stack:
        name = stack.id_of("Table")
        backups = tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        assert tables.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"]

        replica["DeletionProtectionEnabled"] = False
        assert stack.update(template) == "UPDATE_COMPLETE", stack.reasons()

        assert not tables.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"]


def test_scaled_capacity_of_a_table_is_listed(cloud: Running) -> None:
    """A table of fixed capacity has none listed, and is none that cannot be read."""
    table = resource(
        "DynamoDB::Table",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 2, "WriteCapacityUnits": 2},
    )
    target = resource(
        "ApplicationAutoScaling::ScalableTarget",
        ServiceNamespace="dynamodb",
        ResourceId={"Fn::Sub": "table/${Table}"},
        ScalableDimension="dynamodb:table:ReadCapacityUnits",
        MinCapacity=2,
        MaxCapacity=10,
    )
    policy = resource(
        "ApplicationAutoScaling::ScalingPolicy",
        PolicyName="reads",
        PolicyType="TargetTrackingScaling",
        ScalingTargetId=ref("Target"),
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 70.0},
    )
    scaling = cloud.client("application-autoscaling")
    with deployed(cloud, {"Resources": {"Table": table, "Target": target, "Policy": policy}}) as stack:
        asked = {"ServiceNamespace": "dynamodb", "ResourceIds": [f"table/{stack.id_of('Table')}"]}
        (found,) = scaling.describe_scalable_targets(**asked)["ScalableTargets"]
        (by,) = scaling.describe_scaling_policies(ServiceNamespace="dynamodb")["ScalingPolicies"]

        assert (found["MinCapacity"], found["MaxCapacity"]) == (2, 10)
        assert by["ResourceId"] == found["ResourceId"] == asked["ResourceIds"][0]
    assert scaling.describe_scalable_targets(**asked)["ScalableTargets"] == []

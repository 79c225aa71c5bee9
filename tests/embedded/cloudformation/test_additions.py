"""Types that MiniStack refuses: the embedded AWS adds them, updates them and takes them out with their stack."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.embedded.cloudformation.template import FULL, changed
from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack, deployed

pytestmark = pytest.mark.embedded


def test_composite_alarm(full: Stack) -> None:
    watch = full.cloud.client("cloudwatch")
    found = watch.describe_alarms(AlarmNames=[full.id_of("Both")], AlarmTypes=["CompositeAlarm"])
    composite = found["CompositeAlarms"][0]

    assert composite["AlarmRule"] == f"ALARM({full.id_of('Math')}) OR ALARM({full.id_of('Quiet')})"
    assert composite["AlarmActions"] == [full.id_of("Topic")]
    tags = watch.list_tags_for_resource(ResourceARN=composite["AlarmArn"])["Tags"]
    assert {"Key": "Project", "Value": "demo"} in tags


def test_budget(full: Stack) -> None:
    budgets, known = (
        full.cloud.client("budgets"),
        {"AccountId": full.cloud.state.account_id, "BudgetName": full.name},
    )
    budget = budgets.describe_budget(**known)["Budget"]
    notification = budgets.describe_notifications_for_budget(**known)["Notifications"][0]

    assert budget["BudgetLimit"] == {"Amount": "200", "Unit": "USD"}
    assert (notification["Threshold"], notification["NotificationType"]) == (80.0, "ACTUAL")


def test_web_acl_association(full: Stack) -> None:
    stage = f"arn:aws:apigateway:us-east-1::/apis/{full.id_of('Api')}/stages/$default"
    found = full.cloud.client("wafv2").get_web_acl_for_resource(ResourceArn=stage)["WebACL"]

    assert found["Id"] in full.id_of("Wall")


def test_monitoring_subscription(full: Stack) -> None:
    found = full.cloud.client("cloudfront").get_monitoring_subscription(
        DistributionId=full.id_of("Distribution")
    )
    config = found["MonitoringSubscription"]["RealtimeMetricsSubscriptionConfig"]

    assert config["RealtimeMetricsSubscriptionStatus"] == "Enabled"


def test_additions_update(restored: Stack) -> None:
    limit = {
        **FULL["Resources"]["Money"]["Properties"]["Budget"],
        "BudgetLimit": {"Amount": 5, "Unit": "USD"},
    }
    status = {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Disabled"}}
    template = changed(
        Money={"Budget": limit}, Both={"AlarmActions": None}, Watched={"MonitoringSubscription": status}
    )
    assert restored.update(template) == "UPDATE_COMPLETE", restored.reasons()
    known = {"AccountId": restored.cloud.state.account_id, "BudgetName": restored.name}
    budget = restored.cloud.client("budgets").describe_budget(**known)["Budget"]
    watch = restored.cloud.client("cloudwatch")
    both = watch.describe_alarms(AlarmNames=[restored.id_of("Both")], AlarmTypes=["CompositeAlarm"])

    assert budget["BudgetLimit"]["Amount"] == "5"
    assert not both["CompositeAlarms"][0].get("AlarmActions")


def test_additions_go_with_their_stack(cloud: Running) -> None:
    wanted = {name: FULL["Resources"][name] for name in ("Money", "Topic", "Key", "Both", "Math", "Quiet")}
    with deployed(cloud, {"Resources": wanted}) as stack:
        name, both = stack.name, stack.id_of("Both")

    with pytest.raises(ClientError, match="NotFoundException"):
        cloud.client("budgets").describe_budget(AccountId=cloud.state.account_id, BudgetName=name)
    found = cloud.client("cloudwatch").describe_alarms(AlarmNames=[both], AlarmTypes=["CompositeAlarm"])
    assert found["CompositeAlarms"] == []

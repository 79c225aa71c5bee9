"""What a template declares of a rule arrives in EventBridge."""

from __future__ import annotations

import pytest

from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import deployed

pytestmark = pytest.mark.embedded


def test_a_rule_of_another_bus_is_named_by_bus_and_name(cloud: Running) -> None:
    events = cloud.client("events")
    bus, rule = unique("bus"), {"EventBusName": {"Ref": "Bus"}, "EventPattern": {"source": ["shop"]}}
    template = {
        "Resources": {
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": bus}},
            "Rule": {"Type": "AWS::Events::Rule", "Properties": rule},
        }
    }
    with deployed(cloud, template) as stack:
        physical_id = stack.id_of("Rule")
        on, name = physical_id.split("|")
        assert on == bus

        rule["Description"] = "another"
        assert stack.update(template) == "UPDATE_COMPLETE", stack.reasons()

        assert stack.id_of("Rule") == physical_id
        assert events.describe_rule(Name=name, EventBusName=bus)["Description"] == "another"
    assert not events.list_rules(NamePrefix=name)["Rules"]

"""verification/embedded/server/cloudformation/logs.py"""

from __future__ import annotations

import pytest

from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import Stack

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]


def test_a_log_group_that_exists_fails_the_stack_and_keeps_its_lines(cloud: Running) -> None:
    client, name = cloud.client("logs"), f"/aws/lambda/{unique('group')}"
    client.create_log_group(logGroupName=name)
    client.create_log_stream(logGroupName=name, logStreamName="before")
    template = {"Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}}}

    with pytest.raises(AssertionError, match="already exists"):
        Stack(cloud, template)

    streams = client.describe_log_streams(logGroupName=name)["logStreams"]
    assert [one["logStreamName"] for one in streams] == ["before"]

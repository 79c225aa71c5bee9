"""verification/embedded/server/cloudformation/messaging.py: a topic's policy."""

from __future__ import annotations

import json

import pytest

from tests.embedded.conftest import Running
from tests.embedded.stacks import deployed

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

TEMPLATE = """
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Other: {Type: AWS::SNS::Topic}
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Other]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: "sns:Publish", Resource: !Ref Other}
Outputs:
  Topic: {Value: !Ref Topic}
  Other: {Value: !Ref Other}
"""


def test_a_topic_without_a_policy_admits_its_own_account_alone(cloud: Running) -> None:
    with deployed(cloud, TEMPLATE) as stack:
        read = cloud.client("sns").get_topic_attributes
        own, other = (
            json.loads(read(TopicArn=stack.outputs[name])["Attributes"]["Policy"])["Statement"]
            for name in ("Topic", "Other")
        )

    account = stack.outputs["Topic"].split(":")[4]
    assert [one["Condition"] for one in own] == [{"StringEquals": {"AWS:SourceOwner": account}}]
    assert [one["Principal"] for one in other] == [{"Service": "events.amazonaws.com"}]

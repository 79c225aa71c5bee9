"""What a template declares of a topic arrives in SNS."""

from __future__ import annotations

import pytest

from tests.embedded.cloudformation.template import changed
from tests.embedded.stacks import Stack

pytestmark = pytest.mark.embedded


def test_topic_settings(full: Stack) -> None:
    found = full.cloud.client("sns").get_topic_attributes(TopicArn=full.id_of("Topic"))["Attributes"]

    assert found["KmsMasterKeyId"].startswith("arn:aws:kms:")
    assert found["DisplayName"] == "Demo"


def test_topic_update(restored: Stack) -> None:
    assert restored.update(changed(Topic={"KmsMasterKeyId": None, "DisplayName": None})) == "UPDATE_COMPLETE"
    found = restored.cloud.client("sns").get_topic_attributes(TopicArn=restored.id_of("Topic"))["Attributes"]

    assert not found.get("KmsMasterKeyId")
    assert not found["DisplayName"]

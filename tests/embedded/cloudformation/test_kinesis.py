"""What a template declares of a stream arrives in Kinesis."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.conftest import Running
from tests.embedded.stacks import deployed

pytestmark = pytest.mark.embedded


def test_a_stream_is_encrypted_as_declared(cloud: Running) -> None:
    stream: dict[str, Any] = {
        "ShardCount": 1,
        "StreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/own"},
    }
    template = {"Resources": {"Stream": {"Type": "AWS::Kinesis::Stream", "Properties": stream}}}
    kinesis = cloud.client("kinesis")
    with deployed(cloud, template) as stack:
        name = stack.id_of("Stream")
        found = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        assert (found["EncryptionType"], found["KeyId"]) == ("KMS", "alias/own")

        del stream["StreamEncryption"]
        assert stack.update(template) == "UPDATE_COMPLETE", stack.reasons()

        found = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        assert found["EncryptionType"] == "NONE"

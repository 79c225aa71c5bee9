"""readiness/aws/stream.py"""

from __future__ import annotations

import pytest

from readiness.aws.stream import Stream
from readiness.errors import Missing


def test_encryption_is_read(env, unique):
    kinesis = env.client("kinesis")
    kinesis.create_stream(StreamName=unique, ShardCount=1)

    assert Stream(env, unique).encryption == "NONE"

    kinesis.start_stream_encryption(StreamName=unique, EncryptionType="KMS", KeyId="alias/aws/kinesis")

    assert Stream(env, unique).encryption == "KMS"


def test_a_stream_that_does_not_exist_is_missing(env):
    with pytest.raises(Missing):
        _ = Stream(env, "never-made").encryption

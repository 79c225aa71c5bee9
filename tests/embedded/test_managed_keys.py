"""verification/embedded/server/managed_keys.py"""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.embedded.conftest import Running, unique

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]


def test_a_key_that_aws_manages_is_described(cloud: Running) -> None:
    client = cloud.client("kms")

    key = client.describe_key(KeyId="alias/aws/sns")["KeyMetadata"]
    policy = json.loads(client.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])

    assert (key["KeyManager"], key["KeyState"]) == ("AWS", "Enabled")
    assert client.describe_key(KeyId="alias/aws/sns")["KeyMetadata"]["KeyId"] == key["KeyId"]
    assert [one for one in policy["Statement"] if "Service" in str(one["Principal"])] == []


def test_a_topic_can_be_encrypted_with_it(cloud: Running) -> None:
    client = cloud.client("sns")
    topic = client.create_topic(Name=unique("topic"), Attributes={"KmsMasterKeyId": "alias/aws/sns"})[
        "TopicArn"
    ]

    assert client.get_topic_attributes(TopicArn=topic)["Attributes"]["KmsMasterKeyId"] == "alias/aws/sns"


@pytest.mark.parametrize("alias", ["alias/aws/nonsense", "alias/mine"])
def test_no_other_alias_has_a_key(cloud: Running, alias: str) -> None:
    with pytest.raises(ClientError, match="NotFoundException"):
        cloud.client("kms").describe_key(KeyId=alias)

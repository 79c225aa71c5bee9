"""verification/embedded/server/managed_policies.py"""

from __future__ import annotations

import json

import pytest

from tests.embedded.conftest import Running, unique

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def test_what_sam_attaches_for_traces_can_be_read(cloud: Running) -> None:
    client = cloud.client("iam")
    arn = "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess"
    name = client.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=json.dumps(TRUST))["Role"][
        "RoleName"
    ]
    client.attach_role_policy(RoleName=name, PolicyArn=arn)

    attached = client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]

    assert attached == [{"PolicyName": "AWSXrayWriteOnlyAccess", "PolicyArn": arn}]
    assert "xray:PutTraceSegments" in document["Statement"][0]["Action"]

"""readiness/aws/quotas.py"""

from __future__ import annotations

import json

import pytest

from readiness.aws.quotas import Quota, Quotas
from readiness.errors import Denied
from tests.probes.server import Reply

_JSON = {"Content-Type": "application/x-amz-json-1.1"}


def quota(value):
    return Reply(200, json.dumps({"Quota": {"Value": value}}).encode(), _JSON)


def test_the_quota_that_applies_is_read(scripted, stub):
    stub.replies(quota(12.0))

    assert Quotas(scripted)._limit("s3", "L-DC2B2D3D") == 12.0


def test_a_quota_that_was_never_applied_has_its_default(scripted, stub):
    unknown = json.dumps({"__type": "NoSuchResourceException", "message": "none"}).encode()
    stub.replies(Reply(400, unknown, _JSON), quota(7.0))

    assert Quotas(scripted)._limit("s3", "L-DC2B2D3D") == 7.0


def test_a_denied_quota_names_the_action(denying):
    with pytest.raises(Denied, match="denied servicequotas:GetServiceQuota"):
        Quotas(denying).all(50)


def test_a_quota_reads_well():
    assert repr(Quota("S3 buckets", 10_000.0, 3)) == "3 of 10000 S3 buckets"

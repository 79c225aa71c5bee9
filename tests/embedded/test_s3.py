"""verification/embedded/server/s3.py"""

from __future__ import annotations

import json

import botocore.exceptions
import pytest

from .conftest import Running, unique


@pytest.fixture(scope="module")
def bucket(cloud: Running) -> str:
    name = unique("status")
    client = cloud.client("s3")
    client.create_bucket(Bucket=name)
    client.delete_public_access_block(Bucket=name)
    return name


def test_a_bucket_without_a_policy_has_no_status(cloud, bucket):
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchBucketPolicy"):
        cloud.client("s3").get_bucket_policy_status(Bucket=bucket)


@pytest.mark.parametrize(
    ("principal", "public"), [("*", True), ({"Service": "cloudfront.amazonaws.com"}, False)]
)
def test_the_status_says_whether_the_policy_is_public(cloud, bucket, principal, public):
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        **(
            {}
            if public
            else {"Condition": {"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::1:distribution/E1"}}}
        ),
    }
    client = cloud.client("s3")
    client.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )

    assert client.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is public


def test_a_listing_stays_a_listing(cloud, bucket):
    assert cloud.client("s3").list_objects(Bucket=bucket)["Name"] == bucket


REPORT = {
    "Schedule": {"Frequency": "Daily"},
    "IsEnabled": True,
    "IncludedObjectVersions": "Current",
    "Id": "all",
}
CONFIGURATIONS = {
    "inventory": {
        **REPORT,
        "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::elsewhere", "Format": "CSV"}},
    },
    "analytics": {"Id": "all", "StorageClassAnalysis": {}},
    "metrics": {"Id": "all"},
    "intelligent_tiering": {
        "Id": "all",
        "Status": "Enabled",
        "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}],
    },
}


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_a_bucket_has_configurations_under_ids(cloud, bucket, kind):
    name = "".join(part.capitalize() for part in kind.split("_"))
    client, sent = cloud.client("s3"), CONFIGURATIONS[kind]
    put, got, listed, deleted = (
        getattr(client, f"{verb}_bucket_{kind}_configuration{'s' if verb == 'list' else ''}")
        for verb in ("put", "get", "list", "delete")
    )

    assert f"{name}ConfigurationList" not in listed(Bucket=bucket)
    put(Bucket=bucket, Id="all", **{f"{name}Configuration": sent})
    assert got(Bucket=bucket, Id="all")[f"{name}Configuration"] == sent
    assert listed(Bucket=bucket)[f"{name}ConfigurationList"] == [sent]
    deleted(Bucket=bucket, Id="all")
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchConfiguration"):
        got(Bucket=bucket, Id="all")


def test_a_bucket_that_is_made_again_has_no_configuration(cloud):
    client, name = cloud.client("s3"), unique("again")
    client.create_bucket(Bucket=name)
    client.put_bucket_metrics_configuration(Bucket=name, Id="all", MetricsConfiguration={"Id": "all"})
    client.delete_bucket(Bucket=name)
    client.create_bucket(Bucket=name)

    assert "MetricsConfigurationList" not in client.list_bucket_metrics_configurations(Bucket=name)

"""What a template declares of a bucket arrives in S3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.cloudformation.template import changed, resource
from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack, deployed

pytestmark = pytest.mark.embedded


def test_bucket_lifecycle(full: Stack) -> None:
    rules = full.cloud.client("s3").get_bucket_lifecycle_configuration(Bucket=full.id_of("Bucket"))["Rules"]
    found = {rule["ID"]: rule for rule in rules}

    assert found["expire"]["Status"] == "Enabled"
    assert found["expire"]["Filter"] == {"Prefix": "images/"}
    assert found["expire"]["Expiration"] == {"Days": 30}
    assert found["tidy"]["Status"] == "Disabled"
    assert found["tidy"]["Filter"]["And"]["Prefix"] == "a/"
    assert found["tidy"]["Filter"]["And"]["Tags"] == [{"Key": "k", "Value": "v"}]
    assert found["tidy"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 3}
    assert found["tidy"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert found["tidy"]["Transitions"] == [{"Days": 31, "StorageClass": "STANDARD_IA"}]


def test_bucket_settings(full: Stack) -> None:
    objects, bucket = full.cloud.client("s3"), full.id_of("Bucket")
    encryption = objects.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    ownership = objects.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    logging = objects.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]
    tags = {tag["Key"]: tag["Value"] for tag in objects.get_bucket_tagging(Bucket=bucket)["TagSet"]}

    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert encryption["BucketKeyEnabled"] is True
    assert ownership == {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    assert logging == {"TargetBucket": full.id_of("LogBucket"), "TargetPrefix": "s3/"}
    assert tags["Project"] == "demo"
    assert objects.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_bucket_update(restored: Stack) -> None:
    rule = {"Id": "expire", "Status": "Disabled", "ExpirationInDays": 5}
    changes = {
        "LifecycleConfiguration": {"Rules": [rule]},
        "BucketEncryption": None,
        "LoggingConfiguration": None,
        "VersioningConfiguration": {"Status": "Suspended"},
        "Tags": [{"Key": "Other", "Value": "x"}],
    }
    assert restored.update(changed(Bucket=changes)) == "UPDATE_COMPLETE", restored.reasons()
    objects, bucket = restored.cloud.client("s3"), restored.id_of("Bucket")
    rules = objects.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    encryption = objects.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    tags = {tag["Key"] for tag in objects.get_bucket_tagging(Bucket=bucket)["TagSet"]}

    assert [(one["ID"], one["Status"], one["Expiration"]) for one in rules] == [
        ("expire", "Disabled", {"Days": 5})
    ]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert "LoggingEnabled" not in objects.get_bucket_logging(Bucket=bucket)
    assert objects.get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"
    assert "Other" in tags
    assert "Project" not in tags


def test_bucket_without_its_rules_has_none(restored: Stack) -> None:
    assert restored.update(changed(Bucket={"LifecycleConfiguration": None})) == "UPDATE_COMPLETE"

    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        restored.cloud.client("s3").get_bucket_lifecycle_configuration(Bucket=restored.id_of("Bucket"))


def test_bucket_with_objects_is_not_deleted(cloud: Running) -> None:
    stack = Stack(cloud, {"Resources": {"Bucket": resource("S3::Bucket")}})
    bucket = stack.id_of("Bucket")
    cloud.client("s3").put_object(Bucket=bucket, Key="kept", Body=b"x")

    assert stack.delete() == "DELETE_FAILED"
    assert any("not empty" in reason for reason in stack.reasons())
    cloud.client("s3").delete_object(Bucket=bucket, Key="kept")
    assert stack.delete() == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("properties", "missing"),
    [
        ({"OwnershipControls": {"Rules": [{}]}}, "ObjectOwnership"),
        ({"LifecycleConfiguration": {"Rules": [{"Id": "old", "ExpirationInDays": 1}]}}, "Status"),
    ],
)
def test_a_stack_with_a_bucket_without_what_s3_requires_fails(
    cloud: Running, properties: dict[str, Any], missing: str
) -> None:
    with deployed(cloud, {"Resources": {"Bucket": resource("S3::Bucket")}}) as stack:
        changed = {"Resources": {"Bucket": resource("S3::Bucket", **properties)}}

        assert stack.update(changed) == "UPDATE_ROLLBACK_COMPLETE"
        assert "MalformedXML" in stack.reasons()[0]
        assert missing in stack.reasons()[0]

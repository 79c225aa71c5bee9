"""S3: buckets and their policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verification.embedded.fidelity.live import Live, Read, Type, member, tag_list


def _bucket(operation: str, *path: str) -> Read:
    return member(lambda live: live.ask("s3", operation, Bucket=live.id), *path)


def _bucket_encryption(live: Live) -> dict[str, Any]:
    answer = live.ask("s3", "get_bucket_encryption", Bucket=live.id)
    rules = (answer.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or []
    return {
        "ServerSideEncryptionConfiguration": [
            {
                "ServerSideEncryptionByDefault": rule.get("ApplyServerSideEncryptionByDefault"),
                "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
            }
            for rule in rules
        ]
    }


def _lifecycle(live: Live) -> dict[str, Any]:
    rules = live.ask("s3", "get_bucket_lifecycle_configuration", Bucket=live.id).get("Rules") or []
    return {"Rules": [_lifecycle_rule(rule) for rule in rules]}


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    conditions = rule.get("Filter") or {}
    conditions = conditions.get("And") or conditions
    expiration = rule.get("Expiration") or {}
    noncurrent = rule.get("NoncurrentVersionExpiration") or {}
    single = [conditions["Tag"]] if conditions.get("Tag") else []
    return {
        "Id": rule.get("ID"),
        "Status": rule.get("Status"),
        "Prefix": conditions.get("Prefix", rule.get("Prefix")),
        "TagFilters": conditions.get("Tags") or single,
        "ObjectSizeGreaterThan": conditions.get("ObjectSizeGreaterThan"),
        "ObjectSizeLessThan": conditions.get("ObjectSizeLessThan"),
        "ExpirationInDays": expiration.get("Days"),
        "ExpirationDate": expiration.get("Date"),
        "ExpiredObjectDeleteMarker": expiration.get("ExpiredObjectDeleteMarker"),
        "NoncurrentVersionExpiration": noncurrent,
        "NoncurrentVersionExpirationInDays": noncurrent.get("NoncurrentDays"),
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
        "Transitions": [
            {"StorageClass": one.get("StorageClass"), "TransitionInDays": one.get("Days")}
            for one in rule.get("Transitions") or []
        ],
        "NoncurrentVersionTransitions": [
            {
                "StorageClass": one.get("StorageClass"),
                "TransitionInDays": one.get("NoncurrentDays"),
                "NewerNoncurrentVersions": one.get("NewerNoncurrentVersions"),
            }
            for one in rule.get("NoncurrentVersionTransitions") or []
        ],
    }


def _bucket_logging(live: Live) -> dict[str, Any]:
    found = live.ask("s3", "get_bucket_logging", Bucket=live.id).get("LoggingEnabled") or {}
    return {"DestinationBucketName": found.get("TargetBucket"), "LogFilePrefix": found.get("TargetPrefix")}


def _bucket_cors(live: Live) -> dict[str, Any]:
    rules = live.ask("s3", "get_bucket_cors", Bucket=live.id).get("CORSRules") or []
    renamed = {"ID": "Id", "ExposeHeaders": "ExposedHeaders", "MaxAgeSeconds": "MaxAge"}
    return {"CorsRules": [{renamed.get(key, key): value for key, value in rule.items()} for rule in rules]}


TYPES: dict[str, Type] = {
    "AWS::S3::Bucket": Type(
        {
            "BucketName": lambda live: live.id,
            "BucketEncryption": _bucket_encryption,
            "LifecycleConfiguration": _lifecycle,
            "LoggingConfiguration": _bucket_logging,
            "CorsConfiguration": _bucket_cors,
            "OwnershipControls": _bucket("get_bucket_ownership_controls", "OwnershipControls"),
            "PublicAccessBlockConfiguration": _bucket(
                "get_public_access_block", "PublicAccessBlockConfiguration"
            ),
            "VersioningConfiguration": lambda live: {
                "Status": live.ask("s3", "get_bucket_versioning", Bucket=live.id).get("Status", "Suspended")
            },
            "AccelerateConfiguration": lambda live: {
                "AccelerationStatus": live.ask(
                    "s3", "get_bucket_accelerate_configuration", Bucket=live.id
                ).get("Status")
            },
            "Tags": lambda live: tag_list(live.ask("s3", "get_bucket_tagging", Bucket=live.id).get("TagSet")),
        },
        {
            "Arn": lambda live: f"arn:aws:s3:::{live.id}",
            "DomainName": lambda live: f"{live.id}.s3.amazonaws.com",
            "RegionalDomainName": lambda live: f"{live.id}.s3.{live.aws.region}.amazonaws.com",
        },
    ),
    "AWS::S3::BucketPolicy": Type(
        {
            "Bucket": lambda live: (
                live.declared["Bucket"]
                if live.ask("s3", "get_bucket_policy", Bucket=live.declared["Bucket"])
                else None
            ),
            "PolicyDocument": lambda live: live.ask(
                "s3", "get_bucket_policy", Bucket=live.declared["Bucket"]
            ).get("Policy"),
        }
    ),
}

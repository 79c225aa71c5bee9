"""Overlay of AWS::S3::Bucket: the properties that MiniStack drops, and the deletion that AWS refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.serialize import create_serializer
from botocore.session import get_session
from ministack.services import s3
from ministack.services.cloudformation import provisioners

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Attributes, Properties

require(
    s3,
    "_bucket_accelerate_config",
    "_bucket_has_versions",
    "_bucket_logging_config",
    "_bucket_tags",
    "_bucket_versioning",
    "_buckets",
    "_delete_bucket_encryption",
    "_delete_bucket_lifecycle",
    "_delete_bucket_ownership_controls",
    "_put_bucket_accelerate",
    "_put_bucket_acl",
    "_put_bucket_encryption",
    "_put_bucket_lifecycle",
    "_put_bucket_logging",
    "_put_bucket_ownership_controls",
)

BUCKET = "AWS::S3::Bucket"
CANNED_ACLS = {
    "Private": "private",
    "PublicRead": "public-read",
    "PublicReadWrite": "public-read-write",
    "AuthenticatedRead": "authenticated-read",
    "LogDeliveryWrite": "log-delivery-write",
    "BucketOwnerRead": "bucket-owner-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
    "AwsExecRead": "aws-exec-read",
}


@dataclass(frozen=True)
class Configuration:
    """One property of a bucket that S3 takes as a document of its own."""

    operation: str
    member: str
    convert: Callable[[Mapping[str, Any]], dict[str, Any]]
    put: Callable[[str, bytes], tuple[int, Any, Any]]
    delete: Callable[[str], object]


def install() -> None:
    """Lay the overlay over MiniStack."""
    # MiniStack hands a stack's tags to most types, and not to these two.
    for type_ in (BUCKET, "AWS::Events::Rule"):
        provisioners._STACK_TAG_PROPERTY.setdefault(type_, ("Tags", "list"))
    hooks.after(BUCKET, settle)
    hooks.before_delete(BUCKET, refuse_unless_empty)


def settle(physical_id: str, new: Properties, old: Properties, _attributes: Attributes) -> None:
    """Apply what MiniStack leaves out."""
    for name, configuration in CONFIGURATIONS.items():
        if new.get(name):
            document = serialize(configuration, new[name])
            hooks.accepted(configuration.put(physical_id, document), BUCKET)
        elif old.get(name):
            configuration.delete(physical_id)
    if "AccessControl" in new:
        acl = {"x-amz-acl": CANNED_ACLS[new["AccessControl"]]}
        hooks.accepted(s3._put_bucket_acl(physical_id, b"", acl), BUCKET)
    if new.get("Tags") or old.get("Tags"):
        kept = dict(s3._bucket_tags.get(physical_id) or {})
        for key in hooks.tag_map(old.get("Tags")):
            kept.pop(key, None)
        s3._bucket_tags[physical_id] = {**kept, **hooks.tag_map(new.get("Tags"))}
    versioning = (new.get("VersioningConfiguration") or {}).get("Status")
    if versioning == "Suspended" or (old.get("VersioningConfiguration") and versioning is None):
        s3._bucket_versioning[physical_id] = "Suspended"


def refuse_unless_empty(physical_id: str, _properties: Properties) -> None:
    """Fail the deletion of a bucket that still holds objects or versions, as S3 does."""
    bucket = s3._buckets.get(physical_id)
    if bucket is not None and (bucket["objects"] or s3._bucket_has_versions(physical_id)):
        raise ValueError(
            "The bucket you tried to delete is not empty (Service: S3, Status Code: 409, BucketNotEmpty)"
        )
    # MiniStack leaves these behind, to be inherited by the next bucket of the name.
    s3._bucket_logging_config.pop(physical_id, None)
    s3._bucket_accelerate_config.pop(physical_id, None)


def serialize(configuration: Configuration, declared: Mapping[str, Any]) -> bytes:
    """Return the XML of a put request's body, written by botocore from S3's own model.

    Raises:
        ValueError: a member that S3 requires is missing.
    """
    model = get_session().get_service_model("s3").operation_model(configuration.operation)
    parameters = {"Bucket": "bucket", configuration.member: configuration.convert(declared)}
    try:
        request = create_serializer("rest-xml").serialize_to_request(parameters, model)
    except ParamValidationError as problem:
        raise ValueError(
            f"The XML you provided was not well-formed or did not validate against our published schema: {problem} "
            "(Service: S3, Status Code: 400, MalformedXML)"
        ) from problem
    body: bytes = request["body"]
    return body


def encryption(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return BucketEncryption in S3's shape."""
    rules = []
    for rule in declared.get("ServerSideEncryptionConfiguration") or []:
        default = rule.get("ServerSideEncryptionByDefault") or {}
        made: dict[str, Any] = {"BucketKeyEnabled": hooks.as_bool(rule.get("BucketKeyEnabled", False))}
        if default:
            made["ApplyServerSideEncryptionByDefault"] = default
        rules.append(made)
    return {"Rules": rules}


def lifecycle(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return LifecycleConfiguration in S3's shape."""
    return {"Rules": [lifecycle_rule(rule) for rule in declared.get("Rules") or []]}


def refuse_no_days(rule: Mapping[str, Any]) -> None:
    """Refuse what is to end after no days at all, as S3 does.

    Raises:
        ValueError: A number of days is less than one.
    """
    days = {
        "'DaysAfterInitiation' for AbortIncompleteMultipartUpload": (
            rule.get("AbortIncompleteMultipartUpload") or {}
        ).get("DaysAfterInitiation"),
        "'Days' for Expiration": rule.get("ExpirationInDays"),
        "'NoncurrentDays' for NoncurrentVersionExpiration": (
            rule.get("NoncurrentVersionExpiration") or {}
        ).get("NoncurrentDays", rule.get("NoncurrentVersionExpirationInDays")),
    }
    for name, value in days.items():
        if value is not None and int(value) < 1:
            raise ValueError(f"{BUCKET}: {name} action must be a positive integer (InvalidArgument)")


def lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return one lifecycle rule in S3's shape."""
    refuse_no_days(rule)
    made = _present({"Status": rule.get("Status"), "Filter": lifecycle_filter(rule)})
    if rule.get("Id"):
        made["ID"] = rule["Id"]
    expiration = {
        "Days": _integer(rule.get("ExpirationInDays")),
        "Date": rule.get("ExpirationDate"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    made["Expiration"] = _present(expiration)
    noncurrent = dict(rule.get("NoncurrentVersionExpiration") or {})
    if rule.get("NoncurrentVersionExpirationInDays"):
        noncurrent["NoncurrentDays"] = rule["NoncurrentVersionExpirationInDays"]
    made["NoncurrentVersionExpiration"] = {key: int(value) for key, value in noncurrent.items()}
    transitions = [
        *(rule.get("Transitions") or []),
        *([rule["Transition"]] if rule.get("Transition") else []),
    ]
    made["Transitions"] = [
        _present(
            {
                "Days": _integer(one.get("TransitionInDays")),
                "Date": one.get("TransitionDate"),
                "StorageClass": one["StorageClass"],
            }
        )
        for one in transitions
    ]
    made["NoncurrentVersionTransitions"] = [
        _present(
            {
                "NoncurrentDays": _integer(one.get("TransitionInDays")),
                "NewerNoncurrentVersions": _integer(one.get("NewerNoncurrentVersions")),
                "StorageClass": one["StorageClass"],
            }
        )
        for one in rule.get("NoncurrentVersionTransitions") or []
    ]
    abort = rule.get("AbortIncompleteMultipartUpload")
    if abort:
        made["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": int(abort["DaysAfterInitiation"])}
    return {key: value for key, value in made.items() if value or key == "Filter"}


def lifecycle_filter(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filter of a lifecycle rule; more than one condition go into `And`."""
    conditions = _present(
        {
            "Prefix": rule.get("Prefix"),
            "ObjectSizeGreaterThan": _integer(rule.get("ObjectSizeGreaterThan")),
            "ObjectSizeLessThan": _integer(rule.get("ObjectSizeLessThan")),
        }
    )
    tags = list(rule.get("TagFilters") or [])
    if len(conditions) + len(tags) > 1:
        return {"And": {**conditions, **({"Tags": tags} if tags else {})}}
    if tags:
        return {"Tag": tags[0]}
    return conditions or {"Prefix": ""}


def ownership(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return OwnershipControls in S3's shape."""
    return {"Rules": list(declared.get("Rules") or [])}


def logging(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return LoggingConfiguration in S3's shape."""
    target = declared.get("DestinationBucketName")
    if not target:
        return {}
    return {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": declared.get("LogFilePrefix", "")}}


def acceleration(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return AccelerateConfiguration in S3's shape."""
    return {"Status": declared["AccelerationStatus"]}


def _integer(value: object) -> int | None:
    return None if value is None else int(str(value))


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value is not None}


CONFIGURATIONS = {
    "BucketEncryption": Configuration(
        "PutBucketEncryption",
        "ServerSideEncryptionConfiguration",
        encryption,
        s3._put_bucket_encryption,
        s3._delete_bucket_encryption,
    ),
    "LifecycleConfiguration": Configuration(
        "PutBucketLifecycleConfiguration",
        "LifecycleConfiguration",
        lifecycle,
        s3._put_bucket_lifecycle,
        s3._delete_bucket_lifecycle,
    ),
    "OwnershipControls": Configuration(
        "PutBucketOwnershipControls",
        "OwnershipControls",
        ownership,
        s3._put_bucket_ownership_controls,
        s3._delete_bucket_ownership_controls,
    ),
    "LoggingConfiguration": Configuration(
        "PutBucketLogging",
        "BucketLoggingStatus",
        logging,
        s3._put_bucket_logging,
        lambda name: s3._bucket_logging_config.pop(name, None),
    ),
    "AccelerateConfiguration": Configuration(
        "PutBucketAccelerateConfiguration",
        "AccelerateConfiguration",
        acceleration,
        s3._put_bucket_accelerate,
        lambda name: s3._bucket_accelerate_config.pop(name, None),
    ),
}

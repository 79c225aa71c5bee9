"""AWS::S3::Bucket."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import botocore
import botocore.exceptions

from readiness.aws.policy import statements_of
from readiness.environment import Environment
from readiness.errors import Missing, Unverified
from readiness.interruptions import held_back

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
_MD5_DIGITS = 32  # an ETag of an object in parts has a hyphen and their number behind them


@dataclass(frozen=True)
class LifecycleRule:
    """One lifecycle rule.

    `expiration` is None when the rule expires nothing by age; `partial` when tags or sizes pick some objects; `archives` when it
    moves objects to a storage class from which S3 does not serve them (S3 User Guide, "Understanding and managing storage
    classes"). `aborts_uploads` and `drops_versions` say whether it ends uploads that were never completed, and old versions.
    """

    enabled: bool
    prefix: str
    expiration: timedelta | None
    partial: bool = False
    aborts_uploads: bool = False
    drops_versions: bool = False
    archives: bool = False


@dataclass(frozen=True)
class Grant:
    """A grant of an access control list. The grantee is a canonical user id or the URI of a group."""

    grantee: str
    permission: str


@dataclass(frozen=True)
class StoredObject:
    """One object as S3 lists it; writing it again changes at least `modified`, to the second."""

    key: str
    etag: str
    modified: datetime


@dataclass(frozen=True)
class Head:
    """What S3 says of one object. `md5` is '' where S3 tells none: it was stored in parts, or under a KMS key."""

    content_type: str
    cache_control: str
    md5: str


@dataclass(frozen=True)
class Bucket:
    """A live bucket."""

    env: Environment = field(repr=False)
    name: str

    @property
    def _client(self) -> S3Client:
        return self.env.client("s3")

    def _read(self, operation: Callable[..., Mapping[str, Any]], absent: str) -> Mapping[str, Any] | None:
        """One sub-resource, None when S3 says that the bucket has none (error code `absent`)."""
        try:
            return dict(operation(Bucket=self.name))
        except botocore.exceptions.ClientError as problem:
            if problem.response["Error"]["Code"] == absent:
                return None
            raise

    @cached_property
    def public_access_block(self) -> Mapping[str, bool]:
        """The four blocks by AWS's names; a bucket without a configuration blocks nothing."""
        answer = self._read(self._client.get_public_access_block, "NoSuchPublicAccessBlockConfiguration")
        blocks = answer["PublicAccessBlockConfiguration"] if answer else {}
        names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        return {name: bool(blocks.get(name)) for name in names}

    @cached_property
    def policy_statements(self) -> Sequence[Mapping[str, Any]]:
        answer = self._read(self._client.get_bucket_policy, "NoSuchBucketPolicy")
        return statements_of(answer["Policy"] if answer else None)

    @cached_property
    def policy_is_public(self) -> bool:
        """AWS's own judgement of the policy."""
        answer = self._read(self._client.get_bucket_policy_status, "NoSuchBucketPolicy")
        return bool(answer and answer["PolicyStatus"]["IsPublic"])

    @cached_property
    def _access_list(self) -> Mapping[str, Any]:
        return dict(self._client.get_bucket_acl(Bucket=self.name))

    @property
    def owner(self) -> str:
        """The canonical user id of the bucket's account."""
        return str(self._access_list["Owner"]["ID"])

    @property
    def grants(self) -> Sequence[Grant]:
        """What the access control list grants to others than the owner."""
        return [
            Grant(entry["Grantee"].get("ID") or entry["Grantee"].get("URI", "?"), entry["Permission"])
            for entry in self._access_list["Grants"]
            if entry["Grantee"].get("ID") != self.owner
        ]

    @cached_property
    def takes_access_lists(self) -> bool:
        """Whether access control lists count in it; a bucket without ownership controls is older than they are, and takes them."""
        answer = self._read(self._client.get_bucket_ownership_controls, "OwnershipControlsNotFoundError")
        rules = answer["OwnershipControls"]["Rules"] if answer else []
        return all(rule["ObjectOwnership"] != "BucketOwnerEnforced" for rule in rules)

    @cached_property
    def log_bucket_name(self) -> str:
        """Where S3 writes this bucket's access logs, '' for nowhere."""
        answer = self._client.get_bucket_logging(Bucket=self.name)
        return str(answer.get("LoggingEnabled", {}).get("TargetBucket", ""))

    @cached_property
    def _encryption(self) -> Sequence[Mapping[str, str]]:
        answer = self._read(
            self._client.get_bucket_encryption, "ServerSideEncryptionConfigurationNotFoundError"
        )
        rules = answer["ServerSideEncryptionConfiguration"]["Rules"] if answer else []
        return [rule["ApplyServerSideEncryptionByDefault"] for rule in rules]

    @property
    def encryption_algorithms(self) -> Sequence[str]:
        """Default encryption, empty when there is none."""
        return [rule["SSEAlgorithm"] for rule in self._encryption]

    @property
    def kms_key_id(self) -> str:
        """The KMS key that encrypts new objects by default, '' for S3's own keys."""
        rules = (rule for rule in self._encryption if rule["SSEAlgorithm"].startswith("aws:kms"))
        # Source: Amazon S3 API Reference, "ServerSideEncryptionByDefault": without an id, AWS's own key is used.
        return next((rule.get("KMSMasterKeyID", "alias/aws/s3") for rule in rules), "")

    @cached_property
    def lifecycle_rules(self) -> Sequence[LifecycleRule]:
        answer = self._read(self._client.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration")
        return [
            LifecycleRule(
                enabled=rule["Status"] == "Enabled",
                prefix=_prefix(rule),
                partial=bool(
                    {**rule.get("Filter", {}), **rule.get("Filter", {}).get("And", {})}.keys()
                    - {"Prefix", "And"}
                ),
                expiration=timedelta(days=rule["Expiration"]["Days"])
                if rule.get("Expiration", {}).get("Days")
                else None,
                aborts_uploads="AbortIncompleteMultipartUpload" in rule,
                archives=any(one["StorageClass"] in _ARCHIVES for one in rule.get("Transitions", [])),
                drops_versions="NoncurrentVersionExpiration" in rule,
            )
            for rule in (answer["Rules"] if answer else [])
        ]

    @cached_property
    def versioning(self) -> str:
        """`Enabled`, `Suspended`, or '' for a bucket that never had any."""
        return str(self._client.get_bucket_versioning(Bucket=self.name).get("Status", ""))

    @property
    def live_name(self) -> str:
        """The name, once S3 has confirmed that the bucket exists and is ours.

        Raises:
            Missing: there is no such bucket.
        """
        try:
            self._client.head_bucket(Bucket=self.name)
        except botocore.exceptions.ClientError as problem:
            if problem.response["Error"]["Code"] == "404":  # HEAD has no body that could name the error
                raise Missing(
                    f"{self!r} does not exist; deploy the stack again",
                    cause=f"bucket '{self.name}' does not exist",
                ) from problem
            raise
        return self.name

    def keys(self, prefix: str, after: str = "") -> Sequence[str]:
        """Keys with this prefix that sort after `after`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix, StartAfter=after
        )
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    @property
    def any_key(self) -> str:
        """The key of something that is stored, '' when nothing is."""
        answer = self._client.list_objects_v2(Bucket=self.name, MaxKeys=1)
        return next((str(entry["Key"]) for entry in answer.get("Contents", [])), "")

    @contextmanager
    def temporary_object(self, key: str, body: bytes) -> Iterator[None]:
        """An object that is gone again afterwards."""
        self._client.put_object(Bucket=self.name, Key=key, Body=body)
        try:
            yield
        finally:
            self._client.delete_object(Bucket=self.name, Key=key)

    @contextmanager
    def temporary_copies(self, original: str, prefix: str, count: int) -> Iterator[Sequence[str]]:
        """Copy an object to new keys. At the end, delete every object under the prefix, also those of killed runs."""
        keys = [f"{prefix}{uuid.uuid4()}{PurePosixPath(original).suffix}" for _ in range(count)]
        try:
            for key in keys:
                self._client.copy_object(
                    Bucket=self.name, Key=key, CopySource={"Bucket": self.name, "Key": original}
                )
            yield keys
        finally:
            with held_back():
                for key in self.keys(prefix):
                    self._client.delete_object(Bucket=self.name, Key=key)

    def objects(self, prefix: str, *, after: str = "", most: int | None = None) -> Sequence[StoredObject]:
        """What is stored under a prefix now, in the order of the keys: those that sort after `after`, `most` of them."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name,
            Prefix=prefix,
            StartAfter=after,
            PaginationConfig={} if most is None else {"MaxItems": most},
        )
        return [
            StoredObject(entry["Key"], entry["ETag"], entry["LastModified"])
            for page in pages
            for entry in page.get("Contents", [])
        ]

    def object_bytes(self, key: str) -> bytes:
        """Return the stored content of an object.

        Raises:
            Missing: the bucket has no object with this key.
        """
        return bytes(self._client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def content_type(self, key: str) -> str:
        """The media type that an object is stored with."""
        return self.head(key).content_type

    def head(self, key: str) -> Head:
        """How an object is stored, without its content."""
        answer = self._client.head_object(Bucket=self.name, Key=key)
        tag = answer.get("ETag", "").strip('"')
        has_md5 = len(tag) == _MD5_DIGITS and not answer.get("ServerSideEncryption", "").startswith("aws:kms")
        return Head(answer.get("ContentType", ""), answer.get("CacheControl", ""), tag if has_md5 else "")

    def anonymous(self, operation: str, **arguments: str) -> int:
        """Return the HTTP status that S3 answers to a request without credentials, for example to `get_object`."""
        return self._status(operation, arguments, config={"signature_version": botocore.UNSIGNED})

    def over_plain_http(self, operation: str, **arguments: str) -> int:
        """The HTTP status that S3 gives the verifier's own credentials without TLS."""
        return self._status(operation, arguments, plain=True)

    def _status(
        self,
        operation: str,
        arguments: Mapping[str, str],
        *,
        config: dict[str, Any] | None = None,
        plain: bool = False,
    ) -> int:
        endpoint = self._client.meta.endpoint_url.replace("https://", "http://", 1) if plain else None
        client = self.env.bare_client(
            "s3", read_timeout=10, attempts=2, endpoint_url=endpoint, **(config or {})
        )
        try:
            answer = getattr(client, operation)(Bucket=self.name, **arguments)
        except botocore.exceptions.ClientError as problem:
            return int(problem.response["ResponseMetadata"]["HTTPStatusCode"])
        except botocore.exceptions.BotoCoreError as problem:
            raise Unverified(f"S3 did not answer {operation}: {problem}") from problem
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def _prefix(rule: Mapping[str, Any]) -> str:
    where = rule.get("Filter", {})
    return str(where.get("Prefix") or where.get("And", {}).get("Prefix") or rule.get("Prefix") or "")

"""Overlay: the keys of KMS that AWS manages, such as `alias/aws/sns`, which MiniStack lacks.

AWS creates such a key when a service first encrypts with it, or when its alias is described. Its policy cannot be changed. It lets
principals of the account use the key through the service alone. Source: KMS Developer Guide, "AWS managed keys"; KMS API
Reference, DescribeKey.
"""

from __future__ import annotations

import json
from typing import Any, Final

from ministack.core.responses import get_account_id, get_region
from ministack.services import kms

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(kms, "_alias_arn", "_aliases", "_create_key", "_key_metadata", "_keys", "_resolve_key")

SERVICES: Final = (
    "dynamodb",
    "ebs",
    "elasticfilesystem",
    "kinesis",
    "lambda",
    "rds",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
)
_PREFIX: Final = "alias/aws/"
_MANAGED: Final = "_managed_by_aws"


def install(_context: Context) -> None:
    """Create a managed key when its alias is resolved."""
    resolve, describe = kms._resolve_key, kms._key_metadata

    def resolve_key(key_id_or_arn: str) -> Any:
        found = resolve(key_id_or_arn)
        _, prefix, service = (key_id_or_arn or "").partition(_PREFIX)
        if found is None and prefix and service in SERVICES:
            found = _create(service)
        return found

    def key_metadata(record: dict[str, Any]) -> dict[str, Any]:
        metadata: dict[str, Any] = describe(record)
        return {**metadata, "KeyManager": "AWS"} if record.get(_MANAGED) else metadata

    kms._resolve_key, kms._key_metadata = resolve_key, key_metadata


def _create(service: str) -> Any:
    account = get_account_id()
    through = {"kms:CallerAccount": account, "kms:ViaService": f"{service}.{get_region()}.amazonaws.com"}
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"],
            "Resource": "*",
            "Condition": {"StringEquals": through},
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
            "Resource": "*",
        },
    ]
    answer = kms._create_key(
        {
            "Description": f"Default key that protects my {service} data when no other key is defined",
            "Policy": json.dumps({"Version": "2012-10-17", "Statement": statements}),
            "BypassPolicyLockoutSafetyCheck": True,
        }
    )
    record = kms._keys[json.loads(answer[2])["KeyMetadata"]["KeyId"]]
    record[_MANAGED] = True
    kms._aliases[kms._alias_arn(f"{_PREFIX}{service}")] = record["KeyId"]
    return record

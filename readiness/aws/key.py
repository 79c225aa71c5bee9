"""AWS::KMS::Key. Nothing is encrypted or decrypted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from readiness.aws.policy import statements_of
from readiness.environment import Environment


@dataclass(frozen=True)
class Key:
    """A live key, by its description alone. `id` may be an ARN, or the name of an alias."""

    env: Environment = field(repr=False)
    id: str

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self.env.client("kms").describe_key(KeyId=self.id)["KeyMetadata"])

    @property
    def arn(self) -> str:
        return str(self.description["Arn"])

    @property
    def state(self) -> str:
        """`Enabled`, `Disabled`, `PendingDeletion`, and others."""
        return str(self.description["KeyState"])

    @property
    def is_of_aws(self) -> bool:
        """Whether AWS created the key for one of its services. The account cannot change the policy of such a key."""
        return str(self.description.get("KeyManager", "CUSTOMER")) == "AWS"

    @property
    def can_rotate(self) -> bool:
        """Whether KMS rotates keys of this kind by itself: symmetric ones whose material it made."""
        spec = self.description.get("KeySpec") or self.description.get("CustomerMasterKeySpec")
        return spec == "SYMMETRIC_DEFAULT" and self.description.get("Origin", "AWS_KMS") == "AWS_KMS"

    @cached_property
    def rotates(self) -> bool:
        return bool(self.env.client("kms").get_key_rotation_status(KeyId=self.id)["KeyRotationEnabled"])

    @cached_property
    def policy_statements(self) -> Sequence[Mapping[str, Any]]:
        """Of the key's own policy."""
        id_ = self.description["KeyId"]  # an alias is not taken here
        answer = self.env.client("kms").get_key_policy(KeyId=id_, PolicyName="default")
        return statements_of(answer["Policy"])

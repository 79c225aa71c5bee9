"""AWS::SecretsManager::Secret. Its value is never read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from readiness.aws.policy import statements_of
from readiness.environment import Environment


@dataclass(frozen=True)
class Secret:
    """A live secret, by its description alone."""

    env: Environment = field(repr=False)
    arn: str

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self.env.client("secretsmanager").describe_secret(SecretId=self.arn))

    @property
    def has_current_version(self) -> bool:
        """Whether there is a value that GetSecretValue would give."""
        stages = self.description.get("VersionIdsToStages", {}).values()
        return any("AWSCURRENT" in stage for stage in stages)

    @property
    def deletion_scheduled(self) -> bool:
        return "DeletedDate" in self.description

    @cached_property
    def policy_statements(self) -> Sequence[Mapping[str, Any]]:
        """Of the secret's own policy, none without one."""
        answer = self.env.client("secretsmanager").get_resource_policy(SecretId=self.arn)
        return statements_of(answer.get("ResourcePolicy"))

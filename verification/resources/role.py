"""AWS::IAM::Role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from verification.environment import Environment
from verification.resources.policy import statements_of


@dataclass(frozen=True)
class Role:
    """A live role with everything that is granted to it."""

    env: Environment = field(repr=False)
    name: str

    @property
    def _client(self) -> Any:
        return self.env.client("iam")

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self._client.get_role(RoleName=self.name)["Role"])

    @property
    def arn(self) -> str:
        return str(self.description["Arn"])

    @property
    def trusted(self) -> Sequence[Mapping[str, Any]]:
        """Who may take the role on, as statements."""
        return statements_of(self.description["AssumeRolePolicyDocument"])

    @cached_property
    def statements(self) -> Sequence[Mapping[str, Any]]:
        """Every statement of every policy, inline or attached."""
        documents = []
        for page in self._client.get_paginator("list_role_policies").paginate(RoleName=self.name):
            for name in page["PolicyNames"]:
                answer = self._client.get_role_policy(RoleName=self.name, PolicyName=name)
                documents.append(answer["PolicyDocument"])
        for page in self._client.get_paginator("list_attached_role_policies").paginate(RoleName=self.name):
            for policy in page["AttachedPolicies"]:
                version = self._client.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
                answer = self._client.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
                documents.append(answer["PolicyVersion"]["Document"])
        return [statement for document in documents for statement in statements_of(document)]

    def may(self, action: str, resource: str) -> bool:
        """IAM's own judgement of one action on one resource, by this role's policies alone."""
        answer = self._client.simulate_principal_policy(
            PolicySourceArn=self.arn, ActionNames=[action], ResourceArns=[resource]
        )
        (result,) = answer["EvaluationResults"]
        return str(result["EvalDecision"]) == "allowed"

"""AWS::IAM::Role."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import botocore.exceptions

from readiness.aws.policy import statements_of
from readiness.environment import Environment
from readiness.errors import Missing, Unverified

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_OF_AWS = ":iam::aws:policy/"


@dataclass(frozen=True)
class Policy:
    """One policy of a role; `arn` is '' for an inline one."""

    name: str
    statements: Sequence[Mapping[str, Any]] = field(repr=False)
    arn: str = ""

    @property
    def is_of_aws(self) -> bool:
        """Whether AWS manages the policy. The account cannot narrow such a policy."""
        return _OF_AWS in self.arn


@dataclass(frozen=True)
class Role:
    """A live role with everything that is granted to it."""

    env: Environment = field(repr=False)
    name: str

    @property
    def _client(self) -> IAMClient:
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
    def _attached(self) -> Sequence[tuple[str, str]]:
        """Name and ARN of each attached policy."""
        pages = self._client.get_paginator("list_attached_role_policies").paginate(RoleName=self.name)
        return [(one["PolicyName"], one["PolicyArn"]) for page in pages for one in page["AttachedPolicies"]]

    def _managed(self, name: str, arn: str) -> Policy:
        try:
            version = self._client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        except botocore.exceptions.ClientError as problem:
            if problem.response["Error"]["Code"] != "NoSuchEntity":
                raise
            if _OF_AWS in arn:
                raise Unverified(
                    f"expected AWS's policy {arn} of {self!r} to be readable, found none at this endpoint, as at an emulator that lacks "
                    "it; verify the role on AWS",
                    cause=f"AWS's policy {arn} is not known at this endpoint",
                ) from problem
            raise Missing(
                f"{self!r} has policy {arn} attached, which does not exist; attach another one"
            ) from problem
        answer = self._client.get_policy_version(PolicyArn=arn, VersionId=version)
        return Policy(name, statements_of(answer["PolicyVersion"]["Document"]), arn)

    @cached_property
    def _known(self) -> dict[str, Policy]:
        """What was read, by name for an inline policy and by ARN for an attached one."""
        return {}

    def each_policy(self, *, own: bool = False) -> Iterator[Policy]:
        """Every policy, inline or attached, AWS's own last; with `own` without these.

        Raises:
            Unverified: one could not be read. It is raised after the last one, so that those that can be read are judged.
        """
        doubts: list[Unverified] = []
        for name, read in self._reads(own=own):
            if name not in self._known:
                try:
                    self._known[name] = read()
                except Unverified as doubt:
                    doubts.append(doubt)
                    continue
            yield self._known[name]
        if doubts:
            raise doubts[0]

    def _reads(self, *, own: bool) -> Iterator[tuple[str, Callable[[], Policy]]]:
        for page in self._client.get_paginator("list_role_policies").paginate(RoleName=self.name):
            for name in page["PolicyNames"]:
                yield name, partial(self._inline, name)
        for name, arn in sorted(self._attached, key=lambda one: _OF_AWS in one[1]):
            if not (own and _OF_AWS in arn):
                yield arn, partial(self._managed, name, arn)

    def _inline(self, name: str) -> Policy:
        answer = self._client.get_role_policy(RoleName=self.name, PolicyName=name)
        return Policy(name, statements_of(answer["PolicyDocument"]))

    @cached_property
    def own_policies(self) -> Sequence[Policy]:
        """Every policy that is not AWS's own, inline or attached."""
        return list(self.each_policy(own=True))

    @cached_property
    def policies(self) -> Sequence[Policy]:
        """Every policy, inline or attached, AWS's own last."""
        return list(self.each_policy())

    @property
    def statements(self) -> Sequence[Mapping[str, Any]]:
        """Every statement of every policy, inline or attached."""
        return [statement for policy in self.policies for statement in policy.statements]

    def may(self, action: str, resource: str) -> bool:
        """Whether IAM's simulation allows one action on one resource by this role's policies."""
        answer = self._client.simulate_principal_policy(
            PolicySourceArn=self.arn, ActionNames=[action], ResourceArns=[resource]
        )
        (result,) = answer["EvaluationResults"]
        return str(result["EvalDecision"]) == "allowed"

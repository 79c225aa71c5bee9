"""A resource that is read, and the account around it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from botocore.exceptions import ClientError

from readiness.environment import Environment
from readiness.errors import Missing

Document = Mapping[str, Any]
NONE: Final = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchCORSConfiguration",
        "NoSuchLifecycleConfiguration",
        "NoSuchMonitoringSubscription",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchWebsiteConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "OwnershipControlsNotFoundError",
        "PolicyNotFoundException",
        "ProvisionedConcurrencyConfigNotFoundException",
        "ReplicationConfigurationNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
        "WAFNonexistentItemException",
    }
)
"""Codes by which a service says that nothing of the kind is set. Source: each operation's page in its API reference."""


@dataclass(frozen=True)
class Account:
    """The account that a stack is in; what is asked about all of it is asked once.

    Args:
        env: where it is.
        own: physical ids of the stack's resources.
    """

    env: Environment = field(repr=False)
    own: Collection[str] = field(repr=False)

    def ask(self, service: str, method: str, *, region: str | None = None, **parameters: Any) -> Any:
        """A service's whole answer, page by page; {} where it says that nothing of the kind is set.

        Args:
            service: by boto3's name.
            method: of its client.
            region: where, the environment's own by default.
            parameters: of the method.
        """
        client = self.env.client(service, region)
        try:
            if client.can_paginate(method):
                return client.get_paginator(method).paginate(**parameters).build_full_result()
            return getattr(client, method)(**parameters)
        except Missing:  # nothing is set, or the resource is gone, which is drift
            return {}
        except ClientError as problem:
            if problem.response["Error"]["Code"] in NONE:
                return {}
            raise

    @cached_property
    def callers(self) -> Sequence[tuple[str, str]]:
        """Each API that the stack does not have, by its id, with a URI that an integration of it calls."""
        found = []
        for api in self.ask("apigatewayv2", "get_apis").get("Items", []):
            if api["ApiId"] not in self.own:
                items = self.ask("apigatewayv2", "get_integrations", ApiId=api["ApiId"]).get("Items", [])
                found += [(api["ApiId"], one.get("IntegrationUri", "")) for one in items]
        for api in self.ask("apigateway", "get_rest_apis").get("items", []):
            if api["id"] not in self.own:
                answer = self.ask("apigateway", "get_resources", restApiId=api["id"], embed=["methods"])
                found += [
                    (api["id"], method.get("methodIntegration", {}).get("uri", ""))
                    for one in answer.get("items", [])
                    for method in one.get("resourceMethods", {}).values()
                ]
        return found

    def is_declared_elsewhere(self, id_: str) -> bool:
        """Whether another stack of the account has a resource with this physical id."""
        client = self.env.client("cloudformation")
        try:
            found = client.describe_stack_resources(PhysicalResourceId=id_)["StackResources"]
        except ClientError as problem:
            if problem.response["Error"]["Code"] == "ValidationError":  # no stack has it
                return False
            raise
        return any(
            one.get("PhysicalResourceId") == id_
            and one["StackName"] != self.env.stack_name
            and one["StackId"] not in self.own
            for one in found
        )

    @cached_property
    def log_policies(self) -> Sequence[Mapping[str, Any]]:
        """The account's resource policies of CloudWatch Logs."""
        found: Sequence[Mapping[str, Any]] = self.ask("logs", "describe_resource_policies").get(
            "resourcePolicies", []
        )
        return found


@dataclass(frozen=True)
class Subject:
    """One resource that is read.

    Args:
        account: around it.
        type: CloudFormation's.
        id: the physical id.
        arn: empty where its type has none.
        properties: as the template declares them, intrinsic functions carried out.
    """

    account: Account = field(repr=False)
    type: str
    id: str
    arn: str
    properties: Document = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The last part of an id that is an ARN, a URL or `bus|rule`."""
        return self.id.rpartition("/")[2].rpartition(":")[2].rpartition("|")[2]

    @property
    def function(self) -> str:
        """The name of the function that an id is the ARN of, or of an alias or version of which."""
        return self.id.rpartition("function:")[2].partition(":")[0]

    def ask(self, service: str, method: str, *, region: str | None = None, **parameters: Any) -> Any:
        """See Account.ask."""
        return self.account.ask(service, method, region=region, **parameters)

"""Service quotas of the account, with what is used of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import botocore.exceptions

from readiness.environment import Environment

_GIB = 2**30
_GLOBAL = "us-east-1"  # where Service Quotas keeps CloudFront's


@dataclass(frozen=True)
class Quota:
    """One quota, in its own unit."""

    name: str
    limit: float
    used: float

    def __repr__(self) -> str:
        return f"{self.used:g} of {self.limit:g} {self.name}"


@dataclass(frozen=True)
class Quotas:
    """Those that the application can run into. Codes: Service Quotas console, confirmed by AWS's documentation links."""

    env: Environment = field(repr=False)

    def all(self, requests_per_second: float) -> Sequence[Quota]:
        """Each quota with its use; the API's rate is a part of what all APIs of the region share."""
        rate = Quota("API Gateway requests/s", self._limit("apigateway", "L-8A5B8E43"), requests_per_second)
        return [*(read(self) for read in _BY_TYPE.values()), rate]

    def of(self, types: Collection[str]) -> Sequence[Quota]:
        """Those that resources of these CloudFormation types count towards."""
        return [read(self) for type_, read in _BY_TYPE.items() if type_ in types]

    def _buckets(self) -> Quota:
        return Quota(
            "S3 buckets", self._limit("s3", "L-DC2B2D3D"), self._count("s3", "list_buckets", "Buckets")
        )

    def _cdns(self) -> Quota:
        limit = self._limit("cloudfront", "L-24B04930", _GLOBAL)
        return Quota("CloudFront distributions", limit, self._distributions())

    def _tables(self) -> Quota:
        used = self._count("dynamodb", "list_tables", "TableNames")
        return Quota("DynamoDB tables", self._limit("dynamodb", "L-F98FE922"), used)

    def _stacks(self) -> Quota:
        used = self._count("cloudformation", "describe_stacks", "Stacks")
        return Quota("CloudFormation stacks", self._limit("cloudformation", "L-0485CB21"), used)

    def _packages(self) -> Quota:
        return Quota("GB of Lambda packages", self._limit("lambda", "L-2ACBD22F"), self._code_gb())

    def _limit(self, service: str, code: str, region: str | None = None) -> float:
        """The quota that applies; a service may know no other than AWS's default."""
        client = self.env.client("service-quotas", region)
        which = {"ServiceCode": service, "QuotaCode": code}
        try:
            answer = client.get_service_quota(**which)
        except botocore.exceptions.ClientError as problem:
            if problem.response["Error"]["Code"] != "NoSuchResourceException":
                raise
            answer = client.get_aws_default_service_quota(**which)
        return float(answer["Quota"]["Value"])

    def _count(self, service: str, operation: str, members: str) -> int:
        pages: Any = self.env.client(service).get_paginator(operation).paginate()
        return sum(len(page.get(members, [])) for page in pages)

    def _distributions(self) -> int:
        pages = self.env.client("cloudfront").get_paginator("list_distributions").paginate()
        return sum(page["DistributionList"]["Quantity"] for page in pages)

    def _code_gb(self) -> float:
        return float(self.env.client("lambda").get_account_settings()["AccountUsage"]["TotalCodeSize"] / _GIB)


_BY_TYPE: Final[Mapping[str, Callable[[Quotas], Quota]]] = {
    "AWS::S3::Bucket": Quotas._buckets,  # noqa: SLF001
    "AWS::CloudFront::Distribution": Quotas._cdns,  # noqa: SLF001
    "AWS::DynamoDB::Table": Quotas._tables,  # noqa: SLF001
    "AWS::CloudFormation::Stack": Quotas._stacks,  # noqa: SLF001
    "AWS::Lambda::Function": Quotas._packages,  # noqa: SLF001
}

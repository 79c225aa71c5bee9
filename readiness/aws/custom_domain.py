"""AWS::ApiGatewayV2::DomainName and AWS::ApiGateway::DomainName: an API's own domain name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from readiness.environment import Environment


@dataclass(frozen=True)
class CustomDomain:
    """A live custom domain. The service apigatewayv2 also returns the domains of REST APIs."""

    env: Environment = field(repr=False)
    name: str

    @cached_property
    def security_policies(self) -> Sequence[str]:
        """For example `TLS_1_2`, of each of its endpoints."""
        answer = self.env.client("apigatewayv2").get_domain_name(DomainName=self.name)
        return [str(one.get("SecurityPolicy", "")) for one in answer.get("DomainNameConfigurations", [])]

    @cached_property
    def api_ids(self) -> Sequence[str]:
        """Ids of the APIs that it leads to."""
        client = self.env.client("apigatewayv2")
        found: list[str] = []
        more: dict[str, Any] = {}
        while True:  # botocore has no paginator of this operation
            page = client.get_api_mappings(DomainName=self.name, **more)
            found += [one["ApiId"] for one in page["Items"]]
            if not page.get("NextToken"):
                return found
            more = {"NextToken": page["NextToken"]}

"""AWS::ApiGateway::RestApi."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from readiness.aws.api import LOGGED, Authorizer, Route, Stage, Throttle
from readiness.environment import Environment

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient


@dataclass(frozen=True)
class RestApi:
    """A live REST API."""

    env: Environment = field(repr=False)
    id: str

    @property
    def _client(self) -> APIGatewayClient:
        return self.env.client("apigateway")

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self._client.get_rest_api(restApiId=self.id))

    @property
    def endpoint_disabled(self) -> bool:
        return bool(self.description.get("disableExecuteApiEndpoint"))

    @property
    def is_private(self) -> bool:
        """Whether it answers within a network alone."""
        return "PRIVATE" in self.description.get("endpointConfiguration", {}).get("types", [])

    @property
    def execution_arn(self) -> str:
        return f"arn:{self.env.partition}:execute-api:{self.env.region}:{self.env.account_id}:{self.id}"

    @cached_property
    def routes(self) -> Sequence[Route]:
        pages = self._client.get_paginator("get_resources").paginate(restApiId=self.id, embed=["methods"])
        return [
            Route(
                method,
                resource["path"],
                one.get("authorizationType") or "NONE",
                bool(one.get("apiKeyRequired")),
                one.get("methodIntegration", {}).get("uri") or "",
                one.get("methodIntegration", {}).get("credentials") or "",
                one.get("authorizerId") or "",
            )
            for page in pages
            for resource in page["items"]
            for method, one in (resource.get("resourceMethods") or {}).items()
        ]

    @cached_property
    def authorizers(self) -> Mapping[str, Authorizer]:
        """By their ids. The expression of one of Cognito is about a claim within its token, and not about the token."""
        pages = self._client.get_paginator("get_authorizers").paginate(restApiId=self.id)
        return {
            one["id"]: Authorizer.asking(
                str(one.get("identitySource") or "").split(","),
                str(one.get("identityValidationExpression") or "") if one["type"] == "TOKEN" else "",
            )
            for page in pages
            for one in page["items"]
        }

    @cached_property
    def stages(self) -> Sequence[Stage]:
        return [self._stage(one) for one in self._client.get_stages(restApiId=self.id)["item"]]

    def _stage(self, described: Mapping[str, Any]) -> Stage:
        settings = described.get("methodSettings") or {}
        throttles = {}
        for route in self.routes:
            # A method's settings are stored under its path with `/` spelled `~1`, or `*` for all.
            path = route.path.lstrip("/").replace("/", "~1")
            keys = (f"{path}/{route.method}", f"~1{path}/{route.method}", "*/*")
            one: Mapping[str, Any] = next((settings[key] for key in keys if key in settings), {})
            throttles[str(route)] = Throttle(
                self._limit(one, "throttlingRateLimit", "rateLimit"),
                self._limit(one, "throttlingBurstLimit", "burstLimit"),
            )
        return Stage(
            described["stageName"],
            throttles,
            str((described.get("accessLogSettings") or {}).get("destinationArn", "")),
            bool(described.get("tracingEnabled")),
            auto_deploy=False,
            deployment=str(described.get("deploymentId") or ""),
            logs_whole=[
                name.replace("~1", "/")
                for name, one in settings.items()
                if one.get("dataTraceEnabled") and one.get("loggingLevel") in LOGGED
            ],
        )

    def _limit(self, settings: Mapping[str, Any], name: str, of_account: str) -> Any:
        """A limit that is set. Where none is, API Gateway tells none, -1, or the account's own beside other settings."""
        value = settings.get(name)
        unset = value is None or value < 0 or value >= self._account_throttles.get(of_account, math.inf)
        return None if unset else value

    @cached_property
    def _account_throttles(self) -> Mapping[str, Any]:
        return dict(self._client.get_account().get("throttleSettings") or {})

    @cached_property
    def newest_deployment(self) -> str:
        """Id of the latest, '' for none."""
        pages = self._client.get_paginator("get_deployments").paginate(restApiId=self.id)
        found = sorted((one for page in pages for one in page["items"]), key=lambda one: one["createdDate"])
        return str(found[-1]["id"]) if found else ""

    @cached_property
    def usage_plan_stages(self) -> set[str]:
        """Names of the stages that a usage plan covers."""
        pages = self._client.get_paginator("get_usage_plans").paginate()
        return {
            str(stage["stage"])
            for page in pages
            for plan in page["items"]
            for stage in plan.get("apiStages", [])
            if stage.get("apiId") == self.id
        }

    def address(self, stage: Stage) -> str:
        """Where a stage answers, without a slash at the end.

        An emulator answers under its own address: no name system knows the API's.
        Source: LocalStack's documentation, "API Gateway", alternative URL format; MiniStack takes the same.
        """
        if emulator := self.env.emulator_url:
            return f"{emulator}/restapis/{self.id}/{stage.name}/_user_request_"
        domain = "amazonaws.com.cn" if self.env.partition == "aws-cn" else "amazonaws.com"
        return f"https://{self.id}.execute-api.{self.env.region}.{domain}/{stage.name}"

"""AWS::ApiGatewayV2::Api: HTTP APIs, and what WebSocket APIs have in common with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from readiness.aws.api import LOGGED, Authorizer, Route, Stage, Throttle
from readiness.environment import Environment
from readiness.errors import Missing

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client

_Listing = Literal["get_authorizers", "get_deployments", "get_integrations", "get_routes", "get_stages"]


@dataclass(frozen=True)
class HttpApi:
    """A live HTTP API with its routes and its stage."""

    env: Environment = field(repr=False)
    id: str

    @property
    def _client(self) -> ApiGatewayV2Client:
        return self.env.client("apigatewayv2")

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self._client.get_api(ApiId=self.id))

    @property
    def endpoint(self) -> str:
        return str(self.description["ApiEndpoint"])

    @property
    def execution_arn(self) -> str:
        """The part of a request's source ARN before stage and route, as Lambda gets it."""
        return f"arn:{self.env.partition}:execute-api:{self.env.region}:{self.env.account_id}:{self.id}"

    @cached_property
    def stage(self) -> Mapping[str, Any]:
        """The stage `$default`, or the only one where it has another name."""
        try:
            return dict(self._client.get_stage(ApiId=self.id, StageName="$default"))
        except Missing:
            found = list(self._listed("get_stages"))
            if len(found) != 1:
                raise
            return found[0]

    @property
    def access_log_name(self) -> str:
        """The log group that each request is noted in, '' for none."""
        destination = str((self.stage.get("AccessLogSettings") or {}).get("DestinationArn", ""))
        return destination.partition(":log-group:")[2].removesuffix(":*")

    @cached_property
    def route_keys(self) -> Sequence[str]:
        """For example `GET /health`."""
        pages = self._client.get_paginator("get_routes").paginate(ApiId=self.id)
        return [route["RouteKey"] for page in pages for route in page["Items"]]

    @property
    def throttles(self) -> Mapping[str, Throttle]:
        """What is in force on each route: its own settings over the stage's defaults."""
        default = self.stage.get("DefaultRouteSettings") or {}
        own = self.stage.get("RouteSettings") or {}
        merged = {key: {**default, **own.get(key, {})} for key in self.route_keys}
        return {
            key: Throttle(settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit"))
            for key, settings in merged.items()
        }

    def _listed(self, operation: _Listing) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator(operation).paginate(ApiId=self.id)
        return (item for page in pages for item in page["Items"])

    @property
    def speaks_http(self) -> bool:
        """Whether it is no WebSocket API, which is of the same type."""
        return bool(self.description.get("ProtocolType") == "HTTP")

    @property
    def endpoint_disabled(self) -> bool:
        return bool(self.description.get("DisableExecuteApiEndpoint"))

    @property
    def cors(self) -> Mapping[str, Any]:
        """Its CORS configuration, empty for none."""
        return dict(self.description.get("CorsConfiguration") or {})

    @cached_property
    def routes(self) -> Sequence[Route]:
        integrations = {one["IntegrationId"]: one for one in self._listed("get_integrations")}
        found = []
        for one in self._listed("get_routes"):
            behind = integrations.get(str(one.get("Target", "")).rpartition("/")[2], {})
            method, _, path = one["RouteKey"].rpartition(" ")
            found.append(
                Route(
                    method or "ANY",
                    path,
                    one.get("AuthorizationType") or "NONE",
                    integration=behind.get("IntegrationUri") or "",
                    credentials=behind.get("CredentialsArn") or "",
                    authorizer=one.get("AuthorizerId") or "",
                )
            )
        return found

    @cached_property
    def authorizers(self) -> Mapping[str, Authorizer]:
        """By their ids."""
        return {
            one["AuthorizerId"]: Authorizer.asking(one.get("IdentitySource") or [])
            for one in self._listed("get_authorizers")
        }

    @cached_property
    def stages(self) -> Sequence[Stage]:
        return [self._stage(one) for one in self._listed("get_stages")]

    def _stage(self, described: Mapping[str, Any]) -> Stage:
        default, own = described.get("DefaultRouteSettings") or {}, described.get("RouteSettings") or {}
        settings = {str(route): {**default, **own.get(_key(route), {})} for route in self.routes}
        return Stage(
            described["StageName"],
            {
                name: Throttle(one.get("ThrottlingRateLimit"), one.get("ThrottlingBurstLimit"))
                for name, one in settings.items()
            },
            str((described.get("AccessLogSettings") or {}).get("DestinationArn", "")),
            None,
            bool(described.get("AutoDeploy")),
            str(described.get("DeploymentId") or ""),
            # A WebSocket API alone can.
            [
                name
                for name, one in settings.items()
                if one.get("DataTraceEnabled") and one.get("LoggingLevel") in LOGGED
            ],
        )

    @cached_property
    def newest_deployment(self) -> str:
        """Id of the latest, '' for none."""
        found = sorted(self._listed("get_deployments"), key=lambda one: one["CreatedDate"])
        return str(found[-1]["DeploymentId"]) if found else ""

    def address(self, stage: Stage) -> str:
        """Where a stage answers, without a slash at the end."""
        return self._address(stage.name)

    @property
    def base_url(self) -> str:
        """Where its stage answers, without a slash at the end."""
        return self._address(self.stage["StageName"])

    def _address(self, stage: str) -> str:
        end = "" if stage == "$default" else f"/{stage}"
        return f"{self.endpoint}{end}"


def _key(route: Route) -> str:
    return str(route) if route.path.startswith("/") else route.path

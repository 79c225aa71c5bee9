"""AWS::ApiGatewayV2::Api, the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from verification.environment import Environment


@dataclass(frozen=True)
class Throttle:
    """Requests a second in the long run, and how many at once."""

    rate: float | None
    burst: int | None


@dataclass(frozen=True)
class HttpApi:
    """A live HTTP API with its routes and its `$default` stage."""

    env: Environment = field(repr=False)
    id: str

    @property
    def _client(self) -> Any:
        return self.env.client("apigatewayv2")

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self._client.get_api(ApiId=self.id))

    @property
    def endpoint(self) -> str:
        return str(self.description["ApiEndpoint"])

    @property
    def execution_arn(self) -> str:
        """What Lambda is told of a request's source, before stage and route."""
        return f"arn:{self.env.partition}:execute-api:{self.env.region}:{self.env.account_id}:{self.id}"

    @cached_property
    def stage(self) -> Mapping[str, Any]:
        return dict(self._client.get_stage(ApiId=self.id, StageName="$default"))

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

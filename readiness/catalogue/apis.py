"""The APIs and function URLs of a stack: read once for every check of the catalogue."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote

from readiness import budgets
from readiness.aws.api import Api, Authorizer, Route, Stage
from readiness.aws.function import Function
from readiness.aws.function_url import FunctionUrl
from readiness.aws.http_api import HttpApi
from readiness.aws.policy import matches, read
from readiness.aws.rest_api import RestApi
from readiness.catalogue.compute import HTTP_API, REST_API
from readiness.discovery.graph import Graph, Resource
from readiness.environment import Environment
from readiness.errors import Missing, NotApplicable
from readiness.probes import made_up

FUNCTION_URL = "AWS::Lambda::Url"
_SERVICE = "apigateway.amazonaws.com"
_ADDED = "Stage"
_FUNCTION = re.compile(
    r"(?P<arn>arn:[\w-]+:lambda:[\w-]+:\d+:function:(?P<name>[\w-]+)(?::(?P<qualifier>[\w$-]+))?)"
)
_PLACEHOLDER = re.compile(r"\{[^}]+\}")


@dataclass(frozen=True)
class Apis:
    """What of a stack answers HTTP by API Gateway or by a function's URL."""

    env: Environment = field(repr=False)
    graph: Graph = field(repr=False)

    @cached_property
    def _apis(self) -> Mapping[Resource, Api]:
        found: dict[Resource, Api] = {one: api for one, api in self._of_version_2.items() if api.speaks_http}
        return found | {one: RestApi(self.env, one.physical_id) for one in self.graph.of(REST_API)}

    @cached_property
    def _of_version_2(self) -> Mapping[Resource, HttpApi]:
        """HTTP APIs and WebSocket APIs, which are of one type."""
        return {one: HttpApi(self.env, one.physical_id) for one in self.graph.of(HTTP_API)}

    @property
    def has_apis(self) -> bool:
        return bool(self._apis)

    @property
    def resources(self) -> Sequence[Resource]:
        """Every HTTP API and REST API.

        Raises:
            NotApplicable: the stack has none.
        """
        if not self._apis:
            raise NotApplicable("the stack has no HTTP API and no REST API")
        return list(self._apis)

    @property
    def with_sockets(self) -> Sequence[Resource]:
        """Every HTTP API, REST API and WebSocket API.

        Raises:
            NotApplicable: the stack has none.
        """
        if not (found := list(dict.fromkeys([*self._apis, *self._of_version_2]))):
            raise NotApplicable("the stack has no API of API Gateway")
        return found

    @property
    def served_with_sockets(self) -> Sequence[Resource]:
        """Every API with a stage that serves something, WebSocket APIs included.

        Raises:
            NotApplicable: the stack has none.
        """
        return self._with_stages(self.with_sockets)

    def api(self, resource: Resource) -> Api:
        return self._apis.get(resource) or self._of_version_2[resource]

    def stages(self, resource: Resource) -> Sequence[Stage]:
        """The stages of an API that serve something; one that SAM adds is the last, for no client is meant to use it."""
        api = self.api(resource)
        found = [stage for stage in api.stages if stage.deployment or stage.auto_deploy]
        return sorted(found, key=lambda stage: self.is_added(resource, stage))

    def is_added(self, resource: Resource, stage: Stage) -> bool:
        """Whether SAM added a stage that no template names.

        Source: SAM Developer Guide, "AWS::Serverless::Api", OpenApiVersion: without it, SAM creates a stage called `Stage`.
        """
        return (
            resource.type == REST_API
            and stage.name == _ADDED
            and all(one.physical_id != _ADDED for one in self.graph.of("AWS::ApiGateway::Stage"))
        )

    @property
    def served(self) -> Sequence[Resource]:
        """Every API with a stage that serves something. Callers cannot reach the other APIs.

        Raises:
            NotApplicable: the stack has none.
        """
        return self._with_stages(self.resources)

    def _with_stages(self, resources: Sequence[Resource]) -> Sequence[Resource]:
        if not (found := [one for one in resources if self.stages(one)]):
            raise NotApplicable("no API of the stack has a stage that serves something")
        return found

    @cached_property
    def urls(self) -> Mapping[Resource, FunctionUrl]:
        """Every function URL."""
        return {one: FunctionUrl(self.env, one.physical_id) for one in self.graph.of(FUNCTION_URL)}

    def base(self, resource: Resource) -> str:
        """Return the public address of an API or function URL, '' where it has a custom domain or a private network alone."""
        if resource in self.urls:
            return self.urls[resource].address
        api = self.api(resource)
        if api.endpoint_disabled or (isinstance(api, RestApi) and api.is_private):
            return ""
        stages = self.stages(resource)
        return api.address(stages[0]) if stages else ""

    def reachable(self, *, urls: bool = True) -> Sequence[Resource]:
        """Return every API, and every function URL without IAM authorization, that answers any caller.

        Raises:
            NotApplicable: the stack has none.
        """
        found = [one for one in self._apis if self.base(one)]
        if urls:
            found += [one for one, url in self.urls.items() if url.authorization == "NONE"]
        if not found:
            raise NotApplicable("the stack has no API and no function URL that answers any caller")
        return found

    def asked(self, resource: Resource) -> Sequence[Route]:
        """The routes that a check may ask, not too many; those for preflights are asked apart."""
        if resource in self.urls:
            return [Route("GET", "/", "NONE")]
        routes = [route for route in self.api(resource).routes if route.method != "OPTIONS"]
        return routes[: budgets.ROUTES_ASKED]

    def made_up(self, resource: Resource, route: Route) -> tuple[str, Mapping[str, str]]:
        """Return invented credentials in the form that a route's authorizer reads: the query and the headers.

        Raises:
            Unverified: no token can be invented for the form that the authorizer requires.
        """
        authorizers = self.api(resource).authorizers if route.authorizer else {}
        asked = authorizers.get(route.authorizer) or Authorizer(["Authorization"])
        token = made_up.token(asked.expression)
        headers = asked.headers or ([] if asked.parameters else ["Authorization"])
        query = "&".join(f"{quote(name)}={quote(token)}" for name in asked.parameters)
        return f"?{query}" if query else "", dict.fromkeys(headers, token)

    def broken_integrations(self, resource: Resource) -> Iterator[str]:
        """What an API's routes lead to that is not there, or does not let API Gateway in."""
        api = self.api(resource)
        for route in api.routes:
            if not (target := _FUNCTION.search(route.integration)) or "${" in route.integration:
                continue
            function = Function(self.env, target["name"])
            qualifier = target["qualifier"] or ""
            try:
                statements = self._permissions(function, qualifier)
            except Missing:
                yield f"expected a function behind {route}, found that {target['name']} does not exist; correct the integration"
                continue
            if route.credentials:
                continue
            sources = set(sources_of(api, route))
            if not any(
                one.allows
                and one.covers("lambda:InvokeFunction")
                and any(name in (_SERVICE, "*") for _, name in one.principals)
                and _admits(one.required("aws:SourceArn"), sources)
                for one in read(statements)
            ):
                yield (
                    f"expected {target['name']} to let API Gateway invoke it for {route}, found no permission; add an "
                    "AWS::Lambda::Permission with the API's execution ARN as SourceArn"
                )

    def _permissions(self, function: Function, qualifier: str) -> Sequence[Mapping[str, object]]:
        statements = list(function.permissions)
        return list(function.permissions_of_qualifiers.get(qualifier, [])) if qualifier else statements


def _admits(patterns: Sequence[str] | None, sources: set[str]) -> bool:
    return patterns is None or any(matches(pattern, source) for pattern in patterns for source in sources)


def sources_of(api: Api, route: Route) -> Iterator[str]:
    """ARNs by which API Gateway may call for a route: of each stage, with placeholders as they are or filled in."""
    method = "GET" if route.method == "ANY" else route.method
    for stage in api.stages:
        if not route.path.startswith("/"):
            yield f"{api.execution_arn}/{stage.name}/{route.path}"
            continue
        for path in (route.path, filled(route.path, "*"), filled(route.path, "x")):
            yield from (
                f"{api.execution_arn}/{stage.name}/{one}{path}" for one in {method, route.method, "*"}
            )


def filled(path: str, value: str = "") -> str:
    """Return a route's path with an unused id in place of each placeholder."""
    if path == "$default":
        return f"/{value or uuid.uuid4().hex}"
    return _PLACEHOLDER.sub(lambda _: value or uuid.uuid4().hex, path)


def method_of(route: Route) -> str:
    """A method that the route takes."""
    return "GET" if route.method == "ANY" else route.method


def is_harmless(route: Route) -> bool:
    """Return whether a request with an empty body deletes nothing: it reads, creates, or names an id that is not in use."""
    return method_of(route) in ("GET", "HEAD", "POST") or "{" in route.path

"""What answers each route of HTTP, WebSocket and REST APIs, and who guards it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (Relation.ROUTES_TO, Relation.AUTHORIZED_BY, Relation.LOGS_TO, Relation.PROTECTED_BY)
_FUNCTION_IN_URI: Final = re.compile(r"/functions/(arn:[^/]+)/invocations")
_QUEUE_IN_URI: Final = re.compile(r":apigateway:([^:]*):sqs:path/(\d+)/([^/?]+)")
_POOL_IN_ISSUER: Final = re.compile(r"https://cognito-idp\.[^/]+/([\w-]+)")


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Routes, authorizers, access logs and web ACLs of the stack's APIs."""
    for api in graph.of("AWS::ApiGatewayV2::Api"):
        yield from attempt(str(api), partial(_http, env, graph, api))
    for api in graph.of("AWS::ApiGateway::RestApi"):
        yield from attempt(str(api), partial(_rest, env, graph, api))


def _http(env: Environment, graph: Graph, api: Resource) -> Iterator[Found]:
    routes = _items(env, "get_routes", api)
    yield from attempt(f"{api}: stages", partial(_http_stages, env, graph, api))
    integrations = {one["IntegrationId"]: one for one in _items(env, "get_integrations", api)}
    for route in routes:
        found = integrations.get(route.get("Target", "").removeprefix("integrations/"), {})
        for target in _answering(
            graph, found.get("IntegrationUri", ""), json.dumps(found.get("RequestParameters", {}))
        ):
            yield Edge(api, Relation.ROUTES_TO, target, route["RouteKey"])
    yield from attempt(f"{api}: authorizers", partial(_http_authorizers, env, graph, api, routes))


def _http_authorizers(
    env: Environment, graph: Graph, api: Resource, routes: Sequence[Mapping[str, Any]]
) -> Iterator[Edge]:
    authorizers: dict[str, Mapping[str, Any]] = {}
    if any(route.get("AuthorizerId") for route in routes):
        found = _items(env, "get_authorizers", api)
        authorizers = {one["AuthorizerId"]: one for one in found}
    for route in routes:
        authorizer = authorizers.get(route.get("AuthorizerId", ""), {})
        issuer = authorizer.get("JwtConfiguration", {}).get("Issuer", "")
        kind = "AWS::ApiGatewayV2::Authorizer"
        yield from _authorized(graph, api, route["RouteKey"], kind, route, name=authorizer.get("Name", ""))
        yield from _behind(
            graph,
            api,
            route["RouteKey"],
            authorizer.get("AuthorizerUri", ""),
            _POOL_IN_ISSUER.findall(issuer),
        )


def _http_stages(env: Environment, graph: Graph, api: Resource) -> Iterator[Edge]:
    for stage in _items(env, "get_stages", api):
        if log := stage.get("AccessLogSettings", {}).get("DestinationArn"):
            source = _stage(graph, "AWS::ApiGatewayV2::Stage", "ApiId", api, stage["StageName"])
            yield Edge(source, Relation.LOGS_TO, graph.at(log))


def _rest(env: Environment, graph: Graph, api: Resource) -> Iterator[Found]:
    client = env.client("apigateway")
    methods = [
        (f"{verb} {one['path']}", method)
        for page in client.get_paginator("get_resources").paginate(
            restApiId=api.physical_id, embed=["methods"]
        )
        for one in page["items"]
        for verb, method in one.get("resourceMethods", {}).items()
    ]
    yield from attempt(f"{api}: stages", partial(_rest_stages, env, graph, api))
    for route, method in methods:
        found = method.get("methodIntegration", {})
        for target in _answering(graph, found.get("uri", ""), json.dumps(found.get("requestTemplates", {}))):
            yield Edge(api, Relation.ROUTES_TO, target, route)
    yield from attempt(f"{api}: authorizers", partial(_rest_authorizers, env, graph, api, methods))


def _rest_authorizers(
    env: Environment, graph: Graph, api: Resource, methods: Sequence[tuple[str, Mapping[str, Any]]]
) -> Iterator[Edge]:
    authorizers: dict[str, Mapping[str, Any]] = {}
    if any(method.get("authorizerId") for _, method in methods):
        found = env.client("apigateway").get_authorizers(restApiId=api.physical_id, limit=500)["items"]
        authorizers = {one["id"]: one for one in found}
    for route, method in methods:
        authorizer = authorizers.get(method.get("authorizerId", ""), {})
        by = {
            "AuthorizerId": method.get("authorizerId"),
            "AuthorizationType": method.get("authorizationType"),
        }
        yield from _authorized(
            graph, api, route, "AWS::ApiGateway::Authorizer", by, name=authorizer.get("name", "")
        )
        yield from _behind(
            graph, api, route, authorizer.get("authorizerUri", ""), authorizer.get("providerARNs", [])
        )


def _rest_stages(env: Environment, graph: Graph, api: Resource) -> Iterator[Edge]:
    for stage in env.client("apigateway").get_stages(restApiId=api.physical_id)["item"]:
        source = _stage(graph, "AWS::ApiGateway::Stage", "RestApiId", api, stage["stageName"])
        if log := stage.get("accessLogSettings", {}).get("destinationArn"):
            yield Edge(source, Relation.LOGS_TO, graph.at(log))
        if acl := stage.get("webAclArn"):
            yield Edge(source, Relation.PROTECTED_BY, graph.at(acl))


def _answering(graph: Graph, uri: str, parameters: str) -> Sequence[Resource]:
    """What an integration calls: a function, a queue by its path, or what its parameters name."""
    if function := _FUNCTION_IN_URI.search(uri):
        return [graph.at(function[1])]
    if uri.startswith("arn:") and ":apigateway:" not in uri:
        return [graph.at(uri)]
    if queue := _QUEUE_IN_URI.search(uri):
        region, account, name = queue.groups()
        return [graph.at(f"{uri.partition(':apigateway:')[0]}:sqs:{region}:{account}:{name}")]
    return graph.mentioned(f"{uri} {parameters}")


def _authorized(
    graph: Graph, api: Resource, route: str, kind: str, by: Mapping[str, Any], *, name: str
) -> Iterator[Edge]:
    if id_ := by.get("AuthorizerId"):
        there = graph.named(id_, [kind]) or Resource(kind, name or id_, id_, declared=False)
        yield Edge(api, Relation.AUTHORIZED_BY, there, route)
    elif by.get("AuthorizationType") == "AWS_IAM":
        yield Edge(api, Relation.AUTHORIZED_BY, Resource("AWS::IAM", "IAM", "AWS_IAM", declared=False), route)


def _behind(graph: Graph, api: Resource, route: str, uri: str, pools: Sequence[str]) -> Iterator[Edge]:
    if function := _FUNCTION_IN_URI.search(uri):
        yield Edge(api, Relation.AUTHORIZED_BY, graph.at(function[1]), route)
    for pool in pools:
        yield Edge(api, Relation.AUTHORIZED_BY, graph.at(pool, "AWS::Cognito::UserPool"), route)


def _stage(graph: Graph, kind: str, property_: str, api: Resource, name: str) -> Resource:
    """The stage of that name; the API where its body or SAM made the stage without a resource."""
    here = [stage for stage in graph.of(kind) if stage.physical_id == name]
    local = api.logical_id.rpartition("/")[2]
    own = [stage for stage in here if stage.properties.get(property_) == {"Ref": local}]
    return own[0] if own else here[0] if len(here) == 1 else api


def _items(
    env: Environment,
    operation: Literal["get_authorizers", "get_integrations", "get_routes", "get_stages"],
    api: Resource,
) -> list[Mapping[str, Any]]:
    """What an HTTP API or WebSocket API has of a kind."""
    pages = env.client("apigatewayv2").get_paginator(operation).paginate(ApiId=api.physical_id)
    return [one for page in pages for one in page["Items"]]

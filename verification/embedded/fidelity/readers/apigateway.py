"""API Gateway: HTTP APIs, their stages, routes, integrations and authorizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verification.embedded.fidelity.live import Live, Type, member, members


def _api(live: Live) -> Any:
    return live.ask("apigatewayv2", "get_api", ApiId=live.id)


def _stage(live: Live) -> Any:
    stage = live.id.rpartition("/")[2]
    return live.ask("apigatewayv2", "get_stage", ApiId=live.declared["ApiId"], StageName=stage)


def _route(live: Live) -> Any:
    route = live.id.rpartition("/")[2]
    return live.ask("apigatewayv2", "get_route", ApiId=live.declared["ApiId"], RouteId=route)


def _integration(live: Live) -> Any:
    parameters = {"ApiId": live.declared["ApiId"], "IntegrationId": live.id.rpartition("/")[2]}
    return live.ask("apigatewayv2", "get_integration", **parameters)


def _authorizer(live: Live) -> Any:
    return live.ask("apigatewayv2", "get_authorizer", ApiId=live.declared["ApiId"], AuthorizerId=live.id)


def _definition(live: Live) -> dict[str, Any]:
    """Return an OpenAPI definition with what the API really has of the declared one."""
    routes = live.ask("apigatewayv2", "get_routes", ApiId=live.id).get("Items", [])
    integrations = {
        one["IntegrationId"]: one
        for one in live.ask("apigatewayv2", "get_integrations", ApiId=live.id).get("Items", [])
    }
    authorizers = {
        one["AuthorizerId"]: one["Name"]
        for one in live.ask("apigatewayv2", "get_authorizers", ApiId=live.id).get("Items", [])
    }
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        method, _, path = route["RouteKey"].partition(" ")
        verb = "x-amazon-apigateway-any-method" if method in ("ANY", "$default") else method.lower()
        target = integrations.get(route.get("Target", "").rpartition("/")[2], {})
        operation: dict[str, Any] = {
            "x-amazon-apigateway-integration": {
                "type": str(target.get("IntegrationType", "")).lower(),
                "httpMethod": target.get("IntegrationMethod"),
                "uri": target.get("IntegrationUri"),
                "payloadFormatVersion": target.get("PayloadFormatVersion"),
                "timeoutInMillis": target.get("TimeoutInMillis"),
                "connectionType": target.get("ConnectionType"),
                "credentials": target.get("CredentialsArn"),
            }
        }
        if route.get("AuthorizerId"):
            scopes = route.get("AuthorizationScopes", [])
            operation["security"] = [{authorizers.get(route["AuthorizerId"], "-"): scopes}]
        operation["operationId"] = route.get("OperationName")
        paths.setdefault(path or "/$default", {})[verb] = operation
    cors = _api(live).get("CorsConfiguration") or {}
    tags = _api(live).get("Tags") or {}
    return {
        "paths": paths,
        "info": {
            "title": _api(live).get("Name"),
            "version": _api(live).get("Version"),
            "description": _api(live).get("Description"),
        },
        "x-amazon-apigateway-cors": {key[:1].lower() + key[1:]: value for key, value in cors.items()},
        "tags": [{"name": key, "x-amazon-apigateway-tag-value": value} for key, value in tags.items()],
    }


def _declared_definition(body: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a declared OpenAPI definition that becomes part of an API."""
    made: dict[str, Any] = {"paths": {}}
    for written, item in (body.get("paths") or {}).items():
        path = f"/{written.lstrip('/')}"  # SAM writes the default route without the slash that others have
        for verb, operation in item.items():
            kept = {"x-amazon-apigateway-integration": operation.get("x-amazon-apigateway-integration")}
            for name in ("security", "operationId"):
                if operation.get(name):
                    kept[name] = operation[name]
            made["paths"].setdefault(path, {})[verb] = kept
    if body.get("x-amazon-apigateway-cors") and not properties.get("CorsConfiguration"):
        made["x-amazon-apigateway-cors"] = body["x-amazon-apigateway-cors"]
    info = body.get("info") or {}
    own = {"title": "Name", "version": "Version", "description": "Description"}
    made["info"] = {key: value for key, value in info.items() if key in own and own[key] not in properties}
    return made


TYPES: dict[str, Type] = {
    "AWS::ApiGatewayV2::Api": Type(
        {
            **members(_api, "Name", "Description", "Version", "ProtocolType", "CorsConfiguration", "Tags"),
            **members(
                _api, "DisableExecuteApiEndpoint", "DisableSchemaValidation", "RouteSelectionExpression"
            ),
            **members(_api, "ApiKeySelectionExpression"),
            "Body": _definition,
        },
        {
            "ApiEndpoint": member(_api, "ApiEndpoint"),
            "ApiId": lambda live: live.id,
        },
        shapes={"Body": _declared_definition},
    ),
    "AWS::ApiGatewayV2::Stage": Type(
        {
            **members(
                _stage,
                "StageName",
                "AutoDeploy",
                "DefaultRouteSettings",
                "RouteSettings",
                "AccessLogSettings",
            ),
            **members(_stage, "Description", "StageVariables", "Tags"),
            "ApiId": lambda live: live.declared["ApiId"] if _stage(live) else None,
        }
    ),
    "AWS::ApiGatewayV2::Route": Type(
        {
            **members(
                _route, "RouteKey", "Target", "AuthorizationType", "AuthorizerId", "AuthorizationScopes"
            ),
            **members(_route, "ApiKeyRequired", "OperationName"),
            "ApiId": lambda live: live.declared["ApiId"] if _route(live) else None,
        }
    ),
    "AWS::ApiGatewayV2::Integration": Type(
        {
            **members(
                _integration, "IntegrationType", "IntegrationUri", "IntegrationMethod", "PayloadFormatVersion"
            ),
            **members(_integration, "TimeoutInMillis", "ConnectionType", "Description", "CredentialsArn"),
            **members(_integration, "RequestParameters"),
            "ApiId": lambda live: live.declared["ApiId"] if _integration(live) else None,
        }
    ),
    "AWS::ApiGatewayV2::Authorizer": Type(
        {
            **members(
                _authorizer, "Name", "AuthorizerType", "IdentitySource", "JwtConfiguration", "AuthorizerUri"
            ),
            **members(_authorizer, "AuthorizerPayloadFormatVersion", "EnableSimpleResponses"),
            **members(_authorizer, "AuthorizerResultTtlInSeconds"),
            "ApiId": lambda live: live.declared["ApiId"] if _authorizer(live) else None,
        }
    ),
}

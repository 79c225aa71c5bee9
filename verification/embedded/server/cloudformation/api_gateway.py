"""Overlay of AWS::ApiGatewayV2: `Body`, stage settings as the API spells them, and endpoints that open."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import apigateway

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Attributes, Made, Properties
from verification.embedded.server.context import Context, Ports

require(
    apigateway,
    "_apis",
    "_api_arn",
    "_api_resource_arn",
    "_api_tags",
    "_authorizers",
    "_create_api",
    "_create_deployment",
    "_delete_api",
    "_delete_deployment",
    "_deployments",
    "_delete_cors_configuration",
    "_integrations",
    "_routes",
    "_stages",
    "_apigw_response",
    "_HOST",
)

API = "AWS::ApiGatewayV2::Api"
DEPLOYMENT = "AWS::ApiGatewayV2::Deployment"
STAGE = "AWS::ApiGatewayV2::Stage"
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
ANY_METHOD = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
INTEGRATIONS = "x-amazon-apigateway-integrations"
AUTHORIZER = "x-amazon-apigateway-authorizer"
DEFAULT_TIMEOUT_MS = 30_000
ROUTE_SETTINGS: dict[str, Callable[[Any], Any]] = {
    "dataTraceEnabled": hooks.as_bool,
    "detailedMetricsEnabled": hooks.as_bool,
    "loggingLevel": str,
    "throttlingBurstLimit": int,
    "throttlingRateLimit": float,
}


def install(context: Context) -> None:
    """Lay the overlay over MiniStack."""
    Endpoints(context.ports).install()
    hooks.after(API, settle_api)
    hooks.after(STAGE, settle_stage)
    hooks.register(DEPLOYMENT, create=create_deployment, update=update_deployment, delete=delete_deployment)


class Endpoints:
    """Gives each HTTP API a loopback port of its own, and the address as its ApiEndpoint.

    AWS hands out a host name for each API. No resolver knows MiniStack's `<id>.execute-api.localhost`, so the
    address that a deployment prints would open in no browser.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def install(self) -> None:
        """Follow the creation and deletion of APIs, by CloudFormation and by the API itself."""
        hooks.after(API, self._settle)
        hooks.before_delete(API, lambda physical_id, _: self._ports.close(host(physical_id)))
        create, delete = apigateway._create_api, apigateway._delete_api

        def create_api(data: dict[str, Any]) -> tuple[int, Any, Any]:
            status, headers, body = create(data)
            if status >= HTTPStatus.BAD_REQUEST:
                return status, headers, body
            api_id = json.loads(body)["apiId"]
            self._open(api_id)
            answer: tuple[int, Any, Any] = apigateway._apigw_response(apigateway._apis[api_id], status)
            return answer

        def delete_api(api_id: str) -> tuple[int, Any, Any]:
            answer: tuple[int, Any, Any] = delete(api_id)
            if answer[0] < HTTPStatus.BAD_REQUEST:
                self._ports.close(host(api_id))
            return answer

        apigateway._create_api = create_api
        apigateway._delete_api = delete_api

    def _settle(self, physical_id: str, _new: Properties, _old: Properties, attributes: Attributes) -> None:
        self._open(physical_id)
        attributes["ApiEndpoint"] = apigateway._apis[physical_id]["apiEndpoint"]

    def _open(self, api_id: str) -> None:
        api = apigateway._apis[api_id]
        if api["protocolType"] == "HTTP":
            port = self._ports.open(host(api_id), plain_http=False)
            api["apiEndpoint"] = f"https://127.0.0.1:{port}"


def host(api_id: str) -> str:
    """Return the Host header under which MiniStack serves an API."""
    return f"{api_id}.execute-api.{apigateway._HOST}"


def settle_api(physical_id: str, new: Properties, old: Properties, _attributes: Attributes) -> None:
    """Apply `CorsConfiguration`, `Tags` and the OpenAPI definition in `Body`."""
    api = apigateway._apis[physical_id]
    body = new.get("Body") or {}
    info = body.get("info") or {}
    for name, key in (("Name", "title"), ("Version", "version"), ("Description", "description")):
        if name not in new and info.get(key):
            api[name.lower()] = str(info[key])
    settings = body.get("x-amazon-apigateway-endpoint-configuration") or {}
    if "DisableExecuteApiEndpoint" not in new and "disableExecuteApiEndpoint" in settings:
        api["disableExecuteApiEndpoint"] = hooks.as_bool(settings["disableExecuteApiEndpoint"])
    cors = cors_configuration(new.get("CorsConfiguration") or body.get("x-amazon-apigateway-cors") or {})
    if cors:
        api["corsConfiguration"] = cors
    elif api.get("corsConfiguration"):
        apigateway._delete_cors_configuration(physical_id)
    api["tags"].update(definition_tags(body))
    apigateway._api_tags[apigateway._api_arn(physical_id)] = dict(api["tags"])
    if body or old.get("Body"):
        Definition(physical_id, body).apply()


def cors_configuration(declared: Any) -> dict[str, Any]:
    """Return a CORS configuration in the API's spelling and types.

    Raises:
        ValueError: It is none, as SAM makes of `AllowOrigins: !Split`.
    """
    if not isinstance(declared, Mapping):
        message = f"{API}: Unable to parse the CORS configuration: expected an object, found {declared!r}"
        raise ValueError(message)  # noqa: TRY004 - what AWS refuses
    cors: dict[str, Any] = hooks.camel_case(declared)
    if "maxAge" in cors:
        cors["maxAge"] = int(cors["maxAge"])
    if "allowCredentials" in cors:
        cors["allowCredentials"] = hooks.as_bool(cors["allowCredentials"])
    return cors


def definition_tags(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the API tags that an OpenAPI definition carries among its own tags."""
    found = {tag["name"]: tag.get("x-amazon-apigateway-tag-value") for tag in body.get("tags") or []}
    return {name: str(value) for name, value in found.items() if value is not None}


class Definition:
    """An OpenAPI definition as API Gateway imports it: it replaces what the previous import made.

    Routes and authorizers keep their ids while their route key or name stays, so that an update does not
    renumber the whole API.
    """

    def __init__(self, api_id: str, body: Mapping[str, Any]) -> None:
        self._api_id = api_id
        self._body = body
        self._components = body.get("components") or {}

    def apply(self) -> None:
        """Replace the API's routes, integrations and authorizers by those of the definition."""
        authorizers = self._authorizers()
        known = apigateway._routes.get(self._api_id, {}).values()
        route_ids = {route["routeKey"]: route["routeId"] for route in known}
        integration_ids = {route["routeKey"]: route["target"].rpartition("/")[2] for route in known}
        routes: dict[str, Any] = {}
        integrations: dict[str, Any] = {}
        for path, item in (self._body.get("paths") or {}).items():
            for verb, operation in item.items():
                if verb not in METHODS and verb != ANY_METHOD:
                    continue
                key = route_key(path, verb)
                declared = self._resolve(operation.get(INTEGRATION))
                if not declared:
                    raise ValueError(f"{API}: no integration was declared for the route '{key}'")
                integration_id = integration_ids.get(key) or new_uuid()[:8]
                route_id = route_ids.get(key) or new_uuid()[:8]
                integrations[integration_id] = integration(integration_id, declared)
                routes[route_id] = {
                    "routeId": route_id,
                    "routeKey": key,
                    "target": f"integrations/{integration_id}",
                    "apiKeyRequired": False,
                    "operationName": operation.get("operationId"),
                    **self._authorization(operation, authorizers),
                }
        apigateway._integrations[self._api_id] = integrations
        apigateway._routes[self._api_id] = routes
        apigateway._authorizers[self._api_id] = {
            authorizer["authorizerId"]: authorizer for authorizer in authorizers.values()
        }

    def _resolve(self, value: Any) -> dict[str, Any]:
        reference = (value or {}).get("$ref", "")
        if reference.startswith(f"#/components/{INTEGRATIONS}/"):
            found: dict[str, Any] = (self._components.get(INTEGRATIONS) or {})[reference.rpartition("/")[2]]
            return found
        return dict(value or {})

    def _authorizers(self) -> dict[str, dict[str, Any]]:
        known = apigateway._authorizers.get(self._api_id, {}).values()
        ids = {authorizer["name"]: authorizer["authorizerId"] for authorizer in known}
        made = {}
        for name, scheme in (self._components.get("securitySchemes") or {}).items():
            declared = scheme.get(AUTHORIZER)
            if declared:
                made[name] = authorizer(ids.get(name) or new_uuid()[:8], name, declared)
        return made

    def _authorization(
        self, operation: Mapping[str, Any], authorizers: Mapping[str, dict[str, Any]]
    ) -> dict[str, Any]:
        required = operation["security"] if "security" in operation else self._body.get("security")
        for requirement in required or []:
            for name, scopes in requirement.items():
                if name in authorizers:
                    kind = authorizers[name]["authorizerType"]
                    return {
                        "authorizationType": "JWT" if kind == "JWT" else "CUSTOM",
                        "authorizerId": authorizers[name]["authorizerId"],
                        "authorizationScopes": list(scopes),
                    }
                scheme = (self._components.get("securitySchemes") or {}).get(name) or {}
                if scheme.get("x-amazon-apigateway-authtype") == "awsSigv4":
                    return {"authorizationType": "AWS_IAM", "authorizerId": None, "authorizationScopes": []}
        return {"authorizationType": "NONE", "authorizerId": None, "authorizationScopes": []}


def route_key(path: str, verb: str) -> str:
    """Return the route key of an operation: `GET /path`, `ANY /path` or `$default`."""
    if path in ("/$default", "$default"):
        return "$default"
    return f"{'ANY' if verb == ANY_METHOD else verb.upper()} {path}"


def integration(integration_id: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return MiniStack's record of an integration extension."""
    return {
        "integrationId": integration_id,
        "integrationType": declared.get("type", "AWS_PROXY").upper(),
        "integrationMethod": declared.get("httpMethod", "POST"),
        "integrationUri": declared.get("uri", ""),
        "payloadFormatVersion": str(declared.get("payloadFormatVersion", "1.0")),
        "timeoutInMillis": int(declared.get("timeoutInMillis", DEFAULT_TIMEOUT_MS)),
        "connectionType": declared.get("connectionType", "INTERNET"),
        "connectionId": declared.get("connectionId"),
        "credentialsArn": declared.get("credentials"),
        "description": declared.get("description"),
        "requestParameters": declared.get("requestParameters"),
    }


def authorizer(authorizer_id: str, name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return MiniStack's record of an authorizer extension, JWT or Lambda."""
    kind = str(declared.get("type", "request")).upper()
    source = declared.get("identitySource", "$request.header.Authorization")
    sources = source if isinstance(source, list) else [part.strip() for part in source.split(",")]
    record: dict[str, Any] = {
        "authorizerId": authorizer_id,
        "name": name,
        "authorizerType": kind,
        "identitySource": sources,
    }
    if kind == "JWT":
        return {**record, "jwtConfiguration": hooks.camel_case(declared.get("jwtConfiguration") or {})}
    return {
        **record,
        "authorizerUri": declared.get("authorizerUri", ""),
        "authorizerCredentialsArn": declared.get("authorizerCredentials"),
        "authorizerPayloadFormatVersion": str(declared.get("authorizerPayloadFormatVersion", "2.0")),
        "authorizerResultTtlInSeconds": int(declared.get("authorizerResultTtlInSeconds", 300)),
        "enableSimpleResponses": hooks.as_bool(declared.get("enableSimpleResponses", False)),
    }


def settle_stage(_physical_id: str, new: Properties, _old: Properties, _attributes: Attributes) -> None:
    """Store route settings as the API spells them: MiniStack keeps PascalCase, which every SDK reads as empty."""
    stage = apigateway._stages[new["ApiId"]][new.get("StageName", "$default")]
    stage["defaultRouteSettings"] = {
        "detailedMetricsEnabled": False,
        **settings(new.get("DefaultRouteSettings")),
    }
    stage["routeSettings"] = {key: settings(value) for key, value in (new.get("RouteSettings") or {}).items()}
    if deployment := new.get("DeploymentId"):
        _require_deployment(new["ApiId"], deployment)
        stage["deploymentId"] = deployment
    stage["autoDeploy"] = hooks.as_bool(new.get("AutoDeploy", False))
    arn = apigateway._api_resource_arn(new["ApiId"], "stages", stage["stageName"])
    apigateway._api_tags[arn] = dict(stage["tags"])


def create_deployment(_logical_id: str, properties: Properties, _stack_name: str) -> Made:
    """Deploy the API, and put the deployment on the stage that is named."""
    api_id, stage_name = properties["ApiId"], properties.get("StageName")
    stages = apigateway._stages.get(api_id, {})
    if stage_name and stage_name not in stages:
        raise ValueError(f"{DEPLOYMENT}: Unable to find Stage by name: {stage_name}")
    request = {"description": properties.get("Description", "")}
    answer = apigateway._create_deployment(api_id, request)
    hooks.accepted(answer, DEPLOYMENT)
    deployment_id = str(json.loads(answer[2])["deploymentId"])
    if stage_name:
        stages[stage_name]["deploymentId"] = deployment_id
    return deployment_id, {"DeploymentId": deployment_id}


def update_deployment(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    """Rewrite the description; any other property asks for a new deployment."""
    if {**old, "Description": ""} != {**new, "Description": ""}:
        return create_deployment("", new, stack_name)
    apigateway._deployments[new["ApiId"]][physical_id]["description"] = new.get("Description", "")
    return physical_id, {"DeploymentId": physical_id}


def delete_deployment(physical_id: str, properties: Properties) -> None:
    """Delete the deployment; one that went with its API is no error."""
    if properties["ApiId"] in apigateway._apis:
        hooks.accepted(apigateway._delete_deployment(properties["ApiId"], physical_id), DEPLOYMENT)


def _require_deployment(api_id: str, deployment_id: str) -> None:
    if deployment_id not in apigateway._deployments.get(api_id, {}):
        raise ValueError(f"{STAGE}: Deployment id {deployment_id} not found for API {api_id}")


def settings(declared: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return route settings with the API's keys and types: a template's parameters are strings."""
    spelled = hooks.camel_case(declared or {})
    return {key: ROUTE_SETTINGS.get(key, str)(value) for key, value in spelled.items()}

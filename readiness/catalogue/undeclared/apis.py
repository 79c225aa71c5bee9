"""What answers an API's routes, what calls a function, and what a rule starts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from readiness.catalogue.undeclared.subject import Document, Subject

REST: Final = (
    "{Policy: policy, DisableExecuteApiEndpoint: disableExecuteApiEndpoint, ApiKeySourceType: apiKeySource, "
    "BinaryMediaTypes: binaryMediaTypes, MinimumCompressionSize: minimumCompressionSize, "
    "EndpointConfiguration: endpointConfiguration.types}"
)
_HTTP: Final = {
    "type": "IntegrationType",
    "uri": "IntegrationUri",
    "httpMethod": "IntegrationMethod",
    "payloadFormatVersion": "PayloadFormatVersion",
    "timeoutInMillis": "TimeoutInMillis",
    "connectionType": "ConnectionType",
    "connectionId": "ConnectionId",
    "credentials": "CredentialsArn",
}
"""What an OpenAPI definition calls the members of an integration, and the API of HTTP APIs.
Source: API Gateway Developer Guide, "x-amazon-apigateway-integration object"."""
_REST: Final = (
    "type",
    "uri",
    "httpMethod",
    "timeoutInMillis",
    "connectionType",
    "connectionId",
    "credentials",
)
_ANY: Final = "x-amazon-apigateway-any-method"
_VERBS: Final = ("get", "put", "post", "delete", "options", "head", "patch", _ANY)


def http_routes(subject: Subject) -> Document:
    """The routes of an HTTP API with what answers each, and the integrations that answer none."""
    integrations = {
        one["IntegrationId"]: one
        for one in subject.ask("apigatewayv2", "get_integrations", ApiId=subject.id).get("Items", [])
    }
    routes, used = [], set()
    for route in subject.ask("apigatewayv2", "get_routes", ApiId=subject.id).get("Items", []):
        id_ = route.get("Target", "").removeprefix("integrations/")
        used.add(id_)
        found = integrations.get(id_, {})
        routes.append(
            {
                "RouteKey": route["RouteKey"],
                "Integration": {name: found.get(name) for name in _HTTP.values()},
                "AuthorizationType": route.get("AuthorizationType"),
                "ApiKeyRequired": route.get("ApiKeyRequired"),
            }
        )
    return {"Routes": routes, "Integrations": sorted(integrations.keys() - used)}


def rest_methods(subject: Subject) -> Document:
    """The methods of a REST API with what answers each."""
    resources = subject.ask("apigateway", "get_resources", restApiId=subject.id, embed=["methods"])
    return {
        "Routes": [
            {
                "RouteKey": f"{verb} {one['path']}",
                "ResourceId": one["id"],
                "Integration": {name: method.get("methodIntegration", {}).get(name) for name in _REST},
            }
            for one in resources.get("items", [])
            for verb, method in one.get("resourceMethods", {}).items()
        ]
    }


def of_body(body: Document, *, http: bool) -> Iterator[Document]:
    """The routes that an OpenAPI definition declares.

    Args:
        body: the definition.
        http: whether it is an HTTP API's.
    """
    for path, item in (body.get("paths") or {}).items():
        for verb, operation in (item or {}).items():
            if verb.lower() not in _VERBS:
                continue
            method = "ANY" if verb.lower() == _ANY else verb.upper()
            key = "$default" if path.strip("/") == "$default" else f"{method} /{path.lstrip('/')}"
            yield {
                "RouteKey": key,
                "Integration": integration(operation.get("x-amazon-apigateway-integration") or {}, http=http),
            }


def integration(declared: Document, *, http: bool) -> Document:
    """An integration of an OpenAPI definition in the words of the API that tells it."""
    names: Mapping[str, str] = _HTTP if http else {name: name for name in _REST}
    found = {names[name]: value for name, value in declared.items() if name in names}
    kind = "IntegrationType" if http else "type"
    return {**found, kind: found[kind].upper()} if kind in found else found


def that_call(subject: Subject) -> Document:
    """The APIs outside the stack that call a function of it."""
    wanted = re.compile(re.escape(subject.arn) + r"(?![\w-])")
    return {"Callers": sorted({api for api, uri in subject.account.callers if wanted.search(uri)})}


def targets_of_rule(subject: Subject) -> Document:
    """What a rule starts; its id is `bus|rule` where the bus is not the default one."""
    bus, _, name = subject.id.rpartition("|")
    which = {"EventBusName": bus} if bus else {}
    found = subject.ask("events", "list_targets_by_rule", Rule=name.rpartition("/")[2], **which)
    return {"Targets": [{"Id": one["Id"], "Arn": one["Arn"]} for one in found.get("Targets", [])]}

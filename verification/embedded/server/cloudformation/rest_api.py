"""Overlay of AWS::ApiGateway: what a REST API's stage logs, its endpoint as the API spells it; and secrets' policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import apigateway_v1, secretsmanager

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Attributes, Made, Properties

require(
    apigateway_v1,
    "_account_settings",
    "_authorizers_v1",
    "_import_path_item",
    "_import_security_schemes",
    "_resources",
    "_rest_apis",
    "_stages_v1",
)
require(secretsmanager, "_delete_resource_policy", "_put_resource_policy", "_resolve")

API = "AWS::ApiGateway::RestApi"
STAGE = "AWS::ApiGateway::Stage"
SECRET_POLICY = "AWS::SecretsManager::ResourcePolicy"  # noqa: S105 - a resource type


def install() -> None:
    """Lay the overlay over MiniStack."""
    import_in_place()
    hooks.after(API, settle_api)
    hooks.after(STAGE, settle_stage)
    hooks.register(SECRET_POLICY, create=put_policy, update=replace_policy, delete=delete_policy)


def import_in_place() -> None:
    """Keep an API's id when its definition changes, as on AWS; MiniStack makes another API."""
    its = hooks.handler(API)
    change = its["update"]

    def update(physical_id: str, old: Properties, new: Properties, stack_name: str, *rest: Any) -> Made:
        body = new.get("Body")
        if isinstance(body, Mapping) and body != old.get("Body"):
            replace_definition(physical_id, body)
            old = {**old, "Body": body}
        made: Made = change(physical_id, old, new, stack_name, *rest)
        return made

    its["update"] = update


def replace_definition(api_id: str, body: Mapping[str, Any]) -> None:
    """Replace an API's resources, methods and authorizers by those of a definition, all but the root."""
    resources = apigateway_v1._resources[api_id]
    for resource_id, resource in list(resources.items()):
        if resource["path"] == "/":
            resource["resourceMethods"] = {}
        else:
            del resources[resource_id]
    apigateway_v1._authorizers_v1[api_id] = {}
    schemes = apigateway_v1._import_security_schemes(api_id, body)
    for path, item in (body.get("paths") or {}).items():
        apigateway_v1._import_path_item(api_id, path, item, schemes, body.get("security"))


def settle_api(physical_id: str, new: Properties, _old: Properties, _attributes: Attributes) -> None:
    """Store the endpoint as the API spells it, and whether the API's own name is switched off."""
    api = apigateway_v1._rest_apis[physical_id]
    api["endpointConfiguration"] = hooks.camel_case(new.get("EndpointConfiguration") or {"types": ["EDGE"]})
    api["disableExecuteApiEndpoint"] = hooks.as_bool(new.get("DisableExecuteApiEndpoint", False))


def settle_stage(_physical_id: str, new: Properties, _old: Properties, _attributes: Attributes) -> None:
    """Store where the stage logs its calls.

    Raises:
        ValueError: The account has no role by which API Gateway may write a log; AWS refuses the stage then.
    """
    wanted: Mapping[str, Any] = new.get("AccessLogSetting") or {}
    if wanted and not (apigateway_v1._account_settings.get("settings") or {}).get("cloudwatchRoleArn"):
        raise ValueError(
            f"{STAGE}: CloudWatch Logs role ARN must be set in account settings to enable logging"
        )
    stage = apigateway_v1._stages_v1[new["RestApiId"]][new["StageName"]]
    stage["accessLogSettings"] = hooks.camel_case(wanted)


def put_policy(_logical_id: str, properties: Properties, _stack_name: str) -> Made:
    """Give a secret its resource policy; Ref gives the secret's ARN."""
    policy = properties["ResourcePolicy"]
    request = {
        "SecretId": properties["SecretId"],
        "ResourcePolicy": policy if isinstance(policy, str) else json.dumps(policy),
    }
    answer = hooks.accepted(secretsmanager._put_resource_policy(request), SECRET_POLICY)
    return json.loads(answer[2])["ARN"], {}


def replace_policy(physical_id: str, _old: Properties, new: Properties, stack_name: str) -> Made:
    """Rewrite the policy; CloudFormation then deletes that of another secret."""
    return put_policy(physical_id, new, stack_name)


def delete_policy(physical_id: str, _properties: Properties) -> None:
    """Delete the policy; a secret that is gone has none."""
    if secretsmanager._resolve(physical_id)[1]:
        hooks.accepted(secretsmanager._delete_resource_policy({"SecretId": physical_id}), SECRET_POLICY)

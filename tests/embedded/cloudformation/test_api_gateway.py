"""What a template declares of HTTP and WebSocket APIs arrives in API Gateway."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.cloudformation.template import ref, resource
from tests.embedded.conftest import Running
from tests.embedded.stacks import deployed

pytestmark = pytest.mark.embedded


BODY: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "titled", "version": "2.1", "description": "told"},
    "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"], "maxAge": 5},
    "tags": [{"name": "Made", "x-amazon-apigateway-tag-value": "by-body"}],
    "components": {
        "securitySchemes": {
            "users": {
                "type": "oauth2",
                "x-amazon-apigateway-authorizer": {
                    "type": "jwt",
                    "identitySource": "$request.header.Authorization",
                    "jwtConfiguration": {"issuer": "https://issuer.example", "audience": ["me"]},
                },
            }
        }
    },
    "paths": {
        "/open": {
            "get": {
                "x-amazon-apigateway-integration": {
                    "type": "http_proxy",
                    "httpMethod": "GET",
                    "uri": "https://x.example",
                }
            }
        },
        "/closed": {
            "x-amazon-apigateway-any-method": {
                "security": [{"users": ["read"]}],
                "x-amazon-apigateway-integration": {
                    "type": "http_proxy",
                    "httpMethod": "GET",
                    "uri": "https://y.example",
                    "payloadFormatVersion": "1.0",
                    "timeoutInMillis": 1234,
                },
            }
        },
    },
}


def test_definition_is_imported_and_replaced(cloud: Running) -> None:
    api = resource("ApiGatewayV2::Api", Body=BODY)
    stage = resource(
        "ApiGatewayV2::Stage",
        ApiId=ref("Api"),
        StageName="$default",
        AutoDeploy=True,
        DefaultRouteSettings={"ThrottlingBurstLimit": "100", "ThrottlingRateLimit": "50"},
        RouteSettings={"GET /open": {"DetailedMetricsEnabled": "true"}},
    )
    template = {"Resources": {"Api": api, "Stage": stage}}
    gateway = cloud.client("apigatewayv2")
    with deployed(cloud, template) as stack:
        known = {"ApiId": stack.id_of("Api")}
        found = gateway.get_api(**known)
        routes = {route["RouteKey"]: route for route in gateway.get_routes(**known)["Items"]}
        integrations = {one["IntegrationId"]: one for one in gateway.get_integrations(**known)["Items"]}
        settings = gateway.get_stage(**known, StageName="$default")

        assert (found["Name"], found["Version"], found["Description"]) == ("titled", "2.1", "told")
        assert found["CorsConfiguration"] == {"AllowOrigins": ["https://a.example"], "MaxAge": 5}
        assert found["Tags"]["Made"] == "by-body"
        assert set(routes) == {"GET /open", "ANY /closed"}
        closed = routes["ANY /closed"]
        assert (closed["AuthorizationType"], closed["AuthorizationScopes"]) == ("JWT", ["read"])
        authorizer = gateway.get_authorizer(**known, AuthorizerId=closed["AuthorizerId"])
        assert authorizer["JwtConfiguration"] == {"Issuer": "https://issuer.example", "Audience": ["me"]}
        target = integrations[closed["Target"].rpartition("/")[2]]
        assert (target["IntegrationUri"], target["TimeoutInMillis"]) == ("https://y.example", 1234)
        assert settings["DefaultRouteSettings"]["ThrottlingRateLimit"] == 50.0
        assert settings["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 100
        assert settings["RouteSettings"]["GET /open"]["DetailedMetricsEnabled"] is True

        other = copy.deepcopy(template)
        body = other["Resources"]["Api"]["Properties"]["Body"]
        body["paths"]["/new"] = body["paths"].pop("/closed")
        del body["x-amazon-apigateway-cors"]
        other["Resources"]["Stage"]["Properties"]["DefaultRouteSettings"] = {"ThrottlingBurstLimit": 9}
        assert stack.update(other) == "UPDATE_COMPLETE", stack.reasons()
        after = {route["RouteKey"]: route for route in gateway.get_routes(**known)["Items"]}
        settings = gateway.get_stage(**known, StageName="$default")

        assert set(after) == {"GET /open", "ANY /new"}
        assert after["GET /open"]["RouteId"] == routes["GET /open"]["RouteId"]
        assert "CorsConfiguration" not in gateway.get_api(**known)
        assert settings["DefaultRouteSettings"] == {
            "DetailedMetricsEnabled": False,
            "ThrottlingBurstLimit": 9,
        }


def chat(stage_deployment: object) -> dict[str, Any]:
    """A WebSocket API as templates for chats write it, and what `sam init` writes for Application Insights."""
    return {
        "Resources": {
            "Chat": resource(
                "ApiGatewayV2::Api",
                Name="chat",
                ProtocolType="WEBSOCKET",
                RouteSelectionExpression="$request.body.action",
            ),
            "Deployment": resource("ApiGatewayV2::Deployment", ApiId=ref("Chat"), Description="first"),
            "Stage": resource(
                "ApiGatewayV2::Stage", ApiId=ref("Chat"), StageName="live", DeploymentId=stage_deployment
            ),
            "Group": resource(
                "ResourceGroups::Group",
                Name={"Fn::Sub": "insights-${AWS::StackName}"},
                ResourceQuery={"Type": "CLOUDFORMATION_STACK_1_0"},
            ),
            "Insights": resource(
                "ApplicationInsights::Application",
                ResourceGroupName=ref("Group"),
                AutoConfigurationEnabled=True,
            ),
        }
    }


def test_stage_serves_the_deployment_that_it_names(cloud: Running) -> None:
    with deployed(cloud, chat(ref("Deployment"))) as stack:
        gateway, api = cloud.client("apigatewayv2"), stack.id_of("Chat")
        stage = gateway.get_stage(ApiId=api, StageName="live")
        (deployment,) = gateway.get_deployments(ApiId=api)["Items"]

        assert stage["DeploymentId"] == deployment["DeploymentId"] == stack.id_of("Deployment")
        assert deployment["Description"] == "first"
        assert stack.id_of("Insights") == stack.id_of("Group") == f"insights-{stack.name}"
    with pytest.raises(ClientError, match="NotFoundException"):
        gateway.get_api(ApiId=api)


def test_stage_of_an_unknown_deployment_fails(cloud: Running) -> None:
    with pytest.raises(AssertionError, match="not found for API"), deployed(cloud, chat("abc123")):
        pass

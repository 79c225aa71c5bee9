"""The serverless transform resolves what a template leaves to it."""

from __future__ import annotations

import pytest

from tests.embedded.conftest import Running, unique

pytestmark = pytest.mark.embedded


def test_the_serverless_transform_knows_what_parameters_are_given(cloud: Running) -> None:
    """It resolves a Ref in an API's CORS itself; of a parameter with a default that was overridden it must not take that."""
    template = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Origin: {Type: String, Default: "https://default.example"}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {AllowOrigins: [!Ref Origin]}
"""
    formation, gateway = cloud.client("cloudformation"), cloud.client("apigatewayv2")
    name = unique("stack")

    def origins() -> list[str]:
        found = formation.describe_stack_resource(StackName=name, LogicalResourceId="Api")[
            "StackResourceDetail"
        ]
        return list(gateway.get_api(ApiId=found["PhysicalResourceId"])["CorsConfiguration"]["AllowOrigins"])

    given = {"ParameterKey": "Origin", "ParameterValue": "https://given.example"}
    request = {"StackName": name, "TemplateBody": template, "Capabilities": ["CAPABILITY_AUTO_EXPAND"]}
    formation.create_stack(**request, Parameters=[given])
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    created = origins()
    changed = {
        **request,
        "TemplateBody": template.replace("Properties:", "Properties:\n      Description: changed"),
    }
    made = formation.create_change_set(
        **changed, ChangeSetName="kept", Parameters=[{"ParameterKey": "Origin", "UsePreviousValue": True}]
    )
    formation.get_waiter("change_set_create_complete").wait(
        ChangeSetName=made["Id"], WaiterConfig={"Delay": 1}
    )
    formation.execute_change_set(ChangeSetName=made["Id"])
    formation.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    kept = origins()
    formation.delete_stack(StackName=name)

    assert (created, kept) == (["https://given.example"], ["https://given.example"])

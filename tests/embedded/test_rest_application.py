"""tests/applications/rest_api: a REST API with an authorizer, deployed by the plain SAM CLI and called as couriers call it."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.applications import trial
from tests.embedded.conftest import Running, unique
from verification.application import ROOT

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("rest-application")]

STACK = "parcel-lockers-local"
APP = ROOT / "tests" / "applications" / "rest_api"
FORBIDDEN = "User is not authorized to access this resource with an explicit deny in an identity-based policy"


@dataclass(frozen=True)
class Lockers:
    """The deployed application."""

    cloud: Running
    outputs: dict[str, str]

    def ask(
        self, method: str, path: str, token: str | None = None, *, stage: str = "v1", **options: Any
    ) -> requests.Response:
        """Call the API by its own name, as a courier if there is a token."""
        headers = {"Host": f"{self.outputs['ApiId']}.execute-api.us-east-1.amazonaws.com"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        url = f"{self.cloud.state.endpoint}/{stage}{path}"
        ca_bundle = self.cloud.state.ca_bundle
        return requests.request(method, url, headers=headers, verify=ca_bundle, timeout=40, **options)

    def token(self, courier: str, expires_in: int = 600, key: str | None = None) -> str:
        """Return a token as README.md says how to give one."""
        secrets = self.cloud.client("secretsmanager")
        key = key or secrets.get_secret_value(SecretId=self.outputs["TokenSecretArn"])["SecretString"]
        signed = f"{courier}.{int(time.time()) + expires_in}"
        return f"{signed}.{hmac.new(key.encode(), signed.encode(), hashlib.sha256).hexdigest()}"

    def resource(self, logical_id: str) -> str:
        """Return the physical id of a resource."""
        found = self.cloud.client("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def count(self, metric: str) -> float:
        """Return what a metric of the API has added up to."""
        now = datetime.now(UTC)
        points = self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=metric,
            Dimensions=[{"Name": "ApiName", "Value": f"{STACK}-api"}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(float(point["Sum"]) for point in points)


@pytest.fixture(scope="module")
def lockers(cloud: Running, tmp_path_factory: pytest.TempPathFactory) -> Lockers:
    folder = tmp_path_factory.mktemp("rest") / "app"
    shutil.copytree(APP, folder)
    trial.deploy(cloud.state, folder)
    stack = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return Lockers(cloud, {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]})


def test_every_caller_sees_the_stations(lockers: Lockers) -> None:
    answer = lockers.ask("GET", "/stations")

    assert answer.status_code == 200, answer.text
    assert {one["name"] for one in answer.json()["stations"]} == {"harbour", "market", "station"}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/parcels"), ("PUT", "/parcels/KF000001"), ("DELETE", "/parcels/KF000001")]
)
def test_no_other_caller_is_allowed(lockers: Lockers, method: str, path: str) -> None:
    stolen = lockers.token("north", key="k" * 64)
    old = lockers.token("north", expires_in=-1)

    for token in (None, "nonsense"):
        answer = lockers.ask(method, path, token)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    for token in (stolen, old):
        answer = lockers.ask(method, path, token)
        assert (answer.status_code, answer.json()) == (403, {"Message": FORBIDDEN})


def test_a_courier_keeps_parcels(lockers: Lockers) -> None:
    token, other, path = lockers.token("north"), lockers.token("south"), "/parcels/KF123456"

    announced = lockers.ask("PUT", path, token, json={"station": "market"})
    assert announced.status_code == 200, announced.text
    assert lockers.ask("GET", "/parcels", token).json() == {"parcels": [announced.json()]}
    assert lockers.ask("PUT", path, token, json={"station": "market"}).status_code == 200
    assert lockers.ask("PUT", path, token, json={"station": "harbour"}).status_code == 409
    waiting = {one["name"]: one["waiting"] for one in lockers.ask("GET", "/stations").json()["stations"]}
    assert waiting == {"harbour": 0, "market": 1, "station": 0}
    assert lockers.ask("GET", "/parcels", other).json() == {"parcels": []}
    assert lockers.ask("DELETE", path, other).status_code == 404
    assert lockers.ask("DELETE", path, token).status_code == 204
    assert lockers.ask("GET", "/parcels", token).json() == {"parcels": []}


def test_what_is_wrong_is_said_in_json(lockers: Lockers) -> None:
    token = lockers.token("north")

    assert lockers.ask("PUT", "/parcels/x", token, json={"station": "market"}).status_code == 400
    assert lockers.ask("PUT", "/parcels/KF123456", token, data="{").json() == {
        "message": "the body is no JSON"
    }
    assert lockers.ask("GET", "/none", token).json() == {"message": "Missing Authentication Token"}
    assert lockers.ask("GET", "/stations", stage="v2").json() == {"message": "Forbidden"}


@contextmanager
def without_table(lockers: Lockers) -> Iterator[None]:
    """Let the function that lists stations fail."""
    functions, name = lockers.cloud.client("lambda"), lockers.resource("StationsFunction")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"TABLE_NAME": "none"}}
    )
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment=variables)


def test_a_failing_function_is_a_502_and_counts(lockers: Lockers) -> None:
    calls, errors = lockers.count("Count"), lockers.count("5XXError")

    with without_table(lockers):
        answer = lockers.ask("GET", "/stations")
    again = lockers.ask("GET", "/stations")

    assert (answer.status_code, answer.json()) == (502, {"message": "Internal server error"})
    assert again.status_code == 200
    assert (lockers.count("Count") - calls, lockers.count("5XXError") - errors) == (2, 1)


def test_each_call_is_in_the_access_log(lockers: Lockers) -> None:
    courier = unique("courier")
    lockers.ask("GET", "/parcels", lockers.token(courier))
    lockers.ask("DELETE", "/parcels/KF999999")

    events = lockers.cloud.client("logs").filter_log_events(logGroupName=f"/{STACK}/api")["events"]
    lines = [json.loads(event["message"]) for event in events]
    (allowed,) = [line for line in lines if line["courier"] == courier]
    refused = [line for line in lines if line["method"] == "DELETE" and line["status"] == "401"][-1]
    assert (allowed["method"], allowed["resource"], allowed["status"]) == ("GET", "/parcels", "200")
    assert allowed["trace"].startswith("1-")
    assert (refused["resource"], refused["courier"], refused["error"]) == (
        "/parcels/{code}",
        "-",
        "Unauthorized",
    )


def test_what_the_template_declares_is_live(lockers: Lockers) -> None:
    gateway, api_id = lockers.cloud.client("apigateway"), lockers.outputs["ApiId"]

    stage = gateway.get_stage(restApiId=api_id, stageName="v1")
    secret = lockers.cloud.client("secretsmanager").get_resource_policy(
        SecretId=lockers.outputs["TokenSecretArn"]
    )

    assert gateway.get_rest_api(restApiId=api_id)["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert f":log-group:/{STACK}/api" in stage["accessLogSettings"]["destinationArn"]
    limits = stage["methodSettings"]["*/*"]
    assert (limits["throttlingRateLimit"], limits["throttlingBurstLimit"]) == (50.0, 100)
    (statement,) = json.loads(secret["ResourcePolicy"])["Statement"]
    assert (statement["Sid"], statement["Effect"]) == ("TlsOnly", "Deny")


def test_no_stage_logs_without_the_accounts_role(lockers: Lockers) -> None:
    gateway, formation = lockers.cloud.client("apigateway"), lockers.cloud.client("cloudformation")
    role, stack = gateway.get_account()["cloudwatchRoleArn"], unique("no-role")
    method = {"HttpMethod": "GET", "AuthorizationType": "NONE", "Integration": {"Type": "MOCK"}}
    api = {"RestApiId": {"Ref": "Api"}}
    log = {"DestinationArn": {"Fn::GetAtt": ["Log", "Arn"]}, "Format": "$context.requestId"}
    resources = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": stack}},
        "Log": {"Type": "AWS::Logs::LogGroup"},
        "Get": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {**api, **method, "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]}},
        },
        "Deployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Get", "Properties": api},
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                **api,
                "DeploymentId": {"Ref": "Deployment"},
                "StageName": "v1",
                "AccessLogSetting": log,
            },
        },
    }

    change = {"op": "replace", "path": "/cloudwatchRoleArn"}
    gateway.update_account(patchOperations=[{**change, "value": ""}])
    try:
        formation.create_stack(
            StackName=stack, TemplateBody=json.dumps({"Resources": resources}), OnFailure="DO_NOTHING"
        )
        events = failed(formation, stack)
    finally:
        gateway.update_account(patchOperations=[{**change, "value": role}])
        formation.delete_stack(StackName=stack)
    assert "CloudWatch Logs role ARN must be set in account settings to enable logging" in events["Stage"]


def failed(formation: Any, stack: str) -> dict[str, str]:
    """Return why each resource of a stack could not be created, once the stack has ended."""
    end = time.monotonic() + 20
    while formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS":
        assert time.monotonic() < end
        time.sleep(0.1)
    events = formation.describe_stack_events(StackName=stack)["StackEvents"]
    return {
        one["LogicalResourceId"]: one.get("ResourceStatusReason", "")
        for one in events
        if one["ResourceStatus"] == "CREATE_FAILED"
    }


def test_another_definition_keeps_the_api(cloud: Running) -> None:
    formation, gateway, stack = cloud.client("cloudformation"), cloud.client("apigateway"), unique("defined")
    mock = {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}

    def template(path: str) -> str:
        body = {"openapi": "3.0.1", "info": {"title": stack, "version": "1"}, "paths": {path: mock}}
        api = {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": stack, "Body": body}}
        return json.dumps({"Resources": {"Api": api}})

    def paths() -> tuple[str, set[str]]:
        found = formation.describe_stack_resource(StackName=stack, LogicalResourceId="Api")
        api_id = found["StackResourceDetail"]["PhysicalResourceId"]
        return api_id, {one["path"] for one in gateway.get_resources(restApiId=api_id)["items"]}

    formation.create_stack(StackName=stack, TemplateBody=template("/first"))
    formation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    api_id, before = paths()
    formation.update_stack(StackName=stack, TemplateBody=template("/second"))
    formation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    after = paths()
    formation.delete_stack(StackName=stack)

    assert before == {"/", "/first"}
    assert after == (api_id, {"/", "/second"})


def test_each_defect_is_one_change_of_the_application() -> None:
    """What is planted by hand goes stale when the application changes."""
    planted = tomllib.loads((APP / "defects.toml").read_text(encoding="utf-8"))["defect"]

    assert len({one["id"] for one in planted}) == len(planted) == 10
    for one in planted:
        for edit in one["edit"]:
            content = (APP / edit["file"]).read_text(encoding="utf-8")
            assert content.count(edit["find"]) == 1, (
                f"{one['id']}: expected once in {edit['file']}: {edit['find']}"
            )
            assert edit["find"] != edit["replace"]

"""What template.yaml and the source have to agree on."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pixel_prompt import __version__
from pixel_prompt.adapters.transport import READ_SECONDS, longest
from pixel_prompt.generation import JOB_SECONDS, MODEL_SECONDS
from pixel_prompt.jobs import KEEP_SECONDS, MESSAGES
from pixel_prompt.models import DEFAULT_MODELS, TEXT_MODEL, VENDORS
from pixel_prompt.settings import ApiSettings, WorkerSettings
from pixel_prompt.worker import RESERVE_SECONDS

ENVIRONMENTS = ("local", "dev", "staging", "prod")


def resource(template: dict[str, Any], name: str) -> Any:
    return template["Resources"][name]["Properties"]


def bedrock_grants(template: dict[str, Any], role: str, action: str = "InvokeModel") -> set[tuple[str, str]]:
    """Region and model of each foundation model that the role may call, or otherwise ask about."""
    (policy,) = resource(template, role)["Policies"]
    grants = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        if statement["Action"] == f"bedrock:{action}":
            targets = (
                statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            )
            for target in targets:
                match = re.fullmatch(r"arn:.+:bedrock:([a-z0-9-]+)::foundation-model/(.+)", target["Sub"])
                assert match
                grants.add((match[1], match[2]))
    return grants


def test_the_roles_may_call_exactly_the_registrys_bedrock_models(template: dict[str, Any]) -> None:
    images = {(model.region, model.vendor_model) for model in DEFAULT_MODELS if model.vendor == "bedrock"}
    assert bedrock_grants(template, "WorkerFunctionRole") == images
    text = {(TEXT_MODEL.region, TEXT_MODEL.vendor_model)}
    assert bedrock_grants(template, "ApiFunctionRole") == text
    assert bedrock_grants(template, "WorkerFunctionRole", "GetFoundationModel") == images | text


@pytest.mark.parametrize("role", ["ApiFunctionRole", "WorkerFunctionRole"])
def test_no_role_has_a_wildcard_where_aws_takes_a_resource(template: dict[str, Any], role: str) -> None:
    for statement in resource(template, role)["Policies"][0]["PolicyDocument"]["Statement"]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        assert not [action for action in actions if "*" in action]
        if statement["Resource"] == "*":
            assert all(action.startswith("xray:") for action in actions)


@pytest.mark.parametrize(
    ("function", "settings"), [("ApiFunction", ApiSettings), ("WorkerFunction", WorkerSettings)]
)
def test_the_functions_get_the_variables_they_read(
    template: dict[str, Any], function: str, settings: Any
) -> None:
    variables = resource(template, function)["Environment"]["Variables"]
    example = dict.fromkeys(variables, "1") | {"MODEL_OVERRIDES": "", "ALLOWED_ADDRESSES": " 192.0.2.1 ,"}
    read = settings.read(example)
    assert len(read.models) == 9
    for name in variables:
        if name not in ("MODEL_OVERRIDES", "ALLOWED_ADDRESSES"):
            with pytest.raises(KeyError):
                settings.read({other: value for other, value in example.items() if other != name})


def test_no_key_is_in_a_functions_environment(template: dict[str, Any]) -> None:
    for function in ("ApiFunction", "WorkerFunction"):
        assert "ApiKey" not in str(resource(template, function)["Environment"])
    for name, parameter in template["Parameters"].items():
        if name.endswith("ApiKey"):
            assert parameter["NoEcho"] is True


def test_the_secret_holds_a_key_for_each_vendor_that_has_one(template: dict[str, Any]) -> None:
    text = resource(template, "ProviderKeys")["SecretString"]["Sub"]
    assert set(re.findall(r'"(\w+)":', text)) == set(VENDORS) - {"bedrock"}
    keys = {name for name, parameter in template["Parameters"].items() if parameter.get("NoEcho")}
    assert {name.removesuffix("ApiKey").lower() for name in keys} == set(VENDORS) - {"bedrock"}


def test_times_fit_into_each_other(template: dict[str, Any]) -> None:
    worker = resource(template, "WorkerFunction")["Timeout"]
    assert set(READ_SECONDS) == set(VENDORS)
    assert max(map(longest, READ_SECONDS.values())) < MODEL_SECONDS
    assert MODEL_SECONDS < JOB_SECONDS + RESERVE_SECONDS < worker
    assert resource(template, "JobsQueue")["VisibilityTimeout"] == 6 * worker
    rules = resource(template, "ImagesBucket")["LifecycleConfiguration"]["Rules"]
    assert rules[0]["ExpirationInDays"] * 86400 == KEEP_SECONDS


def test_the_contract_lists_every_code_and_this_version(openapi: dict[str, Any]) -> None:
    schemas = openapi["components"]["schemas"]
    assert set(schemas["ModelError"]["properties"]["code"]["enum"]) == set(MESSAGES)
    assert set(schemas["Model"]["properties"]["vendor"]["enum"]) == set(VENDORS)
    assert openapi["info"]["version"] == __version__


# Variables of an access log whose value never holds a quotation mark, so that a line stays JSON whatever is asked.
# Source: API Gateway Developer Guide, "Customize HTTP API access logs".
PLAIN = {
    *("error.responseType", "identity.sourceIp", "integrationLatency", "integrationStatus", "requestId"),
    *("requestTime", "responseLatency", "responseLength", "routeKey", "status"),
}


def test_no_request_can_break_the_access_logs_json(template: dict[str, Any]) -> None:
    wanted = resource(template, "HttpApi")["AccessLogSettings"]["Format"]

    variables = re.findall(r"\$context\.([\w.]+)", wanted)
    assert set(variables) <= PLAIN
    line = json.loads(re.sub(r"\$context\.[\w.]+", "-", wanted))
    assert list(line.values()) == ["-"] * len(variables)


def test_what_holds_data_is_kept_unless_its_first_creation_failed(template: dict[str, Any]) -> None:
    """Each failed first deployment left three buckets and a table behind, under names that nobody knows."""
    kept = {
        name: (each["DeletionPolicy"], each["UpdateReplacePolicy"])
        for name, each in template["Resources"].items()
        if each["Type"] in ("AWS::S3::Bucket", "AWS::DynamoDB::Table")
    }
    assert set(kept) == {"ImagesBucket", "SiteBucket", "CdnLogsBucket", "JobsTable"}
    assert set(kept.values()) == {("RetainExceptOnCreate", "Retain")}


def test_a_warning_of_the_import_stops_no_creation(template: dict[str, Any]) -> None:
    """API Gateway warns of what SAM generates: https://github.com/aws/serverless-application-model/issues/2297."""
    assert "FailOnWarnings" not in resource(template, "HttpApi")


def samconfig() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).resolve().parents[1] / "samconfig.toml").read_text())


def test_every_environment_has_a_stack_of_its_own_and_no_secret(template: dict[str, Any]) -> None:
    config = samconfig()
    for environment in ENVIRONMENTS:
        deploy = config[environment]["deploy"]["parameters"]
        assert deploy["stack_name"] == f"pixel-prompt-{environment}"
        overrides = dict(entry.split("=", 1) for entry in deploy["parameter_overrides"])
        assert overrides["Environment"] == environment
        assert set(overrides) <= set(template["Parameters"])
        assert not [name for name in overrides if name.endswith("ApiKey")]


def test_the_embedded_cloud_rehearses_staging() -> None:
    def overrides(environment: str) -> dict[str, str]:
        entries = samconfig()[environment]["deploy"]["parameters"]["parameter_overrides"]
        return dict(entry.split("=", 1) for entry in entries)

    local, staging = overrides("local"), overrides("staging")
    # Whoever verifies calls again and again from one address.
    assert local.pop("AllowedAddresses") == "127.0.0.1"
    # A real address is its owner's to name, and to confirm.
    assert local.pop("AlarmEmail").endswith(".example")
    # The embedded account comes with a certificate; a real one's is its owner's to name.
    assert ":certificate/" in local.pop("CdnCertificateArn")
    assert ":certificate/" in local.pop("SiteCertificateArn")
    assert local | {"Environment": "staging"} == staging

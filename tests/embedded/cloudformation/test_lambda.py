"""What a template declares of a function and of its event sources arrives in Lambda."""

from __future__ import annotations

import pytest

from tests.embedded.cloudformation.template import arn, changed, resource
from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack, deployed

pytestmark = pytest.mark.embedded


def test_function_settings(full: Stack) -> None:
    functions, name = full.cloud.client("lambda"), full.id_of("Function")
    config = functions.get_function_configuration(FunctionName=name)

    assert functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 7
    assert config["DeadLetterConfig"]["TargetArn"].endswith(full.id_of("DeadLetters").rpartition("/")[2])
    assert config["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": f"/aws/lambda/{name}"}
    assert config["TracingConfig"] == {"Mode": "Active"}
    assert config["Architectures"] == ["arm64"]


def test_function_update(restored: Stack) -> None:
    changes = {"ReservedConcurrentExecutions": None, "DeadLetterConfig": None, "LoggingConfig": None}
    assert restored.update(changed(Function=changes)) == "UPDATE_COMPLETE", restored.reasons()
    functions, name = restored.cloud.client("lambda"), restored.id_of("Function")
    config = functions.get_function_configuration(FunctionName=name)

    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)
    assert not config.get("DeadLetterConfig", {}).get("TargetArn")
    assert config["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}


def test_event_source_settings(full: Stack) -> None:
    mapping = full.cloud.client("lambda").get_event_source_mapping(UUID=full.id_of("Source"))

    assert mapping["State"] == "Disabled"
    assert mapping["BatchSize"] == 7
    assert mapping["MaximumBatchingWindowInSeconds"] == 5
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 7}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_event_source_update(restored: Stack) -> None:
    changes = {"Enabled": True, "ScalingConfig": None, "FunctionResponseTypes": None, "BatchSize": None}
    assert restored.update(changed(Source=changes)) == "UPDATE_COMPLETE", restored.reasons()
    mapping = restored.cloud.client("lambda").get_event_source_mapping(UUID=restored.id_of("Source"))

    assert mapping["State"] == "Enabled"
    assert mapping["BatchSize"] == 10
    assert not mapping.get("ScalingConfig")
    assert not mapping.get("FunctionResponseTypes")


def test_variables_of_a_function_are_text(cloud: Running) -> None:
    """Templates write `true` and `5` without quotes; Lambda answers with text, whatever a template says."""
    role = resource(
        "IAM::Role",
        AssumeRolePolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        },
    )
    function = resource(
        "Lambda::Function",
        Runtime="python3.13",
        Handler="index.handler",
        Role=arn("Role"),
        Code={"ZipFile": "def handler(event, context): pass"},
        Environment={"Variables": {"CAPTURE": True, "LIMIT": 5, "LEVEL": "INFO"}},
    )
    with deployed(cloud, {"Resources": {"Role": role, "Function": function}}) as stack:
        told = cloud.client("lambda").get_function_configuration(FunctionName=stack.id_of("Function"))

    assert told["Environment"]["Variables"] == {"CAPTURE": "true", "LIMIT": "5", "LEVEL": "INFO"}

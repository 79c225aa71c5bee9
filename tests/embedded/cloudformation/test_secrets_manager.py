"""What a template declares of a secret and of its rotation arrives in Secrets Manager."""

from __future__ import annotations

import pytest

from tests.embedded.cloudformation.template import changed
from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack, deployed

pytestmark = pytest.mark.embedded


def test_secret_is_named_by_its_arn(restored: Stack) -> None:
    secret = restored.outputs["Secret"]
    formation = restored.cloud.client("cloudformation")
    drift = formation.detect_stack_resource_drift(StackName=restored.name, LogicalResourceId="Secret")
    assert drift["StackResourceDrift"]["StackResourceDriftStatus"] == "IN_SYNC"
    assert secret.startswith("arn:aws:secretsmanager:")

    assert restored.update(changed(Secret={"SecretString": '{"a":1}'})) == "UPDATE_COMPLETE", (
        restored.reasons()
    )
    assert restored.outputs["Secret"] == secret
    found = restored.cloud.client("secretsmanager").get_secret_value(SecretId=secret)
    assert found["SecretString"] == '{"a":1}'


def test_rotation_comes_and_goes_with_its_schedule(cloud: Running) -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:rotate"
    rules = {"AutomaticallyAfterDays": "30"}
    rotation = {"SecretId": {"Ref": "Secret"}, "RotationLambdaARN": function, "RotationRules": rules}
    secret = {"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {}}}}
    schedule = {"Rotation": {"Type": "AWS::SecretsManager::RotationSchedule", "Properties": rotation}}
    secrets = cloud.client("secretsmanager")
    with deployed(cloud, {"Resources": secret | schedule}) as stack:
        name = stack.id_of("Secret")
        found = secrets.describe_secret(SecretId=name)
        assert stack.id_of("Rotation") == found["ARN"]
        assert (found["RotationEnabled"], found["RotationLambdaARN"]) == (True, function)
        assert found["RotationRules"] == {"AutomaticallyAfterDays": 30}

        assert stack.update({"Resources": secret}) == "UPDATE_COMPLETE", stack.reasons()

        found = secrets.describe_secret(SecretId=name)
        assert not found.get("RotationEnabled")
        assert "RotationLambdaARN" not in found

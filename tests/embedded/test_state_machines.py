"""A state machine has the settings of its template, does what its role may, and leaves log and metrics."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import deployed

pytestmark = pytest.mark.embedded

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
DELIVERY = {"Effect": "Allow", "Action": "logs:CreateLogDelivery", "Resource": "*"}
EVENTS = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
PASS = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}


def make_role(cloud: Running, *statements: dict[str, Any]) -> str:
    iam, name = cloud.client("iam"), unique("machine")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy)
    return str(role["Role"]["Arn"])


def make_machine(cloud: Running, definition: dict[str, Any], role: str, **settings: Any) -> str:
    return str(
        cloud.client("stepfunctions").create_state_machine(
            name=unique("machine"), definition=json.dumps(definition), roleArn=role, **settings
        )["stateMachineArn"]
    )


def task(resource: str, **parameters: Any) -> dict[str, Any]:
    return {
        "StartAt": "Do",
        "States": {
            "Do": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True},
        },
    }


def ended(cloud: Running, machine: str, given: str = "{}") -> dict[str, Any]:
    """Run a machine and return how its execution ended."""
    states = cloud.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    end = time.monotonic() + 15.0
    while (found := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < end, "the execution does not end"
        time.sleep(0.1)
    answer: dict[str, Any] = found
    return answer


def log_lines(cloud: Running, group: str) -> list[dict[str, Any]]:
    found = cloud.client("logs").filter_log_events(logGroupName=group)["events"]
    return [json.loads(event["message"]) for event in found]


def test_logging_and_tracing_of_a_template_arrive_and_go_again(cloud: Running) -> None:
    role, group = make_role(cloud), unique("/machine")
    machine: dict[str, Any] = {
        "DefinitionString": json.dumps(PASS),
        "RoleArn": role,
        "LoggingConfiguration": {
            "Level": "ALL",
            "IncludeExecutionData": "true",
            "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::GetAtt": ["Log", "Arn"]}}}],
        },
        "TracingConfiguration": {"Enabled": "true"},
    }
    template: dict[str, Any] = {
        "Resources": {
            "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": group}},
            "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
        }
    }
    states = cloud.client("stepfunctions")
    with deployed(cloud, template) as stack:
        arn = stack.id_of("Machine")
        live = states.describe_state_machine(stateMachineArn=arn)
        assert live["tracingConfiguration"] == {"enabled": True}
        logging = live["loggingConfiguration"]
        assert (logging["level"], logging["includeExecutionData"]) == ("ALL", True)
        (destination,) = logging["destinations"]
        assert group in destination["cloudWatchLogsLogGroup"]["logGroupArn"]

        del machine["LoggingConfiguration"], machine["TracingConfiguration"]
        assert stack.update(template) == "UPDATE_COMPLETE", stack.reasons()

        live = states.describe_state_machine(stateMachineArn=arn)
        assert live["tracingConfiguration"] == {"enabled": False}
        assert live["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}


def test_a_definition_in_yaml_is_kept_as_json(cloud: Running) -> None:
    s3, bucket = cloud.client("s3"), unique("definitions")
    s3.create_bucket(Bucket=bucket)
    text = "StartAt: Wait\nStates:\n  Wait: {Type: Wait, Seconds: 1, End: true, Comment: '${Why}'}\n"
    s3.put_object(Bucket=bucket, Key="machine.asl.yaml", Body=text)
    machine = {
        "DefinitionS3Location": {"Bucket": bucket, "Key": "machine.asl.yaml"},
        "DefinitionSubstitutions": {"Why": "a pause"},
        "RoleArn": make_role(cloud),
    }
    template = {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}}}
    with deployed(cloud, template) as stack:
        live = cloud.client("stepfunctions").describe_state_machine(stateMachineArn=stack.id_of("Machine"))
        state = json.loads(live["definition"])["States"]["Wait"]

    assert state == {"Type": "Wait", "Seconds": 1, "End": True, "Comment": "a pause"}


def test_tracing_is_kept_by_the_api(cloud: Running) -> None:
    states = cloud.client("stepfunctions")
    arn = make_machine(cloud, PASS, make_role(cloud), tracingConfiguration={"enabled": True})
    assert states.describe_state_machine(stateMachineArn=arn)["tracingConfiguration"] == {"enabled": True}
    states.update_state_machine(stateMachineArn=arn, tracingConfiguration={"enabled": False})
    assert states.describe_state_machine(stateMachineArn=arn)["tracingConfiguration"] == {"enabled": False}


@pytest.mark.parametrize("allowed", [True, False])
def test_a_task_does_what_the_role_may(
    cloud: Running, make_function: Callable[..., str], allowed: bool
) -> None:
    function = make_function("def handler(event, context):\n    return {'done': True}\n")
    arn = cloud.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    resource = arn if allowed else f"{arn}-other"
    role = make_role(cloud, {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resource})
    definition = task("arn:aws:states:::lambda:invoke", FunctionName=arn)

    found = ended(cloud, make_machine(cloud, definition, role))

    if allowed:
        assert json.loads(found["output"])["Payload"] == {"done": True}
    else:
        assert (found["status"], found["error"]) == ("FAILED", "Lambda.AWSLambdaException")
        assert "not authorized to perform: lambda:InvokeFunction" in found["cause"]


@pytest.mark.parametrize(
    ("resource", "parameters", "error"),
    [
        ("sqs:sendMessage", {"QueueUrl": "https://sqs/1/q", "MessageBody": "m"}, "SQS.AmazonSQSException"),
        ("sns:publish", {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": "m"}, "SNS.AmazonSNSException"),
        ("dynamodb:putItem", {"TableName": "t", "Item": {}}, "DynamoDB.AmazonDynamoDBException"),
    ],
)
def test_a_role_without_rights_can_do_nothing(
    cloud: Running, resource: str, parameters: dict[str, Any], error: str
) -> None:
    definition = task(f"arn:aws:states:::{resource}", **parameters)

    found = ended(cloud, make_machine(cloud, definition, make_role(cloud)))

    assert (found["status"], found["error"]) == ("FAILED", error)


@pytest.mark.parametrize(
    ("level", "data", "wanted"), [("ALL", True, EVENTS), ("ALL", False, EVENTS), ("ERROR", True, [])]
)
def test_the_log_has_what_its_level_lets_through(
    cloud: Running, level: str, data: bool, wanted: list[str]
) -> None:
    logs, group = cloud.client("logs"), unique("/machine")
    logs.create_log_group(logGroupName=group)
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["arn"]
    settings = {
        "level": level,
        "includeExecutionData": data,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
    }
    machine = make_machine(cloud, PASS, make_role(cloud, DELIVERY), loggingConfiguration=settings)
    ended(cloud, machine, '{"secret": 1}')
    silent = make_machine(cloud, PASS, make_role(cloud), loggingConfiguration=settings)
    assert ended(cloud, silent)["status"] == "SUCCEEDED"

    lines = log_lines(cloud, group)

    assert [line["type"] for line in lines] == wanted, "or a role wrote that may not"
    assert ("secret" in json.dumps(lines)) == bool(data and wanted)


def test_executions_are_counted(cloud: Running) -> None:
    fail = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "No"}}}
    machine = make_machine(cloud, fail, make_role(cloud))
    ended(cloud, machine)
    counted = {}
    for metric in ("ExecutionsStarted", "ExecutionsFailed", "ExecutionsSucceeded"):
        points = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/States",
            MetricName=metric,
            Dimensions=[{"Name": "StateMachineArn", "Value": machine}],
            StartTime=time.time() - 600,
            EndTime=time.time() + 60,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        counted[metric] = sum(point["Sum"] for point in points)
    assert counted == {"ExecutionsStarted": 1, "ExecutionsFailed": 1, "ExecutionsSucceeded": 0}

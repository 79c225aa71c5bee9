"""EventBridge delivers what targets let it, keeps the rest as dead letters, and tells the version of an S3 object."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.conftest import Running, unique

pytestmark = pytest.mark.embedded

PATIENCE_SECONDS = 15.0
ADMITTED = {"Service": "events.amazonaws.com"}


def make_queue(cloud: Running) -> tuple[str, str]:
    """Return URL and ARN of a new queue that admits nobody."""
    queues = cloud.client("sqs")
    url = queues.create_queue(QueueName=unique("queue"))["QueueUrl"]
    answer = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, answer["Attributes"]["QueueArn"]


def admit(cloud: Running, queue: tuple[str, str], rule_arn: str) -> None:
    """Let a rule send to a queue."""
    statement = {
        "Effect": "Allow",
        "Principal": ADMITTED,
        "Action": "sqs:SendMessage",
        "Resource": queue[1],
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.client("sqs").set_queue_attributes(QueueUrl=queue[0], Attributes={"Policy": policy})


def make_rule(cloud: Running, pattern: dict[str, Any], **target: Any) -> tuple[str, str]:
    """Return name and ARN of a new rule with one target."""
    events, name = cloud.client("events"), unique("rule")
    arn = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "one", **target}])
    return name, arn


def send(cloud: Running, source: str) -> None:
    entry = {"Source": source, "DetailType": "Test", "Detail": '{"a": 1}'}
    cloud.client("events").put_events(Entries=[entry])


def received(cloud: Running, url: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any] | None:
    """Return the first message that arrives, or None when none does in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = cloud.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])
        if answer.get("Messages"):
            found: dict[str, Any] = answer["Messages"][0]
            return found
        time.sleep(0.1)
    return None


def total(cloud: Running, metric: str, rule: str) -> float:
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Events",
        MetricName=metric,
        Dimensions=[{"Name": "RuleName", "Value": rule}],
        StartTime=time.time() - 600,
        EndTime=time.time() + 60,
        Period=60,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))


def test_a_queue_gets_what_its_policy_admits(cloud: Running) -> None:
    queue, source = make_queue(cloud), unique("source")
    name, arn = make_rule(cloud, {"source": [source]}, Arn=queue[1])
    admit(cloud, queue, arn)

    send(cloud, source)

    found = received(cloud, queue[0])
    assert found is not None
    assert json.loads(found["Body"])["detail"] == {"a": 1}
    assert (total(cloud, "Invocations", name), total(cloud, "FailedInvocations", name)) == (1, 0)


@pytest.mark.parametrize(
    ("absent", "code"), [(False, "NO_PERMISSIONS"), (True, "RESOURCE_NOT_FOUND")], ids=["refused", "absent"]
)
def test_what_cannot_be_delivered_becomes_a_dead_letter(cloud: Running, absent: bool, code: str) -> None:
    queue, dead, source = make_queue(cloud), make_queue(cloud), unique("source")
    target = f"{queue[1]}-absent" if absent else queue[1]
    name, arn = make_rule(cloud, {"source": [source]}, Arn=target, DeadLetterConfig={"Arn": dead[1]})
    admit(cloud, dead, arn)

    send(cloud, source)

    found = received(cloud, dead[0])
    assert found is not None
    told = {key: value["StringValue"] for key, value in found["MessageAttributes"].items()}
    assert (told["ERROR_CODE"], told["RULE_ARN"], told["TARGET_ARN"]) == (code, arn, target)
    assert json.loads(found["Body"])["source"] == source
    assert received(cloud, queue[0], seconds=0.5) is None
    assert (total(cloud, "FailedInvocations", name), total(cloud, "InvocationsSentToDlq", name)) == (1, 1)


def test_dead_letters_need_a_permission_too(cloud: Running) -> None:
    queue, dead, source = make_queue(cloud), make_queue(cloud), unique("source")
    name, _ = make_rule(cloud, {"source": [source]}, Arn=queue[1], DeadLetterConfig={"Arn": dead[1]})

    send(cloud, source)

    assert received(cloud, dead[0], seconds=0.5) is None
    assert total(cloud, "InvocationsFailedToBeSentToDlq", name) == 1


@pytest.mark.parametrize("admitted", [True, False])
def test_a_function_runs_for_a_rule_that_it_admits(
    cloud: Running, make_role: Callable[..., str], make_function: Callable[..., str], admitted: bool
) -> None:
    """What fails goes where the function's settings say, so that the queue tells whether it ran."""
    functions, failed, source = cloud.client("lambda"), make_queue(cloud), unique("source")
    role = make_role({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": failed[1]})
    function = make_function("def handler(event, context):\n    raise ValueError('no')\n", Role=role)
    functions.put_function_event_invoke_config(
        FunctionName=function,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": failed[1]}},
    )
    arn = functions.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    _, rule = make_rule(cloud, {"source": [source]}, Arn=arn)
    functions.add_permission(
        FunctionName=function,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule if admitted else f"{rule}-other",
    )

    send(cloud, source)

    found = received(cloud, failed[0], PATIENCE_SECONDS if admitted else 1.0)
    assert (found is not None) == admitted
    if found is not None:
        assert json.loads(found["Body"])["requestPayload"]["source"] == source


def test_a_failure_goes_nowhere_that_the_functions_role_may_not_send_to(
    cloud: Running, make_function: Callable[..., str]
) -> None:
    functions, failed = cloud.client("lambda"), make_queue(cloud)
    function = make_function("def handler(event, context):\n    raise ValueError('no')\n")
    functions.put_function_event_invoke_config(
        FunctionName=function,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": failed[1]}},
    )

    functions.invoke(FunctionName=function, InvocationType="Event", Payload="{}")

    assert received(cloud, failed[0], seconds=2.0) is None


def test_an_event_of_s3_tells_the_objects_version(cloud: Running) -> None:
    s3, bucket, queue = cloud.client("s3"), unique("bucket"), make_queue(cloud)
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    _, arn = make_rule(cloud, pattern, Arn=queue[1])
    admit(cloud, queue, arn)

    version = s3.put_object(Bucket=bucket, Key="a b.txt", Body=b"x")["VersionId"]

    found = received(cloud, queue[0])
    assert found is not None
    told = json.loads(found["Body"])["detail"]["object"]
    assert (told["key"], told["version-id"]) == ("a b.txt", version)


def test_a_queue_tells_the_age_of_its_oldest_message(cloud: Running) -> None:
    queue = make_queue(cloud)
    cloud.client("sqs").send_message(QueueUrl=queue[0], MessageBody="old")
    wanted = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": queue[1].rpartition(":")[2]}],
    }
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := _points(cloud, wanted)):
        assert time.monotonic() < end, "nobody tells its age"
        time.sleep(0.5)
    assert max(point["Maximum"] for point in found) >= 0


def _points(cloud: Running, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    answer = cloud.client("cloudwatch").get_metric_statistics(
        **wanted, StartTime=time.time() - 600, EndTime=time.time() + 60, Period=60, Statistics=["Maximum"]
    )
    found: list[dict[str, Any]] = answer["Datapoints"]
    return found


@pytest.mark.parametrize("admitted", [True, False])
def test_s3_notifies_a_function_that_admits_it(
    cloud: Running, make_role: Callable[..., str], make_function: Callable[..., str], admitted: bool
) -> None:
    functions, s3, failed = cloud.client("lambda"), cloud.client("s3"), make_queue(cloud)
    role = make_role({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": failed[1]})
    function = make_function("def handler(event, context):\n    raise ValueError('no')\n", Role=role)
    functions.put_function_event_invoke_config(
        FunctionName=function,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": failed[1]}},
    )
    arn = functions.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    bucket = unique("bucket")
    s3.create_bucket(Bucket=bucket)
    functions.add_permission(
        FunctionName=function,
        StatementId="bucket",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}" if admitted else "arn:aws:s3:::another",
    )
    wanted = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [wanted]}
    )

    s3.put_object(Bucket=bucket, Key="x", Body=b"x")

    assert (received(cloud, failed[0], PATIENCE_SECONDS if admitted else 1.0) is not None) == admitted

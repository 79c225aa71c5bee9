"""readiness/aws/cloudformation.py"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from readiness.aws.cloudformation import CloudFormationStack, StackResource
from readiness.errors import Missing, Unverified
from tests.probes.server import Reply

TEMPLATE = {
    "Parameters": {"AllowedOrigins": {"Type": "String", "Default": "https://a.example"}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain"}},
    "Outputs": {"TopicArn": {"Value": {"Ref": "Topic"}}, "Name": {"Value": "some name"}},
}
YAML = """
Resources:
  Topic:
    Type: AWS::SNS::Topic
    DeletionPolicy: Retain
    Properties:
      TopicName: !Sub "${AWS::StackName}-topic"
"""


@pytest.fixture
def create(env, unique):
    def create(template=TEMPLATE, **settings):
        body = template if isinstance(template, str) else json.dumps(template)
        env.client("cloudformation").create_stack(StackName=unique, TemplateBody=body, **settings)
        return CloudFormationStack(env, unique)

    return create


def test_a_stack_is_read(create):
    stack = create()

    assert stack.status == "CREATE_COMPLETE"
    assert stack.output("Name") == "some name"
    assert stack.parameter("AllowedOrigins") == "https://a.example"
    assert stack.physical_id("Topic") == stack.output("TopicArn")
    assert stack.resources["Topic"] == StackResource(
        "Topic", stack.output("TopicArn"), "AWS::SNS::Topic", "CREATE_COMPLETE"
    )
    assert not stack.termination_protection


def test_termination_protection_is_read(create):
    assert create(EnableTerminationProtection=True).termination_protection


def test_an_output_that_is_missing_names_those_there_are(create):
    with pytest.raises(Missing, match=r"has no output 'ApiEndpoint' \(has: Name, TopicArn\); declare it in"):
        create().output("ApiEndpoint")


def test_a_stack_without_outputs_says_so(create):
    with pytest.raises(Missing, match=r"has no output 'ApiEndpoint' \(has: none\)"):
        create({"Resources": TEMPLATE["Resources"]}).output("ApiEndpoint")


def test_a_parameter_that_is_missing_is_a_failure(create):
    with pytest.raises(Missing, match=r"CloudFormationStack\(name='thing-\d+'\) has no parameter 'Nothing'"):
        create().parameter("Nothing")


def test_a_resource_that_is_missing_is_a_failure(create):
    with pytest.raises(Missing, match="has no resource 'Nothing'; declare it in "):
        create().physical_id("Nothing")


def test_the_template_is_read_as_deployed(create):
    assert create().template["Resources"]["Topic"]["DeletionPolicy"] == "Retain"


def test_a_template_that_no_transform_has_seen_is_unverified(create):
    with pytest.raises(
        Unverified, match=r"CloudFormationStack\(name='thing-\d+'\) was deployed without the SAM"
    ):
        _ = create(YAML).template


def test_a_resource_that_was_never_made_has_no_physical_id(scripted, stub):
    member = (
        "<member><LogicalResourceId>Bucket</LogicalResourceId><ResourceType>AWS::S3::Bucket</ResourceType>"
        "<ResourceStatus>CREATE_FAILED</ResourceStatus></member>"
    )
    body = (
        "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>"
        f"{member}</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>"
    )
    stub.replies(Reply(200, body.encode(), {"Content-Type": "text/xml"}))

    resources = CloudFormationStack(scripted, "some-stack").resources

    assert resources == {"Bucket": StackResource("Bucket", "", "AWS::S3::Bucket", "CREATE_FAILED")}


def test_a_stack_that_does_not_exist_settles_nothing(env):
    with pytest.raises(Exception, match="does not exist"):
        _ = CloudFormationStack(env, "never-made").status


def event(status, minute, logical_id="Door"):
    return {"LogicalResourceId": logical_id, "ResourceStatus": status, "Timestamp": at(minute)}


def at(minute):
    return datetime(2026, 11, 24, 12, minute, tzinfo=UTC)


def with_events(env, *events):
    stack = CloudFormationStack(env, "some-stack")
    vars(stack)["events"] = list(reversed(events))
    return stack


def test_the_latest_change_is_timed_from_its_first_word(env):
    stack = with_events(
        env,
        event("CREATE_IN_PROGRESS", 0),
        event("CREATE_COMPLETE", 1),
        event("UPDATE_IN_PROGRESS", 10),
        event("UPDATE_IN_PROGRESS", 11),
        event("UPDATE_COMPLETE", 12, "Window"),
        event("UPDATE_COMPLETE", 14),
        event("UPDATE_IN_PROGRESS", 20),
        event("UPDATE_FAILED", 50),
    )

    assert stack.latest_change("Door") == (at(10), timedelta(minutes=4))


@pytest.mark.parametrize("events", [(), (event("CREATE_IN_PROGRESS", 0),), (event("UPDATE_COMPLETE", 3),)])
def test_without_a_finished_change_it_is_unverified(env, events):
    with pytest.raises(Unverified, match="has no event of a finished change of 'Door'"):
        with_events(env, *events).latest_change("Door")


def drift_answers(stub, *statuses, pages=("",)):
    def answer(action, body):
        text = f"<{action}Response><{action}Result>{body}</{action}Result></{action}Response>"
        return Reply(200, text.encode(), {"Content-Type": "text/xml"})

    detection = [
        answer(
            "DescribeStackDriftDetectionStatus",
            "<StackId>s</StackId><StackDriftDetectionId>d</StackDriftDetectionId>"
            f"<DetectionStatus>{status}</DetectionStatus><Timestamp>2026-11-24T12:00:00Z</Timestamp>",
        )
        for status in statuses
    ]
    drifts = [answer("DescribeStackResourceDrifts", page) for page in pages]
    stub.replies(
        answer("DetectStackDrift", "<StackDriftDetectionId>d</StackDriftDetectionId>"), *detection, *drifts
    )


def one_drift(logical_id, status, differences=""):
    return (
        f"<member><StackId>s</StackId><LogicalResourceId>{logical_id}</LogicalResourceId>"
        f"<ResourceType>AWS::SQS::Queue</ResourceType><StackResourceDriftStatus>{status}</StackResourceDriftStatus>"
        f"<PropertyDifferences>{differences}</PropertyDifferences><Timestamp>2026-11-24T12:00:00Z</Timestamp></member>"
    )


def test_what_is_written_in_other_words_has_not_drifted(scripted, stub):
    """A stack that nobody touched failed, for AWS gives back 100.0 for a hundred."""
    respelled = (
        "<member><PropertyPath>/Threshold</PropertyPath><ExpectedValue>100</ExpectedValue>"
        "<ActualValue>100.0</ActualValue><DifferenceType>NOT_EQUAL</DifferenceType></member>"
    )
    page = f"<StackResourceDrifts>{one_drift('A', 'MODIFIED', respelled)}{one_drift('B', 'MODIFIED')}</StackResourceDrifts>"
    drift_answers(stub, "DETECTION_COMPLETE", pages=(page,))

    drifts = CloudFormationStack(scripted, "some-stack").drifts

    assert {id_: (drift.status, drift.differences) for id_, drift in drifts.items()} == {
        "A": ("IN_SYNC", []),
        "B": ("MODIFIED", []),
    }


def test_another_order_is_no_drift(scripted, stub):
    """CloudFormation compares lists element by element, and AWS gives them back in an order of its own."""
    moved = (
        "<member><PropertyPath>/Actions/0</PropertyPath><ExpectedValue>a</ExpectedValue>"
        "<ActualValue>b</ActualValue><DifferenceType>NOT_EQUAL</DifferenceType></member>"
    )

    def resource(id_, live):
        properties = (
            f'<ExpectedProperties>{{"Actions":["a","b"]}}</ExpectedProperties><ActualProperties>{live}'
        )
        drift = one_drift(id_, "MODIFIED", moved)
        return drift.removesuffix("</member>") + f"{properties}</ActualProperties></member>"

    resources = resource("Moved", '{"Actions":["b","a"]}') + resource("Changed", '{"Actions":["b","b"]}')
    drift_answers(
        stub, "DETECTION_COMPLETE", pages=(f"<StackResourceDrifts>{resources}</StackResourceDrifts>",)
    )

    drifts = CloudFormationStack(scripted, "some-stack").drifts

    assert {id_: drift.differences for id_, drift in drifts.items()} == {
        "Moved": [],
        "Changed": ["/Actions/0: a -> b"],
    }


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("/Environment/Variables/GLOBAL_HOURLY_LIMIT", "1000", "1000"),
        (
            "/Environment/Variables/QUEUE_URL",
            "https://sqs/1/shop-JobsQueue-2ECEEDA9C253D",
            "https://sqs/1/shop-JobsQueue-2ECEEDA9C253D",
        ),
        ("/Environment/Variables/PROVIDER_KEYS", '{"vendor":"short"}', "a value that is not shown"),
        ("/Environment/Variables/SETTINGS", f'{{"vendor":"{"a1B2" * 8}"}}', "a value that is not shown"),
        ("/Environment", f'{{"Variables":{{"SETTINGS":"{"a1B2" * 8}"}}}}', "a value that is not shown"),
        ("/Timeout", "30", "30"),
    ],
)
def test_drift_shows_no_value_that_may_be_a_key(scripted, stub, path, value, shown):
    """A key that somebody put into the environment by hand has no form that the report's redaction knows."""
    added = (
        f"<member><PropertyPath>{path}</PropertyPath><ExpectedValue>null</ExpectedValue>"
        f"<ActualValue>{value}</ActualValue><DifferenceType>ADD</DifferenceType></member>"
    )
    page = f"<StackResourceDrifts>{one_drift('A', 'MODIFIED', added)}</StackResourceDrifts>"
    drift_answers(stub, "DETECTION_COMPLETE", pages=(page,))

    drifts = CloudFormationStack(scripted, "some-stack").drifts

    assert drifts["A"].differences == [f"{path}: null -> {shown}"]


def test_drift_is_waited_for_and_read_to_the_last_page(scripted, stub):
    delay = (
        "<member><PropertyPath>/DelaySeconds</PropertyPath><ExpectedValue>0</ExpectedValue>"
        "<ActualValue>5</ActualValue><DifferenceType>NOT_EQUAL</DifferenceType></member>"
    )
    first = f"<StackResourceDrifts>{one_drift('A', 'IN_SYNC')}{one_drift('C', 'NOT_CHECKED')}</StackResourceDrifts>"
    second = f"<StackResourceDrifts>{one_drift('B', 'MODIFIED', delay)}</StackResourceDrifts>"
    drift_answers(
        stub,
        "DETECTION_IN_PROGRESS",
        "DETECTION_COMPLETE",
        pages=(f"{first}<NextToken>t</NextToken>", second),
    )

    drifts = CloudFormationStack(scripted, "some-stack").drifts

    assert {id_: (drift.status, drift.differences) for id_, drift in drifts.items()} == {
        "A": ("IN_SYNC", []),
        "B": ("MODIFIED", ["/DelaySeconds: 0 -> 5"]),
    }

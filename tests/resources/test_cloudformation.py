"""verification/resources/cloudformation.py"""

from __future__ import annotations

import json

import pytest

from tests.probes.server import Reply
from verification.errors import Missing, Unverified
from verification.resources.cloudformation import CloudFormationStack, StackResource

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

"""verification/stack.py: on a stack whose resources are known, so that nothing is asked."""

from __future__ import annotations

import inspect
import re

import boto3
import pytest

from readiness.aws.alarm import Alarm
from readiness.aws.cloudformation import StackResource
from readiness.discovery.graph import Graph, Resource
from readiness.environment import Environment, Settings
from readiness.errors import Missing, Unverified
from tests.answering import Answering
from verification import stack as stack_module
from verification.parts import NEEDED, PARTS
from verification.stack import Stack

TYPES = {
    "HttpApi": "AWS::ApiGatewayV2::Api",
    "ApiFunction": "AWS::Lambda::Function",
    "WorkerFunction": "AWS::Lambda::Function",
    "StrayFunction": "AWS::Lambda::Function",
    "JobsQueue": "AWS::SQS::Queue",
    "JobsDeadLetterQueue": "AWS::SQS::Queue",
    "ImagesBucket": "AWS::S3::Bucket",
    "Distribution": "AWS::CloudFront::Distribution",
    "SiteBucket": "AWS::S3::Bucket",
    "SiteDistribution": "AWS::CloudFront::Distribution",
    "JobsTable": "AWS::DynamoDB::Table",
    "ProviderKeys": "AWS::SecretsManager::Secret",
    "AlarmTopic": "AWS::SNS::Topic",
    "AlarmInbox": "AWS::SQS::Queue",
    "ApiErrorsAlarm": "AWS::CloudWatch::Alarm",
    "DeadLetterAlarm": "AWS::CloudWatch::Alarm",
    "ApiLogGroup": "AWS::Logs::LogGroup",
    "AccessLogGroup": "AWS::Logs::LogGroup",
}


@pytest.fixture(scope="module")
def session():
    return boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture
def env(session):
    return Environment(Settings("staging", "some-stack", "us-east-1"), session, "http://127.0.0.1:9")


def deployed(env, types=TYPES):
    """A stack of these resources; each is called live-<logical id>."""
    stack = Stack(env)
    resources = {
        logical: StackResource(logical, f"live-{logical}", kind, "CREATE_COMPLETE")
        for logical, kind in types.items()
    }
    vars(stack.formation).update(resources=resources)
    vars(stack).update(graph=Graph([Resource(kind, name, f"live-{name}") for name, kind in types.items()]))
    return stack


class Watched(Environment):
    """An environment whose CloudWatch knows two alarms, one of them somebody else's."""

    def client(self, service, region=None, **config):
        return Answering({"cloudwatch:DescribeAlarms": self._alarms}).client(service, region)

    @staticmethod
    def _alarms(asked):
        live = ["live-ApiErrorsAlarm", "somebody-elses"]
        return {"MetricAlarms": [{"AlarmName": name} for name in asked["AlarmNames"] if name in live]}


@pytest.mark.parametrize(
    ("attribute", "name", "logical_id"),
    [
        ("http_api", "id", "HttpApi"),
        ("api", "name", "ApiFunction"),
        ("worker", "name", "WorkerFunction"),
        ("queue", "url", "JobsQueue"),
        ("dead_letter_queue", "url", "JobsDeadLetterQueue"),
        ("bucket", "name", "ImagesBucket"),
        ("distribution", "id", "Distribution"),
        ("site_bucket", "name", "SiteBucket"),
        ("site_distribution", "id", "SiteDistribution"),
        ("table", "name", "JobsTable"),
        ("provider_keys", "arn", "ProviderKeys"),
        ("alarm_topic", "arn", "AlarmTopic"),
        ("alarm_inbox", "url", "AlarmInbox"),
        ("api_errors_alarm", "name", "ApiErrorsAlarm"),
    ],
)
def test_each_part_is_found_by_its_own_name_and_missed_by_it(env, attribute, name, logical_id):
    assert getattr(getattr(deployed(env), attribute), name) == f"live-{logical_id}"

    with pytest.raises(Missing, match=rf"'some-stack'\) has no resource '{logical_id}'"):
        getattr(deployed(env, {}), attribute)


def test_what_the_checklist_looks_up_is_a_part(env):
    looked_up = {*re.findall(r'part\("(\w+)"\)', inspect.getsource(stack_module))}
    every = {name: part.type for name, part in PARTS.items()}

    assert looked_up == PARTS.keys()
    assert deployed(env, every).absent == []
    assert deployed(env, {name: every[name] for name in NEEDED[2:]}).absent == [
        "HttpApi",
        "ApiFunction",
    ]


def test_making_a_stack_reads_nothing(env):
    stack = Stack(env)

    assert stack.formation.name == "some-stack"
    assert repr(stack) == "Stack()"


def test_functions_are_all_there_are_also_those_without_a_name_here(env):
    stack = deployed(env)

    assert [function.name for function in stack.functions] == [
        "live-ApiFunction",
        "live-WorkerFunction",
        "live-StrayFunction",
    ]
    assert stack.functions[0] is stack.api, "what was read once is not read again"


class Listed:
    """A bucket with these keys."""

    def __init__(self, *keys):
        self._keys = keys

    def keys(self, prefix):
        return [key for key in self._keys if key.startswith(prefix)]


def test_the_page_is_where_it_was_published(env):
    stack = deployed(env)
    vars(stack).update(site_bucket=Listed("assets/a.js", "index.html"))

    assert stack.page_key == "index.html"


def test_an_unpublished_page_cannot_be_checked(env):
    stack = deployed(env)
    vars(stack).update(site_bucket=Listed("index.html.bak"))

    with pytest.raises(
        Unverified, match=r"holds no page; publish it: \./scripts/deploy\.sh staging --frontend"
    ):
        _ = stack.page_key


def test_alarms_are_the_stacks_own_that_are_live(env):
    stack = deployed(Watched(env.settings, env.session))

    assert stack.alarms == [Alarm("live-ApiErrorsAlarm", [], [], actions_enabled=False)]


def test_a_stack_without_alarms_has_none(env):
    assert deployed(Watched(env.settings, env.session), {}).alarms == []


def test_log_groups_are_those_declared_and_those_written_to(env):
    stack = deployed(env, {name: kind for name, kind in TYPES.items() if name != "StrayFunction"})
    vars(stack.api).update(configuration={"LoggingConfig": {"LogGroup": "live-ApiLogGroup"}})
    vars(stack.worker).update(configuration={"LoggingConfig": {"LogGroup": "/own"}})
    vars(stack.http_api).update(
        stage={
            "AccessLogSettings": {"DestinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:/access:*"}
        }
    )

    assert [group.name for group in stack.log_groups] == [
        "live-ApiLogGroup",
        "live-AccessLogGroup",
        "/own",
        "/access",
    ]

"""The embedded AWS at AWS's worst: late, loose, and on a clock that runs a hundred times faster."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from readiness.environment import Environment, Settings
from readiness.errors import EXPIRED, Expired, Unverified
from tests.embedded import test_cdn
from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import Stack, deployed
from verification.application import ROOT
from verification.embedded.cloud import Cloud

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("pessimism")]

SPEED = 100.0
CALLS = {"iam": "list_users", "lambda": "list_functions", "logs": "describe_log_groups"}
THROTTLE = """
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: throttled, ProtocolType: HTTP}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: HTTP_PROXY, IntegrationMethod: GET, IntegrationUri: "http://127.0.0.1:9/",
      PayloadFormatVersion: "1.0"}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: GET /, Target: !Sub "integrations/${Integration}"}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true,
      DefaultRouteSettings: {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 5}}
Outputs:
  Url: {Value: !GetAtt Api.ApiEndpoint}
"""


@dataclasses.dataclass(frozen=True)
class Patient(Running):
    """Its clients try again, as AWS's do by default, for calls are refused now and then."""

    def client(self, service: str, key: tuple[str, str] | None = None, **_: Any) -> Any:
        return _client(self.state.endpoint, self.state.ca_bundle, service, *(key or self._key))

    @property
    def _key(self) -> tuple[str, str]:
        return self.state.access_key_id, self.state.secret_access_key


@functools.cache
def _client(endpoint: str, ca_bundle: str, service: str, id_: str, secret: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=id_,
        aws_secret_access_key=secret,
        verify=ca_bundle,
    )


@pytest.fixture(scope="module")
def slow() -> Iterator[Patient]:
    mine = Cloud(f"slow-{os.getpid()}")
    yield Patient(mine, mine.up(owned_by=os.getpid(), speed=SPEED).state)
    mine.down()


@pytest.fixture(scope="module")
def edge(slow: Patient) -> Iterator[test_cdn.Edge]:
    with deployed(slow, test_cdn.TEMPLATE) as stack:
        yield test_cdn.Edge(stack)


def until(seen: Callable[[], Any], seconds: float = 15) -> float:
    """Wait until something is seen; how long that took."""
    started = time.monotonic()
    while not seen():
        assert time.monotonic() - started < seconds, "never seen"
        time.sleep(0.02)
    return time.monotonic() - started


def scaled(**delay: float) -> float:
    """A delay of AWS's in seconds of this cloud's clock."""
    return timedelta(**delay).total_seconds() / SPEED


def test_the_state_and_the_shell_lines_tell_the_pace(slow: Patient) -> None:
    assert slow.state.pace == "pessimistic, 100 times as fast as AWS"
    assert slow.state.environment()["EMBEDDED_AWS_SPEED"] == "100"


def test_a_log_event_is_read_later_than_it_was_written(slow: Patient) -> None:
    logs, group, stream = slow.client("logs"), unique("group"), "stream"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    event = {"timestamp": int(time.time() * 1000), "message": "late"}

    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    waited = until(lambda: logs.filter_log_events(logGroupName=group)["events"])
    assert scaled(seconds=5) <= waited + 0.1
    assert waited < scaled(seconds=90) + 2


def test_a_metric_is_counted_minutes_later(slow: Patient) -> None:
    metrics, name, began = slow.client("cloudwatch"), unique("metric"), datetime.now(UTC)
    metrics.put_metric_data(Namespace="Late", MetricData=[{"MetricName": name, "Value": 3}])

    def counted() -> bool:
        asked = {"Namespace": "Late", "MetricName": name, "Period": 60, "Statistics": ["Sum"]}
        window = {"StartTime": began - timedelta(minutes=2), "EndTime": began + timedelta(minutes=5)}
        return bool(metrics.get_metric_statistics(**asked, **window)["Datapoints"])

    assert not counted()
    assert until(counted) > scaled(minutes=2)


def test_a_change_set_is_made_before_it_can_be_executed(slow: Patient) -> None:
    formation, name = slow.client("cloudformation"), unique("stack")
    template = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    which = {"StackName": name, "ChangeSetName": "first"}
    formation.create_change_set(**which, TemplateBody=template, ChangeSetType="CREATE")

    def status() -> str:
        return str(formation.describe_change_set(**which)["Status"])

    assert status() == "CREATE_IN_PROGRESS"
    with pytest.raises(ClientError, match="UNAVAILABLE"):
        formation.execute_change_set(**which)
    until(lambda: status() == "CREATE_COMPLETE")
    formation.execute_change_set(**which)
    until(lambda: formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")


def test_a_distribution_takes_minutes(edge: test_cdn.Edge, slow: Patient) -> None:
    events = slow.client("cloudformation").describe_stack_events(StackName=edge.stack.name)["StackEvents"]
    own = [event["Timestamp"] for event in events if event["LogicalResourceId"] == "Distribution"]

    assert (max(own) - min(own)).total_seconds() >= scaled(minutes=3)


def test_a_changed_distribution_is_in_progress_first(edge: test_cdn.Edge) -> None:
    def status() -> str:
        return str(edge.control.get_distribution(Id=edge.distribution_id)["Distribution"]["Status"])

    until(lambda: status() == "Deployed")
    found = edge.control.get_distribution_config(Id=edge.distribution_id)
    changed = {**found["DistributionConfig"], "Comment": unique("comment")}
    answer = edge.control.update_distribution(
        Id=edge.distribution_id, IfMatch=found["ETag"], DistributionConfig=changed
    )

    assert answer["Distribution"]["Status"] == status() == "InProgress"
    until(lambda: status() == "Deployed")


def test_several_caches_miss_before_all_of_them_hit(edge: test_cdn.Edge) -> None:
    path = edge.put()
    seen = Counter(edge.get(path).headers["x-cache"].partition(" ")[0] for _ in range(40))

    assert seen == {"Miss": 3, "Hit": 37}


def test_after_an_invalidation_the_origin_says_that_nothing_changed(edge: test_cdn.Edge) -> None:
    path = edge.put()
    until(lambda: edge.get(path).headers["x-cache"].startswith("Hit"))
    batch = {"Paths": {"Quantity": 1, "Items": [path]}, "CallerReference": unique("reference")}
    made = edge.control.create_invalidation(DistributionId=edge.distribution_id, InvalidationBatch=batch)
    which = {"DistributionId": edge.distribution_id, "Id": made["Invalidation"]["Id"]}

    assert made["Invalidation"]["Status"] == "InProgress"
    until(lambda: edge.control.get_invalidation(**which)["Invalidation"]["Status"] == "Completed")
    seen = {edge.get(path).headers["x-cache"].partition(" ")[0] for _ in range(30)}
    assert "RefreshHit" in seen


def test_what_the_edge_compresses_has_no_length(edge: test_cdn.Edge) -> None:
    path = edge.put(b"word " * 1000, "text/plain")

    squeezed = edge.get(path, **{"Accept-Encoding": "gzip"})
    plain = edge.get(path, **{"Accept-Encoding": "identity"})

    assert squeezed.headers["content-encoding"] == "gzip"
    assert "content-length" not in squeezed.headers
    assert squeezed.content == plain.content == b"word " * 1000
    assert plain.headers["content-length"] == "5000"


def test_a_throttle_lets_more_through_than_it_says(slow: Patient) -> None:
    with deployed(slow, THROTTLE) as stack:
        started = time.monotonic()
        statuses = Counter(stack.ask("GET", stack.outputs["Url"]).status_code for _ in range(40))
        allowed = 5 + time.monotonic() - started

    assert allowed < 40 - statuses[429] <= 2 * allowed + 1


def test_a_control_plane_refuses_now_and_then(slow: Patient) -> None:
    """In the words of its own protocol, so that AWS's clients try again."""
    refused = {
        service: refusals(Running.client(slow, service), operation) for service, operation in CALLS.items()
    }

    assert 0 < sum(map(len, refused.values())) < 60, refused
    assert {code for codes in refused.values() for code in codes} == {"Throttling", "ThrottlingException"}


def refusals(client: Any, operation: str) -> list[str]:
    """The errors of three hundred calls that are sent once."""
    codes = []
    for _ in range(300):
        try:
            getattr(client, operation)()
        except ClientError as problem:
            codes.append(problem.response["Error"]["Code"])
    return codes


def test_a_metric_is_listed_a_quarter_of_an_hour_later(slow: Patient) -> None:
    """Whoever reads the list first says that nothing is measured."""
    metrics, name = slow.client("cloudwatch"), unique("metric")
    metrics.put_metric_data(Namespace="Late", MetricData=[{"MetricName": name, "Value": 3}])

    def listed() -> bool:
        return bool(metrics.list_metrics(Namespace="Late", MetricName=name)["Metrics"])

    assert not listed()
    assert until(listed, scaled(minutes=15) + 10) > scaled(minutes=14)


def test_the_suite_reads_no_list_that_aws_documents_as_late() -> None:
    late = ("list_metrics", "resourcegroupstaggingapi", "resource-groups")
    sources = [file for part in ("readiness", "verification") for file in (ROOT / part).rglob("*.py")]

    assert sources
    assert [file for file in sources if "embedded" not in file.parts and mentions(file, late)] == []


def mentions(file: Path, names: Sequence[str]) -> bool:
    text = file.read_text(encoding="utf-8")
    return any(f'"{name}"' in text or f".{name}(" in text for name in names)


class Visitor:
    """Takes a role on, and looks with it as the suite does and as somebody does who waits for nothing."""

    def __init__(self, slow: Patient) -> None:
        self._slow, self.role = slow, unique("visitor")
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self._arn = slow.client("iam").create_role(RoleName=self.role, AssumeRolePolicyDocument=document)[
            "Role"
        ]["Arn"]

    def allow(self, *actions: str) -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._slow.client("iam").put_role_policy(
            RoleName=self.role, PolicyName="may", PolicyDocument=document
        )

    def sign_in(self, **how: Any) -> Environment:
        found = self._slow.client("sts").assume_role(RoleArn=self._arn, RoleSessionName="visitor", **how)[
            "Credentials"
        ]
        session = boto3.Session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
        state = self._slow.state
        settings = Settings("local", "some-stack", state.region, cloud="cloud")
        return Environment(settings, session, state.endpoint, state.ca_bundle, speed=SPEED)


def naively(env: Environment, service: str, operation: str) -> str:
    """The error's code, as whoever takes each answer for the last word sees it; '' for none."""
    client = env.session.client(service, env.region, endpoint_url=env.endpoint_url, verify=env.ca_bundle)
    try:
        getattr(client, operation)()
    except ClientError as problem:
        return str(problem.response["Error"]["Code"])
    return ""


def as_the_suite(env: Environment, service: str, operation: str) -> str:
    """Why the item of a check that asks this is UNVERIFIED; '' where it is answered."""
    try:
        getattr(env.client(service), operation)()
    except Unverified as doubt:
        return doubt.cause
    return ""


@pytest.mark.parametrize(
    ("look", "refusal"),
    [(naively, "AccessDeniedException"), (as_the_suite, "denied lambda:ListFunctions")],
)
def test_a_changed_policy_decides_some_seconds_later(
    slow: Patient, look: Callable[[Environment, str, str], str], refusal: str
) -> None:
    """Whoever waits for nothing takes what was allowed for forbidden; to the suite it is not known yet."""

    def seen_after_the_change() -> tuple[str, Environment]:
        visitor = Visitor(slow)
        env = visitor.sign_in()
        look(env, "lambda", "list_functions")  # makes a client, which can take as long as the delay
        visitor.allow("lambda:ListFunctions")
        return look(env, "lambda", "list_functions"), env

    # At this speed the shortest delay is 50 ms, in which a busy machine may do nothing.
    seen, env = next((one for one in (seen_after_the_change() for _ in range(5)) if one[0]), ("", None))

    assert seen == refusal
    assert env
    assert until(lambda: not look(env, "lambda", "list_functions")) < scaled(seconds=30) + 2


def test_credentials_end_in_the_middle_of_a_run(slow: Patient) -> None:
    """Whatever is asked then has the same cause, and a report tells it once."""
    visitor = Visitor(slow)
    visitor.allow("lambda:ListFunctions", "logs:DescribeLogGroups", "sqs:ListQueues", "s3:ListAllMyBuckets")
    env = visitor.sign_in(DurationSeconds=900)
    until(lambda: not naively(env, "lambda", "list_functions"))

    until(lambda: naively(env, "lambda", "list_functions") in ("ExpiredToken", "ExpiredTokenException"))
    causes = Counter()
    asked = {
        "lambda": "list_functions",
        "logs": "describe_log_groups",
        "sqs": "list_queues",
        "s3": "list_buckets",
    }
    for service, operation in asked.items():
        for client in (env.client(service), env.bare_client(service, read_timeout=5, attempts=3)):
            with pytest.raises(Expired) as found:
                getattr(client, operation)()
            causes[found.value.cause] += 1

    assert causes == {EXPIRED: 2 * len(asked)}


def test_a_deletion_takes_minutes(slow: Patient) -> None:
    stack = Stack(slow, '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}')
    started = time.monotonic()

    assert stack.delete() == "DELETE_COMPLETE"
    assert time.monotonic() - started >= scaled(minutes=1)


def test_another_pace_needs_another_cloud(slow: Patient) -> None:
    assert "pessimistic, 100 times" in slow.cloud.up().story, "who asks for no pace takes the cloud as it is"

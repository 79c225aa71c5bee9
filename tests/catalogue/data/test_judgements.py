"""Judgements that the embedded AWS cannot show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from readiness.aws.policy import external_principals, open_without_tls
from readiness.aws.service_access import Caller
from readiness.aws.topic import Subscription
from readiness.catalogue.checks import test_data as checks
from readiness.catalogue.sending import Receiver, refusals
from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.environment import Environment
from readiness.errors import NotApplicable

OWN, OTHER = "111122223333", "444455556666"
ARN = f"arn:aws:sqs:us-east-1:{OWN}:jobs"


def allow(**content: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": ARN, **content}


def condition(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {operator: {key: list(values)}}


SNS = {"Service": "sns.amazonaws.com"}


@pytest.mark.parametrize(
    "statement",
    [
        allow(Principal={"AWS": OWN}),
        allow(Principal={"AWS": f"arn:aws:iam::{OWN}:role/worker"}),
        allow(Principal="*", Condition=condition("StringEquals", "aws:PrincipalAccount", OWN)),
        allow(Principal="*", Condition=condition("StringEquals", "AWS:SourceOwner", OWN)),
        allow(Principal="*", Condition=condition("StringEquals", "aws:PrincipalOrgID", "o-1")),
        allow(Principal=SNS, Condition=condition("ArnLike", "aws:SourceArn", f"arn:aws:sns:*:{OWN}:news")),
        allow(Principal=SNS, Condition=condition("ArnEquals", "aws:SourceArn", "arn:aws:s3:::uploads")),
        allow(Principal={"Service": "states.amazonaws.com"}),
        allow(Principal={"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}),
        allow(Principal={"CanonicalUser": "owner"}),
        allow(Principal={"AWS": "arn:aws:iam::127311923021:root"}),
        {**allow(Principal="*"), "Effect": "Deny"},
        {**allow(NotPrincipal={"AWS": OWN}), "Effect": "Deny"},
    ],
)
def test_no_other_principal_is_allowed(statement: dict[str, Any]) -> None:
    assert external_principals([statement], OWN, known={"owner"}) == []


@pytest.mark.parametrize(
    ("statement", "who"),
    [
        (allow(Principal="*"), "any caller"),
        (allow(Principal={"AWS": ["*"]}), "any caller"),
        (allow(NotPrincipal={"AWS": OTHER}), "any caller"),
        (allow(Principal={"AWS": OTHER}), OTHER),
        (allow(Principal={"AWS": f"arn:aws:iam::{OTHER}:root"}), OTHER),
        (allow(Principal={"AWS": "AIDACKCEVSQ6C2EXAMPLE"}), "deleted"),
        (allow(Principal={"CanonicalUser": "somebody"}), "somebody"),
        (allow(Principal=SNS), "sns.amazonaws.com"),
        # A request without the key satisfies these.
        (
            allow(Principal="*", Condition=condition("StringEqualsIfExists", "aws:PrincipalAccount", OWN)),
            "any caller",
        ),
        (
            allow(
                Principal="*", Condition=condition("ForAllValues:StringEquals", "aws:PrincipalAccount", OWN)
            ),
            "any caller",
        ),
        (
            allow(Principal="*", Condition=condition("StringEquals", "aws:PrincipalAccount", OTHER)),
            "any caller",
        ),
        (allow(Principal="*", Condition=condition("IpAddress", "aws:SourceIp", "0.0.0.0/0")), "any caller"),
        (allow(Principal=SNS, Condition=condition("ArnLike", "aws:SourceArn", "arn:aws:s3:::*")), "sns"),
        (
            allow(Principal=SNS, Condition=condition("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:news")),
            "sns",
        ),
        (allow(Principal=SNS, Condition=condition("Bool", "aws:SecureTransport", "true")), "sns"),
    ],
)
def test_other_principals_are_named(statement: dict[str, Any], who: str) -> None:
    (finding,) = external_principals([statement], OWN, known={"owner"})

    assert who in finding


PLAIN = {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ({"Action": "sqs:*"}, []),
        ({"Action": "*", "Principal": {"AWS": "*"}}, []),
        ({"NotAction": "sqs:GetQueueUrl"}, []),
        ({"Action": "sqs:*", "NotResource": "arn:aws:s3:::other"}, []),
        ({"Action": "sqs:Send*"}, ["sqs:ReceiveMessage"]),
        ({"NotAction": "sqs:Send*"}, ["sqs:SendMessage"]),
        ({"Action": "sqs:*", "Resource": f"{ARN}-other"}, ["sqs:SendMessage", "sqs:ReceiveMessage"]),
        ({"Action": "sqs:*", "NotResource": ARN}, ["sqs:SendMessage", "sqs:ReceiveMessage"]),
        ({"Action": "sqs:*", "Principal": {"AWS": OWN}}, ["sqs:SendMessage", "sqs:ReceiveMessage"]),
        ({"Action": "sqs:*", "Effect": "Allow"}, ["sqs:SendMessage", "sqs:ReceiveMessage"]),
        (
            {"Action": "sqs:*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
            ["sqs:SendMessage", "sqs:ReceiveMessage"],
        ),
        (
            {"Action": "sqs:*", "Condition": {**PLAIN, "StringEquals": {"aws:PrincipalAccount": OTHER}}},
            ["sqs:SendMessage", "sqs:ReceiveMessage"],
        ),
    ],
)
def test_plain_http_is_denied(statement: dict[str, Any], left: list[str]) -> None:
    whole = {"Effect": "Deny", "Principal": "*", "Condition": PLAIN, **statement}
    if "NotResource" not in whole:
        whole.setdefault("Resource", "*")

    assert open_without_tls([whole], [("sqs:SendMessage", ARN), ("sqs:ReceiveMessage", ARN)]) == left


@dataclass(frozen=True)
class FakeTable:
    billing_mode: str = "PAY_PER_REQUEST"
    scaled: set[str] = field(default_factory=set)
    is_passing: bool = False
    point_in_time_recovery: str = "DISABLED"


TABLE = Resource("AWS::DynamoDB::Table", "Orders", "orders")


@pytest.mark.parametrize(
    "table",
    [FakeTable(), FakeTable("PROVISIONED", {"ReadCapacityUnits", "WriteCapacityUnits"})],
)
def test_capacity_that_grows_passes(table: FakeTable) -> None:
    checks.test_tables_grow_with_the_load(Graph([TABLE]), {TABLE: table})


def test_a_table_of_idempotency_records_needs_no_backup() -> None:
    """Nobody restores which requests were answered within the last hour; beside it, the orders are judged."""
    records = Resource("AWS::DynamoDB::Table", "Records", "records")
    tables = {records: FakeTable(is_passing=True), TABLE: FakeTable()}
    with pytest.raises(NotApplicable, match="during a request"):
        checks.test_tables_can_be_restored(Graph([records]), tables)
    with pytest.raises(AssertionError, match="Orders") as problem:
        checks.test_tables_can_be_restored(Graph([records, TABLE]), tables)

    assert "Records" not in str(problem.value)


def test_fixed_capacity_is_named() -> None:
    with pytest.raises(AssertionError, match=r"(?s)Orders.*fixed.*WriteCapacityUnits"):
        checks.test_tables_grow_with_the_load(
            Graph([TABLE]), {TABLE: FakeTable("PROVISIONED", {"ReadCapacityUnits"})}
        )


@dataclass(frozen=True)
class FakeTopic:
    subscriptions: list[Subscription]


def test_pending_subscription_is_named() -> None:
    topic = Resource("AWS::SNS::Topic", "Alarms", "arn:aws:sns:us-east-1:1:alarms")
    told = FakeTopic([Subscription("email", confirmed=False)])

    with pytest.raises(AssertionError, match=r"(?s)Alarms.*1\s+pending"):
        checks.test_topics_have_a_confirmed_subscriber(Graph([topic]), {topic: told})


@dataclass(frozen=True)
class FakeQueue:
    name: str
    retention: timedelta = timedelta(days=4)
    redrive_policy: dict[str, Any] = field(default_factory=dict)
    readers: tuple[str, ...] = ()
    is_fifo: bool = False

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:us-east-1:{OWN}:{self.name}"


def queues(**fakes: FakeQueue) -> dict[Resource, FakeQueue]:
    return {Resource("AWS::SQS::Queue", name, f"https://sqs/{name}"): fake for name, fake in fakes.items()}


def redriving(target: str, receives: int = 3, **settings: Any) -> FakeQueue:
    arn = f"arn:aws:sqs:us-east-1:{OWN}:{target}"
    policy = {"deadLetterTargetArn": arn, "maxReceiveCount": receives}
    return FakeQueue("jobs", redrive_policy=policy, readers=("worker",), **settings)


@pytest.mark.parametrize(
    "found",
    [
        queues(Jobs=redriving("failed"), Failed=FakeQueue("failed", timedelta(days=14))),
        queues(
            Jobs=redriving("failed", retention=timedelta(days=14)),
            Failed=FakeQueue("failed", timedelta(days=14)),
        ),
        queues(Jobs=redriving("failed", is_fifo=True), Failed=FakeQueue("failed")),
        # What failed is worked on again by a function.
        queues(Jobs=redriving("failed"), Failed=FakeQueue("failed", timedelta(days=14), readers=("again",))),
    ],
)
def test_redrive_that_keeps_what_failed_passes(found: dict[Resource, FakeQueue]) -> None:
    checks.test_queues_have_a_dead_letter_queue(Graph([*found]), found, {})


def test_redrive_that_loses_what_failed_is_named() -> None:
    found = queues(Jobs=redriving("failed"), Failed=FakeQueue("failed"))

    with pytest.raises(AssertionError, match=r"(?s)Jobs.*failed to keep"):
        checks.test_queues_have_a_dead_letter_queue(Graph([*found]), found, {})


def test_queue_without_a_reader_in_the_stack_needs_no_redrive() -> None:
    found = queues(Inbox=FakeQueue("inbox"))

    with pytest.raises(NotApplicable):
        checks.test_queues_have_a_dead_letter_queue(Graph([*found]), found, {})


def test_queue_of_a_rules_failures_is_one_of_dead_letters() -> None:
    found = queues(Failed=FakeQueue("failed", timedelta(hours=1)))
    (failed,) = found
    rule = Resource("AWS::Events::Rule", "Nightly", "nightly")
    graph = Graph([failed, rule], [Edge(rule, Relation.DEAD_LETTERS_TO, failed)])

    with pytest.raises(AssertionError, match="Failed"):
        checks.test_dead_letters_are_retained_long_enough(graph, found, {})


@dataclass(frozen=True)
class Account:
    account_id: str = OWN


@dataclass(frozen=True)
class FakeBucket:
    name: str
    policy_statements: list[dict[str, Any]]
    kms_key_id: str = ""


@dataclass(frozen=True)
class FakeDistribution:
    arn: str
    origins: list[dict[str, Any]]
    enabled: bool = True


BUCKET = Resource("AWS::S3::Bucket", "Page", "page")
IDENTITY = {
    "Id": "page",
    "DomainName": "page.s3.us-east-1.amazonaws.com",
    "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E1"},
}


def reading(principal: Any, **more: Any) -> dict[str, Any]:
    return allow(Action="s3:GetObject", Resource="arn:aws:s3:::page/*", Principal=principal, **more)


def served(
    statement: dict[str, Any], origin: dict[str, Any] = IDENTITY, *disabled: FakeDistribution, on: bool = True
) -> None:
    distribution = FakeDistribution(f"arn:aws:cloudfront::{OWN}:distribution/D1", [origin], on)
    checks.test_served_buckets_are_read_by_their_distribution_alone(
        Account(),
        Graph([BUCKET]),
        {BUCKET: FakeBucket("page", [statement])},
        [distribution, *disabled],
        {"E1": "canonical"},
    )


def test_origin_access_identity_reads_in_either_form() -> None:
    served(reading({"CanonicalUser": "canonical"}))
    served(reading({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}))


def test_origin_access_control_reads_for_its_distribution() -> None:
    control = {"Id": "page", "DomainName": IDENTITY["DomainName"], "OriginAccessControlId": "C1"}
    cloudfront = {"Service": "cloudfront.amazonaws.com"}
    arn = f"arn:aws:cloudfront::{OWN}:distribution/"

    served(reading(cloudfront, Condition=condition("StringEquals", "AWS:SourceArn", f"{arn}D1")), control)
    for other in ("D2", "*"):
        with pytest.raises(AssertionError, match="other"):
            served(
                reading(cloudfront, Condition=condition("ArnLike", "aws:SourceArn", f"{arn}{other}")), control
            )


def test_a_disabled_distribution_asks_a_bucket_for_nothing() -> None:
    unsigned = {"Id": "page", "DomainName": IDENTITY["DomainName"]}
    disabled = FakeDistribution(f"arn:aws:cloudfront::{OWN}:distribution/D2", [unsigned], enabled=False)

    served(reading({"CanonicalUser": "canonical"}), IDENTITY, disabled)
    with pytest.raises(NotApplicable, match="enabled"):
        served(reading({"CanonicalUser": "another"}), unsigned, on=False)


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"CanonicalUser": "another"},
        {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2"},
    ],
)
def test_a_reader_that_bypasses_the_distribution_is_named(principal: Any) -> None:
    with pytest.raises(AssertionError, match="reads by the"):
        served(reading(principal))


@dataclass(frozen=True)
class FakeKey:
    policy_statements: list[dict[str, Any]] = field(default_factory=list)
    is_of_aws: bool = False


RULE = f"arn:aws:events:us-east-1:{OWN}:rule/new-file"
NEW_FILE = Caller("events.amazonaws.com", RULE, OWN)
EVENTS = {"Service": "events.amazonaws.com"}


def usable(*actions: str, **content: Any) -> FakeKey:
    return FakeKey(
        [{"Effect": "Allow", "Action": [*actions], "Resource": "*", "Principal": EVENTS, **content}]
    )


@pytest.mark.parametrize(
    ("statement", "key"),
    [
        (allow(Principal=EVENTS), None),
        (allow(Principal=EVENTS, Condition=condition("ArnEquals", "aws:SourceArn", RULE)), None),
        (allow(Principal=EVENTS, Condition=condition("ArnLike", "aws:SourceArn", f"{RULE[:-4]}*")), None),
        (allow(Principal="*", Condition=condition("StringEquals", "aws:SourceAccount", OWN)), None),
        (
            allow(Principal=EVENTS, Action="sqs:*", Resource="*"),
            usable("kms:Decrypt", "kms:GenerateDataKey*"),
        ),
        (
            allow(Principal=EVENTS),
            usable("kms:*", Condition=condition("StringEquals", "aws:SourceAccount", OWN)),
        ),
    ],
)
def test_senders_that_are_let_in_pass(statement: dict[str, Any], key: Any) -> None:
    receiver = Receiver("Arrivals", ARN, "sqs:SendMessage", [statement], key)

    assert list(refusals(NEW_FILE, receiver)) == []


@pytest.mark.parametrize(
    ("statement", "key", "why"),
    [
        (allow(Principal={"Service": "s3.amazonaws.com"}), None, "events.amazonaws.com do sqs:SendMessage"),
        (allow(Principal=EVENTS, Action="sqs:ReceiveMessage"), None, "found no such"),
        (allow(Principal=EVENTS, Resource=f"{ARN}-other"), None, "found no such"),
        (
            allow(Principal=EVENTS, Condition=condition("ArnEquals", "aws:SourceArn", f"{RULE}s")),
            None,
            "no such",
        ),
        (
            allow(Principal=EVENTS, Condition=condition("StringEquals", "aws:SourceAccount", OTHER)),
            None,
            "no such",
        ),
        (allow(Principal=EVENTS), FakeKey(is_of_aws=True), "AWS's own"),
        (allow(Principal=EVENTS), FakeKey(), "kms:Decrypt and kms:GenerateDataKey missing"),
        (allow(Principal=EVENTS), usable("kms:Decrypt"), "found kms:GenerateDataKey missing"),
    ],
)
def test_senders_that_are_refused_are_named(statement: dict[str, Any], key: Any, why: str) -> None:
    (finding,) = refusals(NEW_FILE, Receiver("Arrivals", ARN, "sqs:SendMessage", [statement], key))

    assert why in finding
    assert "Arrivals" in finding


@dataclass(frozen=True)
class HidingQueue:
    visibility_timeout: timedelta
    retention: timedelta = timedelta(days=4)
    redrive_policy: dict[str, Any] = field(default_factory=lambda: {"maxReceiveCount": 3})
    readers: tuple[str, ...] = ("Worker",)


@dataclass(frozen=True)
class Reader:
    timeout: timedelta


HIDING = Resource("AWS::SQS::Queue", "Jobs", "jobs")


def _hidden(queue: HidingQueue, timeout: timedelta) -> None:
    checks.test_messages_stay_hidden_while_they_are_worked_on(
        cast("Environment", None), Graph([HIDING]), {HIDING: queue}, {"Worker": Reader(timeout)}, {}
    )


@pytest.mark.parametrize(("hidden", "timeout"), [(60, 20), (120, 20), (5_700, 900)])
def test_messages_that_stay_hidden_as_long_as_needed_pass(hidden: int, timeout: int) -> None:
    _hidden(HidingQueue(timedelta(seconds=hidden)), timedelta(seconds=timeout))


@pytest.mark.parametrize(
    ("queue", "named"),
    [
        (HidingQueue(timedelta(seconds=30)), "at least 2 times"),
        (HidingQueue(timedelta(hours=12)), "at most 5700 s"),
        (HidingQueue(timedelta(minutes=20), timedelta(hours=1)), "expires before it is put aside"),
    ],
)
def test_messages_that_stay_hidden_too_short_or_too_long_are_named(queue: HidingQueue, named: str) -> None:
    with pytest.raises(AssertionError, match=rf"(?s)Jobs.*{named}"):
        _hidden(queue, timedelta(seconds=20))


def test_a_queue_without_dead_letters_loses_nothing_on_its_way_there() -> None:
    _hidden(HidingQueue(timedelta(minutes=20), timedelta(minutes=30), {}), timedelta(seconds=20))

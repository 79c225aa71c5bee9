"""Where data lies and waits: buckets, tables, queues, topics, streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from readiness import budgets
from readiness.aws.alarm import alarms_of
from readiness.aws.bucket import Bucket
from readiness.aws.distribution import Distribution
from readiness.aws.function import Function
from readiness.aws.key import Key
from readiness.aws.policy import (
    LOAD_BALANCERS,
    Statement,
    external_principals,
    open_without_tls,
    read,
    unlimited,
)
from readiness.aws.queue import Queue
from readiness.aws.service_access import Caller, may_decrypt
from readiness.aws.stream import Stream
from readiness.aws.table import Table
from readiness.aws.topic import Topic
from readiness.catalogue.compute import FUNCTION, QUEUE, RULE, Compute
from readiness.catalogue.declaration import Declarations
from readiness.catalogue.judging import every, findings
from readiness.catalogue.sending import Receiver, Sender, refusals
from readiness.discovery.graph import Graph, Relation, Resource
from readiness.environment import Environment
from readiness.errors import Missing, NotApplicable

_BUCKET = "AWS::S3::Bucket"
_TABLES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
_TOPIC, _STREAM = "AWS::SNS::Topic", "AWS::Kinesis::Stream"
_GROUPS = "http://acs.amazonaws.com/groups/"
_PUBLIC = {f"{_GROUPS}global/AllUsers", f"{_GROUPS}global/AuthenticatedUsers"}
_MOMENT = timedelta(seconds=1)
# CloudFront's standard logs are written by this user. Source: CloudFront Developer Guide, "Permissions required".
_EDGE_LOGS = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
_LOG_SERVICES = {
    f"{name}.amazonaws.com"
    for name in ("cloudtrail", "config", "delivery.logs", "logdelivery.elasticloadbalancing", "logging.s3")
}
# EventBridge takes no conditions in a topic's policy. Source: EventBridge User Guide, "Resource-based policies".
_KEPT_BY_THEMSELVES = {"events.amazonaws.com"}


@pytest.fixture(scope="session")
def buckets(env: Environment, graph: Graph) -> Mapping[Resource, Bucket]:
    """Every bucket of the stack."""
    return {one: Bucket(env, one.physical_id) for one in graph.of(_BUCKET)}


@pytest.fixture(scope="session")
def tables(env: Environment, graph: Graph) -> Mapping[Resource, Table]:
    """Every table of the stack."""
    return {one: Table(env, one.physical_id) for one in graph.of(*_TABLES)}


@pytest.fixture(scope="session")
def queues(graph: Graph, compute: Compute) -> Mapping[Resource, Queue]:
    """Every queue of the stack."""
    return {one: compute.queue(one) for one in graph.of(QUEUE)}


@pytest.fixture(scope="session")
def topics(env: Environment, graph: Graph) -> Mapping[Resource, Topic]:
    """Every topic of the stack."""
    return {one: Topic(env, one.physical_id) for one in graph.of(_TOPIC)}


@pytest.fixture(scope="session")
def functions(graph: Graph, compute: Compute) -> Mapping[str, Function]:
    """Every function of the stack by its name."""
    return {one.physical_id: compute.function(one) for one in graph.of(FUNCTION)}


@pytest.fixture(scope="session")
def distributions(env: Environment, graph: Graph) -> Sequence[Distribution]:
    """Every distribution of the stack."""
    return [Distribution(env, one.physical_id) for one in graph.of("AWS::CloudFront::Distribution")]


@pytest.fixture(scope="session")
def identities(env: Environment, graph: Graph, distributions: Sequence[Distribution]) -> Mapping[str, str]:
    """The canonical user id of each origin access identity that the stack has or uses."""
    client = env.client("cloudfront")
    own = [one.physical_id for one in graph.of("AWS::CloudFront::CloudFrontOriginAccessIdentity")]
    used = [_identity(origin) for one in distributions for origin in one.origins]
    return {
        id_: client.get_cloud_front_origin_access_identity(Id=id_)["CloudFrontOriginAccessIdentity"][
            "S3CanonicalUserId"
        ]
        for id_ in {*own, *used} - {""}
    }


@pytest.mark.security
@pytest.mark.item("S3-01")
def test_buckets_are_private(graph: Graph, buckets: Mapping[Resource, Bucket]) -> None:
    """A person who finds a public bucket's name reads what is in it."""

    def judge(resource: Resource) -> Iterator[str]:
        bucket = buckets[resource]
        if off := [name for name, on in bucket.public_access_block.items() if not on]:
            yield (
                f"expected all four public access blocks, found {', '.join(off)} off; set them to true in "
                "PublicAccessBlockConfiguration"
            )
        if bucket.policy_is_public:
            yield "expected a policy that is not public, found one that AWS calls public; name who may read"
        for grant in bucket.grants:
            if grant.grantee in _PUBLIC:
                yield (
                    f"expected no grant to a public group, found {grant.permission} for {grant.grantee.rpartition('/')[2]}; "
                    "take AccessControl out"
                )

    assert findings(every(graph, _BUCKET), judge) == {}


@pytest.mark.security
@pytest.mark.item("S3-02")
def test_buckets_admit_their_own_account_alone(
    env: Environment, graph: Graph, buckets: Mapping[Resource, Bucket], identities: Mapping[str, str]
) -> None:
    """Another account would read the data, or put something into its place."""

    def judge(resource: Resource) -> Iterator[str]:
        bucket = buckets[resource]
        known = {bucket.owner, _EDGE_LOGS, *identities.values()}
        yield from external_principals(bucket.policy_statements, env.account_id, known)
        yield from unlimited(bucket.policy_statements, env.account_id)
        for grant in bucket.grants:
            if grant.grantee not in known and not grant.grantee.startswith(_GROUPS):
                yield (
                    f"expected grants to this account alone, found {grant.permission} for canonical user "
                    f"{grant.grantee[:12]}...; take the grant out of the access control list"
                )

    assert findings(every(graph, _BUCKET), judge) == {}


@pytest.mark.security
@pytest.mark.item("S3-03")
def test_buckets_are_encrypted_and_refuse_plain_http(
    env: Environment, graph: Graph, buckets: Mapping[Resource, Bucket]
) -> None:
    """An attacker can read an unencrypted signed request, and repeat it while the signature is valid."""

    def judge(resource: Resource) -> Iterator[str]:
        bucket = buckets[resource]
        arn = f"arn:{env.partition}:s3:::{bucket.name}"
        wanted = [
            ("s3:GetObject", f"{arn}/key"),
            ("s3:PutObject", f"{arn}/key"),
            ("s3:ListBucket", arn),
        ]
        if not bucket.encryption_algorithms:
            yield "expected default encryption, found none; set BucketEncryption"
        yield from _plain_http(bucket.policy_statements, wanted)

    assert findings(every(graph, _BUCKET), judge) == {}


def _plain_http(statements: Sequence[Mapping[str, Any]], wanted: Sequence[tuple[str, str]]) -> Iterator[str]:
    if taken := open_without_tls(statements, wanted):
        yield (
            f"expected a policy that denies every request without TLS, found that it does not deny {', '.join(taken)}; deny them to "
            "principal * where aws:SecureTransport is false"
        )


@pytest.mark.config
@pytest.mark.item("S3-04")
def test_buckets_delete_incomplete_uploads_and_old_versions(
    graph: Graph, buckets: Mapping[Resource, Bucket], distributions: Sequence[Distribution]
) -> None:
    """Parts of incomplete uploads and old versions cost money without a limit, and no listing shows them."""
    logs = _receivers(buckets, distributions)

    def judge(resource: Resource) -> Iterator[str]:
        bucket = buckets[resource]
        rules = [rule for rule in bucket.lifecycle_rules if rule.enabled]
        # Services write each log as a whole.
        if resource not in logs and not any(
            rule.aborts_uploads and not rule.prefix and not rule.partial for rule in rules
        ):
            yield (
                "expected a lifecycle rule that ends every incomplete upload, found none; add "
                "AbortIncompleteMultipartUpload without a prefix"
            )
        if bucket.versioning and not any(rule.drops_versions for rule in rules):
            yield (
                f"expected a lifecycle rule for old versions, found none although versioning is {bucket.versioning}; add "
                "NoncurrentVersionExpiration"
            )

    assert findings(every(graph, _BUCKET), judge) == {}


@pytest.mark.infra
@pytest.mark.item("S3-05")
def test_retained_buckets_keep_versions(
    graph: Graph,
    buckets: Mapping[Resource, Bucket],
    distributions: Sequence[Distribution],
    declared: Declarations,
) -> None:
    """One faulty release overwrites the data that the template has to keep."""
    others = {*_receivers(buckets, distributions)}
    others |= {one for one in buckets if _serving(buckets[one], distributions)}
    kept = [one for one in every(graph, _BUCKET) if one not in others and declared.is_retained(one)]
    if not kept:
        raise NotApplicable(
            "no bucket is retained when the stack is deleted, except for logs and for what a distribution serves"
        )

    def judge(resource: Resource) -> Iterator[str]:
        if buckets[resource].versioning != "Enabled":
            yield (
                f"expected versioning, found {buckets[resource].versioning or 'none'} although the template retains the bucket; "
                "set VersioningConfiguration"
            )

    assert findings(kept, judge) == {}


@pytest.mark.security
@pytest.mark.item("S3-06")
def test_log_buckets_are_written_by_services_alone(
    graph: Graph, buckets: Mapping[Resource, Bucket], distributions: Sequence[Distribution]
) -> None:
    """A principal that can write a log can forge it."""
    every(graph, _BUCKET)
    if not (logs := _receivers(buckets, distributions)):
        raise NotApplicable("no bucket of the stack receives logs")

    def judge(resource: Resource) -> Iterator[str]:
        bucket = buckets[resource]
        for statement in read(bucket.policy_statements):
            if not statement.allows or not (statement.covers("s3:PutObject")):
                continue
            for kind, name in statement.principals:
                if not _delivers(kind, name):
                    yield (
                        f"expected writes by logging services alone, found that {statement} lets {name} do {statement.what}; "
                        "take it out, or log into a bucket of its own"
                    )
        for grant in bucket.grants:
            if grant.permission in ("WRITE", "FULL_CONTROL") and grant.grantee not in (
                _EDGE_LOGS,
                f"{_GROUPS}s3/LogDelivery",
            ):
                yield (
                    f"expected writes by logging services alone, found {grant.permission} for {grant.grantee}; take the grant "
                    "out of the access control list"
                )

    assert findings(logs, judge) == {}


def _delivers(kind: str, name: str) -> bool:
    account = name.split(":")[4] if name.startswith("arn:") else name
    return (kind == "Service" and name in _LOG_SERVICES) or account in (_EDGE_LOGS, *LOAD_BALANCERS)


def _receivers(
    buckets: Mapping[Resource, Bucket], distributions: Sequence[Distribution]
) -> Sequence[Resource]:
    """The buckets that logs are delivered into."""
    named = {bucket.log_bucket_name for bucket in buckets.values()}
    named |= {distribution.log_bucket_name for distribution in distributions}
    return [
        resource
        for resource, bucket in buckets.items()
        if bucket.name in named
        or any(
            _delivers(kind, name)
            for statement in read(bucket.policy_statements)
            if statement.allows and statement.covers("s3:PutObject")
            for kind, name in statement.principals
        )
    ]


def _serving(bucket: Bucket, distributions: Sequence[Distribution]) -> Sequence[Distribution]:
    """The distributions that have the bucket for an origin."""
    return [one for one in distributions if _origins(bucket, one)]


def _origins(bucket: Bucket, distribution: Distribution) -> Sequence[Mapping[str, Any]]:
    start = (f"{bucket.name}.s3.", f"{bucket.name}.s3-")
    return [origin for origin in distribution.origins if str(origin["DomainName"]).startswith(start)]


@pytest.mark.security
@pytest.mark.item("S3-07")
def test_served_buckets_are_read_by_their_distribution_alone(
    env: Environment,
    graph: Graph,
    buckets: Mapping[Resource, Bucket],
    distributions: Sequence[Distribution],
    identities: Mapping[str, str],
) -> None:
    """What can be read past the distribution escapes its firewall, its log and its cache."""
    every(graph, _BUCKET)
    enabled = [one for one in distributions if one.enabled]
    if not (served := [one for one in buckets if _serving(buckets[one], enabled)]):
        raise NotApplicable("no enabled distribution of the stack has one of its buckets for an origin")

    def judge(resource: Resource) -> Iterator[str]:
        bucket = buckets[resource]
        serving = _serving(bucket, distributions)
        origins = [origin for one in serving for origin in _origins(bucket, one)]
        known = {_identity(origin) for origin in origins} - {""}
        names = known | {identities[one] for one in known & identities.keys()}
        arns = {one.arn for one in serving}
        readers = [
            (statement, kind, name)
            for statement in read(bucket.policy_statements)
            if statement.allows and statement.covers("s3:GetObject")
            for kind, name in statement.principals
        ]
        for statement, kind, name in readers:
            yield from _reads_past(statement, (kind, name), arns, names, env.account_id)
        for origin in (origin for one in enabled for origin in _origins(bucket, one)):
            if not origin.get("OriginAccessControlId") and not _identity(origin):
                yield (
                    f"expected an origin that signs its requests, found origin '{origin['Id']}' without one; set "
                    "OriginAccessControlId"
                )
        if bucket.kms_key_id:
            key = Key(env, bucket.kms_key_id)
            for one in (one for one in enabled if _origins(bucket, one)):
                if not may_decrypt(key, Caller("cloudfront.amazonaws.com", one.arn, env.account_id)):
                    yield (
                        f"expected that distribution {one.id} may decrypt with the bucket's key, found that the policy of "
                        f"{bucket.kms_key_id} refuses it; allow kms:Decrypt to cloudfront.amazonaws.com with the "
                        "distribution's aws:SourceArn, or set BucketEncryption to AES256"
                    )
        if not readers:
            yield (
                "expected a policy that lets the distribution read, found none, so that every request for an object is "
                "refused; allow s3:GetObject to cloudfront.amazonaws.com with the distribution's aws:SourceArn"
            )

    assert findings(served, judge) == {}


def _identity(origin: Mapping[str, Any]) -> str:
    """The id of an origin's access identity, '' for none."""
    return str(origin.get("S3OriginConfig", {}).get("OriginAccessIdentity", "")).rpartition("/")[2]


def _reads_past(
    statement: Statement, who: tuple[str, str], arns: set[str], identities: set[str], account: str
) -> Iterator[str]:
    """What is wrong with one reader that a served bucket's policy names; accounts are S3-02's affair."""
    kind, name = who
    found = f"expected reads by the distribution alone, found that {statement} lets"
    if who == ("Service", "cloudfront.amazonaws.com"):
        if not set(statement.required("aws:SourceArn") or ["*"]) <= arns:
            yield (
                f"{found} other distributions read too; require aws:SourceArn to be {', '.join(sorted(arns))}"
            )
    elif kind == "CanonicalUser" or ":iam::cloudfront:user/" in name:
        if name.rpartition(" ")[2] not in identities:
            yield f"{found} another origin access identity read; name the one of the distribution's origin"
    elif name == "*" and not statement.is_kept_to(account):
        yield f"{found} any caller read; name cloudfront.amazonaws.com with the distribution's aws:SourceArn"


def _of_lasting(
    graph: Graph, tables: Mapping[Resource, Table], judge: Callable[[Resource], Iterable[str]]
) -> Mapping[str, Sequence[str]]:
    """What is wrong with each table whose rows a restore may need.

    Raises:
        NotApplicable: the stack has none.
    """
    lasting = []

    def judged(resource: Resource) -> Iterator[str]:
        if not tables[resource].is_passing:
            lasting.append(resource)
            yield from judge(resource)

    found = findings(every(graph, *_TABLES), judged)
    if not lasting:
        raise NotApplicable("each table holds only what is of use during a request or a connection")
    return found


@pytest.mark.infra
@pytest.mark.item("DDB-01")
def test_tables_can_be_restored(graph: Graph, tables: Mapping[Resource, Table]) -> None:
    """A faulty release overwrites rows, and nothing brings them back."""

    def judge(resource: Resource) -> Iterator[str]:
        if (state := tables[resource].point_in_time_recovery) != "ENABLED":
            yield (
                f"expected point-in-time recovery ENABLED, found {state}; set PointInTimeRecoverySpecification"
            )

    assert _of_lasting(graph, tables, judge) == {}


@pytest.mark.infra
@pytest.mark.item("DDB-02")
def test_tables_survive_an_accidental_deletion(
    graph: Graph, tables: Mapping[Resource, Table], declared: Declarations
) -> None:
    """Deleting the wrong stack deletes every row with it, and its backups."""

    def judge(resource: Resource) -> Iterator[str]:
        if not tables[resource].deletion_protection and not declared.is_retained(resource):
            yield (
                "expected deletion protection or a retaining DeletionPolicy, found neither; set DeletionProtectionEnabled or "
                "DeletionPolicy: Retain"
            )

    assert _of_lasting(graph, tables, judge) == {}


@pytest.mark.security
@pytest.mark.item("DDB-05")
def test_tables_admit_their_own_account_alone(
    env: Environment, graph: Graph, tables: Mapping[Resource, Table]
) -> None:
    """Another account reads or changes rows with rights of its own."""

    def judge(resource: Resource) -> Iterator[str]:
        yield from external_principals(tables[resource].policy_statements, env.account_id)
        yield from unlimited(tables[resource].policy_statements, env.account_id)

    assert findings(every(graph, *_TABLES), judge) == {}


@pytest.mark.config
@pytest.mark.item("DDB-03")
def test_declared_expiry_is_on(
    graph: Graph, tables: Mapping[Resource, Table], declared: Declarations
) -> None:
    """Rows that should expire stay permanently, and cost more each month."""
    wanted = {
        one: attribute for one in every(graph, *_TABLES) if (attribute := _expiry(declared.resource(one)))
    }
    if not wanted:
        raise NotApplicable("no table of the stack declares an attribute for time to live")

    def judge(resource: Resource) -> Iterator[str]:
        live = tables[resource].time_to_live
        state, attribute = live["TimeToLiveStatus"], live.get("AttributeName", wanted[resource])
        if state not in ("ENABLED", "ENABLING"):
            yield (
                f"expected time to live on '{wanted[resource]}', found {state}; set Enabled in TimeToLiveSpecification"
            )
        elif isinstance(wanted[resource], str) and attribute != wanted[resource]:
            yield f"expected time to live on '{wanted[resource]}', found '{attribute}'; deploy the template again"

    assert findings(wanted, judge) == {}


def _expiry(table: Mapping[str, Any]) -> Any:
    return table.get("Properties", {}).get("TimeToLiveSpecification", {}).get("AttributeName")


@pytest.mark.config
@pytest.mark.item("DDB-04")
def test_tables_grow_with_the_load(graph: Graph, tables: Mapping[Resource, Table]) -> None:
    """A table of fixed capacity refuses requests as soon as there are more than expected."""

    def judge(resource: Resource) -> Iterator[str]:
        table = tables[resource]
        if table.billing_mode != "PROVISIONED":
            return
        if missing := {"ReadCapacityUnits", "WriteCapacityUnits"} - table.scaled:
            yield (
                f"expected capacity on demand or scaled, found fixed {' and '.join(sorted(missing))}; set BillingMode: "
                "PAY_PER_REQUEST, or add a scalable target for each"
            )

    assert findings(every(graph, *_TABLES), judge) == {}


@pytest.mark.security
@pytest.mark.item("SQS-01")
def test_queues_are_encrypted(graph: Graph, queues: Mapping[Resource, Queue]) -> None:
    """Messages lie on disk for days, and hold what users sent."""

    def judge(resource: Resource) -> Iterator[str]:
        if not queues[resource].encrypted:
            yield (
                "expected encryption at rest, found none; take SqsManagedSseEnabled: false out, or set KmsMasterKeyId"
            )

    assert findings(every(graph, QUEUE), judge) == {}


@pytest.mark.security
@pytest.mark.item("SQS-02")
def test_queues_refuse_plain_http(graph: Graph, queues: Mapping[Resource, Queue]) -> None:
    """An attacker on the network path can read each message that is sent unencrypted."""

    def judge(resource: Resource) -> Iterator[str]:
        queue = queues[resource]
        wanted = [("sqs:SendMessage", queue.arn), ("sqs:ReceiveMessage", queue.arn)]
        yield from _plain_http(queue.policy_statements, wanted)

    assert findings(every(graph, QUEUE), judge) == {}


@pytest.mark.security
@pytest.mark.item("SQS-03")
def test_queues_admit_their_own_account_alone(
    env: Environment, graph: Graph, queues: Mapping[Resource, Queue]
) -> None:
    """The application processes messages from other accounts like its own."""

    def judge(resource: Resource) -> Iterator[str]:
        yield from external_principals(queues[resource].policy_statements, env.account_id)
        yield from unlimited(queues[resource].policy_statements, env.account_id)

    assert findings(every(graph, QUEUE), judge) == {}


@pytest.mark.infra
@pytest.mark.item("SQS-04")
def test_queues_have_a_dead_letter_queue(
    graph: Graph, queues: Mapping[Resource, Queue], functions: Mapping[str, Function]
) -> None:
    """One message that cannot be worked on is delivered again and again, or is lost without a trace."""
    every(graph, QUEUE)
    aside = _dead_letters(graph, queues, functions)
    judged = [
        one for one, queue in queues.items() if queue.redrive_policy or (one not in aside and queue.readers)
    ]
    if not judged:
        raise NotApplicable("no queue of the stack feeds a function, or names a dead-letter queue")
    by_arn = {queue.arn: queue for queue in queues.values()}

    def judge(resource: Resource) -> Iterator[str]:
        queue = queues[resource]
        policy = queue.redrive_policy
        if not policy:
            yield "expected a dead-letter queue, found none; set RedrivePolicy"
            return
        least, most = budgets.DEAD_LETTER_RECEIVES.start, budgets.DEAD_LETTER_RECEIVES.stop - 1
        if (receives := int(policy["maxReceiveCount"])) not in budgets.DEAD_LETTER_RECEIVES:
            yield f"expected {least} to {most} deliveries, found {receives}; set maxReceiveCount in RedrivePolicy"
        arn = str(policy["deadLetterTargetArn"])
        try:
            target = by_arn.get(arn) or Queue(queue.env, _url(queue, arn))
            kept = target.retention
        except Missing:
            yield f"expected a dead-letter queue that exists, found that {arn} does not; correct deadLetterTargetArn"
            return
        if not queue.is_fifo and kept <= min(queue.retention, budgets.LONGEST_RETENTION - _MOMENT):
            yield (
                f"expected {arn.rpartition(':')[2]} to keep messages for longer than the queue's own {_days(queue.retention)}, "
                f"found {_days(kept)}: a message's age counts from when it was first sent; raise its MessageRetentionPeriod"
            )

    assert findings(judged, judge) == {}


def _url(queue: Queue, arn: str) -> str:
    """The address of another queue of the same account and region; SQS names it after the account and the name."""
    *_, account, name = arn.split(":")
    return f"{queue.url.rpartition('/')[0].rpartition('/')[0]}/{account}/{name}"


def _days(period: timedelta) -> str:
    hours = period.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours >= 24 else f"{hours:.3g} h"  # noqa: PLR2004  # a day


def _dead_letters(
    graph: Graph, queues: Mapping[Resource, Queue], functions: Mapping[str, Function]
) -> Sequence[Resource]:
    """The queues that hold what failed elsewhere.

    Raises:
        Unverified: what keeps its dead letters where could not be read whole, so that one of them may be missing.
    """
    graph.require(Relation.DEAD_LETTERS_TO)
    named = {queue.redrive_policy.get("deadLetterTargetArn") for queue in queues.values()}
    for function in functions.values():
        named.add(function.configuration.get("DeadLetterConfig", {}).get("TargetArn"))
        named |= {
            source.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
            for source in function.event_sources
        }
    return [
        one for one, queue in queues.items() if queue.arn in named or graph.to(one, Relation.DEAD_LETTERS_TO)
    ]


@pytest.mark.infra
@pytest.mark.item("SQS-05")
def test_messages_stay_hidden_while_they_are_worked_on(
    env: Environment,
    graph: Graph,
    queues: Mapping[Resource, Queue],
    functions: Mapping[str, Function],
    evidence: dict[str, object],
) -> None:
    """A message that shows again while it is worked on is worked on twice."""
    every(graph, QUEUE)
    if not (read_ := [one for one, queue in queues.items() if queue.readers]):
        raise NotApplicable("no queue of the stack feeds a function")

    def judge(resource: Resource) -> Iterator[str]:
        hidden = queues[resource].visibility_timeout
        for name in queues[resource].readers:
            function = functions.get(name) or Function(env, name)
            evidence[f"{resource}: visibility timeout by {name}'s timeout"] = round(
                hidden / function.timeout, 1
            )
            if hidden < budgets.LEAST_VISIBILITY_FACTOR * function.timeout:
                yield (
                    f"expected a visibility timeout of at least {budgets.LEAST_VISIBILITY_FACTOR} times {name}'s "
                    f"{function.timeout.total_seconds():g} s, better {budgets.VISIBILITY_FACTOR} times that, found "
                    f"{hidden.total_seconds():g} s; raise VisibilityTimeout"
                )
        if hidden > budgets.LONGEST_VISIBILITY:
            yield (
                f"expected a visibility timeout of at most {budgets.LONGEST_VISIBILITY.total_seconds():g} s, which no function needs "
                f"more than, found {hidden.total_seconds():g} s, after which a failed message is tried again; lower VisibilityTimeout"
            )
        receives = int(queues[resource].redrive_policy.get("maxReceiveCount", 0))
        if receives * hidden >= (kept := queues[resource].retention):
            yield (
                f"expected {receives} attempts, {hidden.total_seconds():g} s apart, within the {kept.total_seconds():g} s that the "
                "queue keeps a message, found that it expires before it is put aside; lower VisibilityTimeout or maxReceiveCount, "
                "or raise MessageRetentionPeriod"
            )

    assert findings(read_, judge) == {}


@pytest.mark.infra
@pytest.mark.item("SQS-06")
def test_dead_letters_are_retained_long_enough(
    graph: Graph, queues: Mapping[Resource, Queue], functions: Mapping[str, Function]
) -> None:
    """A message that failed on a Friday night is deleted before an operator has read it."""
    every(graph, QUEUE)
    if not (aside := _dead_letters(graph, queues, functions)):
        raise NotApplicable("no queue of the stack holds dead letters")

    def judge(resource: Resource) -> Iterator[str]:
        if (kept := queues[resource].retention) < budgets.DEAD_LETTER_RETENTION:
            yield (
                f"expected dead letters to be kept for at least {_days(budgets.DEAD_LETTER_RETENTION)}, found {_days(kept)}; "
                "raise MessageRetentionPeriod"
            )

    assert findings(aside, judge) == {}


@pytest.mark.security
@pytest.mark.item("SNS-01")
def test_topics_are_encrypted(graph: Graph, topics: Mapping[Resource, Topic]) -> None:
    """What a topic could not deliver lies on disk until it can."""

    def judge(resource: Resource) -> Iterator[str]:
        if not topics[resource].kms_key_id:
            yield "expected encryption at rest, found none; set KmsMasterKeyId to a key that the publishers may use"

    assert findings(every(graph, _TOPIC), judge) == {}


@pytest.mark.security
@pytest.mark.item("SNS-02")
def test_topics_refuse_plain_http(graph: Graph, topics: Mapping[Resource, Topic]) -> None:
    """An attacker on the network path can read each message that is published unencrypted."""

    def judge(resource: Resource) -> Iterator[str]:
        topic = topics[resource]
        yield from _plain_http(topic.policy_statements, [("sns:Publish", topic.arn)])

    assert findings(every(graph, _TOPIC), judge) == {}


@pytest.mark.security
@pytest.mark.item("SNS-03")
def test_topics_admit_their_own_account_alone(
    env: Environment, graph: Graph, topics: Mapping[Resource, Topic]
) -> None:
    """Another account could raise false alarms, or receive the messages."""

    def judge(resource: Resource) -> Iterator[str]:
        statements = topics[resource].policy_statements
        yield from external_principals(statements, env.account_id, trusted=_KEPT_BY_THEMSELVES)
        yield from unlimited(statements, env.account_id)

    assert findings(every(graph, _TOPIC), judge) == {}


@pytest.mark.infra
@pytest.mark.item("SNS-04")
def test_topics_have_a_confirmed_subscriber(graph: Graph, topics: Mapping[Resource, Topic]) -> None:
    """A message to a topic without subscribers is lost, and no error reports it."""

    def judge(resource: Resource) -> Iterator[str]:
        subscriptions = topics[resource].subscriptions
        if not subscriptions:
            yield "expected a subscription, found none; add one, or take the topic out"
        elif not any(one.confirmed for one in subscriptions):
            protocols = ", ".join(sorted({one.protocol for one in subscriptions}))
            yield (
                f"expected a confirmed subscription, found {len(subscriptions)} pending ({protocols}); confirm by the link in the message"
            )

    assert findings(every(graph, _TOPIC), judge) == {}


@pytest.mark.security
@pytest.mark.item("KINESIS-01")
def test_streams_are_encrypted(env: Environment, graph: Graph) -> None:
    """Records lie on disk for days, and hold what users sent."""

    def judge(resource: Resource) -> Iterator[str]:
        if (found := Stream(env, resource.physical_id).encryption) != "KMS":
            yield f"expected encryption at rest by KMS, found {found}; set StreamEncryption"

    assert findings(every(graph, _STREAM), judge) == {}


@pytest.mark.infra
@pytest.mark.item("SEND-01")
def test_queues_and_topics_take_what_is_sent_to_them(
    env: Environment,
    compute: Compute,
    queues: Mapping[Resource, Queue],
    topics: Mapping[Resource, Topic],
) -> None:
    """What is refused is lost without a word."""
    keys: dict[str, Key] = {}

    def key(id_: str) -> Key | None:
        return keys.setdefault(id_, Key(env, id_)) if id_ else None

    receivers = [
        *(
            Receiver(str(one), queue.arn, "sqs:SendMessage", queue.policy_statements, key(queue.kms_key_id))
            for one, queue in queues.items()
        ),
        *(
            Receiver(str(one), topic.arn, "sns:Publish", topic.policy_statements, key(topic.kms_key_id))
            for one, topic in topics.items()
        ),
    ]
    by_arn = {receiver.arn: receiver for receiver in receivers}
    senders = [sender for sender in _senders(compute, topics, {*by_arn}) if sender.target in by_arn]
    if not senders:
        raise NotApplicable("no rule, topic or alarm of the stack sends to one of its queues or topics")

    def judge(resource: Resource) -> Iterator[str]:
        for sender in senders:
            if sender.resource == resource:
                caller = Caller(sender.service, sender.arn, env.account_id)
                yield from refusals(caller, by_arn[sender.target])

    assert findings(dict.fromkeys(sender.resource for sender in senders), judge) == {}


def _senders(compute: Compute, topics: Mapping[Resource, Topic], receivers: set[str]) -> Iterator[Sender]:
    env, graph = compute.env, compute.graph
    for resource in graph.of(RULE):
        rule = compute.rule(resource)
        if not rule.enabled:
            continue
        targets = {one.arn for one in rule.targets if not one.role_arn}
        for arn in (targets | {one.dead_letter_arn for one in rule.targets}) & receivers:
            yield Sender(resource, "events.amazonaws.com", rule.arn, arn)
    for resource, topic in topics.items():
        for subscription in (one for one in topic.subscriptions if one.confirmed):
            yield Sender(resource, "sns.amazonaws.com", topic.arn, subscription.endpoint)
    alarms = {one.physical_id: one for one in graph.of("AWS::CloudWatch::Alarm")}
    for alarm in alarms_of(env, [*alarms]) if receivers else ():
        arn = f"arn:{env.partition}:cloudwatch:{env.region}:{env.account_id}:alarm:{alarm.name}"
        for action in alarm.actions if alarm.actions_enabled else ():
            yield Sender(alarms[alarm.name], "cloudwatch.amazonaws.com", arn, action)

"""Whom buckets tell of new objects, where their logs go, and which keys encrypt them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (Relation.INVOKES, Relation.NOTIFIES, Relation.LOGS_TO, Relation.ENCRYPTS_WITH)
_TARGETS: Final = (
    ("LambdaFunctionConfigurations", "LambdaFunctionArn", Relation.INVOKES),
    ("QueueConfigurations", "QueueArn", Relation.NOTIFIES),
    ("TopicConfigurations", "TopicArn", Relation.NOTIFIES),
)


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Notifications, access logs and key of each bucket of the stack."""
    for bucket in graph.of("AWS::S3::Bucket"):
        for read in (_notifications, _logs, _key):
            yield from attempt(str(bucket), partial(read, env, graph, bucket))


def _notifications(env: Environment, graph: Graph, bucket: Resource) -> Iterator[Edge]:
    found: Mapping[str, Any] = env.client("s3").get_bucket_notification_configuration(
        Bucket=bucket.physical_id
    )
    for kind, key, relation in _TARGETS:
        for one in found.get(kind, []):
            yield Edge(bucket, relation, graph.at(one[key]), ", ".join(one["Events"]))


def _logs(env: Environment, graph: Graph, bucket: Resource) -> Iterator[Edge]:
    found = env.client("s3").get_bucket_logging(Bucket=bucket.physical_id)
    if target := found.get("LoggingEnabled", {}).get("TargetBucket"):
        yield Edge(bucket, Relation.LOGS_TO, graph.at(target, "AWS::S3::Bucket"))


def _key(env: Environment, graph: Graph, bucket: Resource) -> Iterator[Edge]:
    client = env.client("s3")
    try:
        found = client.get_bucket_encryption(Bucket=bucket.physical_id)
    except client.exceptions.ClientError as problem:
        if problem.response["Error"]["Code"] != "ServerSideEncryptionConfigurationNotFoundError":
            raise
        return
    for rule in found["ServerSideEncryptionConfiguration"]["Rules"]:
        if key := rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID"):
            yield Edge(bucket, Relation.ENCRYPTS_WITH, graph.at(key, "AWS::KMS::Key"))

"""Where queues' dead letters go, and which keys encrypt them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Final

from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (Relation.DEAD_LETTERS_TO, Relation.ENCRYPTS_WITH)


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Redrive and key of each queue of the stack."""
    for queue in graph.of("AWS::SQS::Queue"):
        yield from attempt(str(queue), partial(_queue, env, graph, queue))


def _queue(env: Environment, graph: Graph, queue: Resource) -> Iterator[Edge]:
    answer = env.client("sqs").get_queue_attributes(
        QueueUrl=queue.physical_id, AttributeNames=["RedrivePolicy", "KmsMasterKeyId"]
    )
    found = answer.get("Attributes", {})
    if target := json.loads(found.get("RedrivePolicy") or "{}").get("deadLetterTargetArn"):
        yield Edge(queue, Relation.DEAD_LETTERS_TO, graph.at(target), "redrive")
    if key := found.get("KmsMasterKeyId"):
        yield Edge(queue, Relation.ENCRYPTS_WITH, graph.at(key, "AWS::KMS::Key"))

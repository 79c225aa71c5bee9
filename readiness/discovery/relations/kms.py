"""The keys of tables and secrets, which rotate by a function, and the aliases of keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (Relation.ENCRYPTS_WITH, Relation.INVOKES)
_KEY: Final = "AWS::KMS::Key"


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Keys of tables and secrets, and the keys behind the aliases that others gave."""
    for table in graph.of("AWS::DynamoDB::Table"):
        yield from attempt(str(table), partial(_table, env, graph, table))
    for secret in graph.of("AWS::SecretsManager::Secret"):
        yield from attempt(str(secret), partial(_secret, env, graph, secret))
    if graph.of("AWS::KMS::Alias"):
        yield from attempt("aliases", partial(_aliased, env, graph))


def _table(env: Environment, graph: Graph, table: Resource) -> Iterator[Edge]:
    found = env.client("dynamodb").describe_table(TableName=table.physical_id)["Table"]
    if key := found.get("SSEDescription", {}).get("KMSMasterKeyArn"):
        yield Edge(table, Relation.ENCRYPTS_WITH, graph.at(key, _KEY))


def _secret(env: Environment, graph: Graph, secret: Resource) -> Iterator[Edge]:
    found = env.client("secretsmanager").describe_secret(SecretId=secret.physical_id)
    if key := found.get("KmsKeyId"):
        yield Edge(secret, Relation.ENCRYPTS_WITH, graph.at(key, _KEY))
    if function := found.get("RotationLambdaARN"):
        yield Edge(secret, Relation.INVOKES, graph.at(function), "rotation")


def _aliased(env: Environment, graph: Graph) -> Iterator[Edge]:
    """Yield the relation to the key for each resource that names the key by its alias."""
    keys = {
        one["AliasName"]: one["TargetKeyId"]
        for page in env.client("kms").get_paginator("list_aliases").paginate()
        for one in page["Aliases"]
        if "TargetKeyId" in one
    }
    for edge in graph.edges:
        _, found, name = edge.target.physical_id.rpartition("alias/")
        if edge.relation is Relation.ENCRYPTS_WITH and found and (key := keys.get(f"alias/{name}")):
            yield Edge(edge.source, Relation.ENCRYPTS_WITH, graph.at(key, _KEY), f"alias/{name}")

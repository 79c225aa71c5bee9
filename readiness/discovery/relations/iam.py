"""What the policies of a role let those use who assume it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from readiness.aws.policy import Statement, read, statements_of
from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (Relation.USES,)
_NOT_USED: Final = ("AWS::Logs::LogGroup", "AWS::IAM::Role")
"""Types without an edge here. A log group already has the relation LOGS_TO."""


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """The resources that the policies of the stack's roles name, for each who assumes the role."""
    for role in graph.of("AWS::IAM::Role"):
        if graph.to(role, Relation.ASSUMES):
            yield from attempt(str(role), partial(_role, env, graph, role))


def _role(env: Environment, graph: Graph, role: Resource) -> Iterator[Found]:
    for statement in _statements(env, graph, role):
        if not statement.allows:
            continue
        for pattern in statement.resources:
            for used in graph.matching(pattern):
                if used.type in _NOT_USED:
                    continue
                for user in graph.to(role, Relation.ASSUMES):
                    if user.source != used:
                        yield Edge(user.source, Relation.USES, used, statement.what)


def _statements(env: Environment, graph: Graph, role: Resource) -> Iterator[Statement]:
    client = env.client("iam")
    name = role.physical_id
    for page in client.get_paginator("list_role_policies").paginate(RoleName=name):
        for policy in page["PolicyNames"]:
            inline = client.get_role_policy(RoleName=name, PolicyName=policy)
            yield from read(statements_of(inline["PolicyDocument"]))
    own = {policy.physical_id for policy in graph.of("AWS::IAM::ManagedPolicy")}
    if not own:
        return
    for attached in client.get_paginator("list_attached_role_policies").paginate(RoleName=name):
        for managed in attached["AttachedPolicies"]:
            if (arn := managed["PolicyArn"]) in own:
                version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
                answer = client.get_policy_version(PolicyArn=arn, VersionId=version)
                yield from read(statements_of(answer["PolicyVersion"]["Document"]))

"""Everything undeclared that is found at a stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from readiness.aws.cloudformation import CloudFormationStack
from readiness.aws.policy import read, statements_of
from readiness.catalogue.undeclared.declarations import Declarations
from readiness.catalogue.undeclared.difference import extras
from readiness.catalogue.undeclared.readings import READINGS, whole
from readiness.catalogue.undeclared.subject import Account, Subject
from readiness.discovery.graph import Graph
from readiness.environment import Environment
from readiness.errors import Unverified

_STACK = "AWS::CloudFormation::Stack"
_READERS: Final = 8
"""Resources that are read at a time. A client of boto3 keeps ten connections (botocore, Config, max_pool_connections)."""


def undeclared(env: Environment, graph: Graph) -> Mapping[str, Sequence[str]]:
    """What is set on or attached to each resource and is not declared, by its logical id.

    Raises:
        Unverified: nothing was found, and something could not be read; or a template cannot be read.
    """
    account = Account(env, frozenset(one.physical_id for one in graph.resources if one.declared))
    declarations = Declarations(env, graph)
    found: dict[str, Sequence[str]] = {}
    unread: list[tuple[str, Exception]] = []
    resources = [one for one in graph.of(*READINGS) if one.physical_id]
    subjects = [
        Subject(account, one.type, one.physical_id, one.arn, declarations.properties(one))
        for one in resources
    ]
    # Nearly all of the time goes into waiting for answers.
    with ThreadPoolExecutor(_READERS) as readers:
        documents = list(readers.map(whole, subjects))
    for resource, (document, problems) in zip(resources, documents, strict=True):
        unread += [(str(resource), problem) for problem in problems]
        words = {"name": resource.physical_id}
        odd: list[str] = []
        for one in extras(resource.type, declarations.of(resource), document, words):
            try:
                if not (one.id and account.is_declared_elsewhere(one.id)):
                    odd.append(str(one))
            except Unverified as problem:
                unread.append((str(resource), problem))
        if odd:
            found[str(resource)] = odd
    for path, stack in {
        "": env.stack_name,
        **{f"{one}": one.physical_id for one in graph.of(_STACK)},
    }.items():
        if odd := list(_on_stack(env, stack)):
            found[path or stack] = odd
    if unread and not found:
        name, first = unread[0]
        cause = first.cause if isinstance(first, Unverified) else str(first)
        others = f" and {len(unread) - 1} other reads" if len(unread) > 1 else ""
        raise Unverified(f"{name}{others}: {first}", cause=cause) from first
    return found


def _on_stack(env: Environment, name: str) -> Iterator[str]:
    """Yield findings on the stack itself: a policy that denies all updates, and topics of other accounts for its events."""
    policy = env.client("cloudformation").get_stack_policy(StackName=name).get("StackPolicyBody")
    for statement in read(statements_of(policy)):
        if not statement.allows and statement.covers("Update:Modify") and "*" in statement.resources:
            yield "expected a stack policy that allows updates, found one that denies them for all resources; set another policy"
    for topic in CloudFormationStack(env, name).description.get("NotificationARNs", []):
        if topic.split(":")[4] != env.account_id:
            yield f"expected no topic of another account to receive the stack's events, found {topic}; remove it from NotificationARNs"

"""What functions run as, log to, read from, and who may invoke them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from readiness.aws.function import Function
from readiness.aws.policy import read
from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (
    *(Relation.ASSUMES, Relation.LOGS_TO, Relation.DEAD_LETTERS_TO, Relation.READS_FROM),
    *(Relation.ENCRYPTS_WITH, Relation.USES, Relation.MAY_INVOKE, Relation.ROUTES_TO, Relation.NOTIFIES),
)
FUNCTION: Final = "AWS::Lambda::Function"


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Roles, log groups, queues, streams and dead letters of the stack's functions, and their invokers."""
    functions = graph.of(FUNCTION)
    if not functions:
        return
    yield from attempt("functions", partial(_configurations, env, graph))
    yield from attempt("event source mappings", partial(_mappings, env, graph))
    for url in graph.of("AWS::Lambda::Url"):
        yield Edge(url, Relation.ROUTES_TO, graph.at(url.physical_id, FUNCTION), "function URL")
    for function in functions:
        yield from attempt(str(function), partial(_destinations, env, graph, function))
        yield from attempt(str(function), partial(_invokers, env, graph, function))


def _configurations(env: Environment, graph: Graph) -> Iterator[Edge]:
    for page in env.client("lambda").get_paginator("list_functions").paginate():
        for found in page["Functions"]:
            if function := graph.named(found["FunctionArn"], [FUNCTION]):
                yield from _configured(graph, function, found)


def _configured(graph: Graph, function: Resource, found: Mapping[str, Any]) -> Iterator[Edge]:
    yield Edge(function, Relation.ASSUMES, graph.at(found["Role"]))
    group = found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{found['FunctionName']}"
    yield Edge(function, Relation.LOGS_TO, graph.at(group, "AWS::Logs::LogGroup"))
    if target := found.get("DeadLetterConfig", {}).get("TargetArn"):
        yield Edge(function, Relation.DEAD_LETTERS_TO, graph.at(target), "asynchronous invocations")
    if key := found.get("KMSKeyArn"):
        yield Edge(function, Relation.ENCRYPTS_WITH, graph.at(key, "AWS::KMS::Key"))
    for variable, value in found.get("Environment", {}).get("Variables", {}).items():
        for used in graph.mentioned(value):
            if used != function:
                yield Edge(function, Relation.USES, used, variable)


def _mappings(env: Environment, graph: Graph) -> Iterator[Edge]:
    for page in env.client("lambda").get_paginator("list_event_source_mappings").paginate():
        for found in page["EventSourceMappings"]:
            function = graph.named(found.get("FunctionArn", ""), [FUNCTION])
            if function is None or not found.get("EventSourceArn"):
                continue
            state = "" if found.get("State", "Enabled") == "Enabled" else found["State"]
            yield Edge(function, Relation.READS_FROM, graph.at(found["EventSourceArn"]), state)
            if target := found.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
                yield Edge(function, Relation.DEAD_LETTERS_TO, graph.at(target), "event source")


def _destinations(env: Environment, graph: Graph, function: Resource) -> Iterator[Edge]:
    pages = env.client("lambda").get_paginator("list_function_event_invoke_configs")
    for page in pages.paginate(FunctionName=function.physical_id):
        for found in page["FunctionEventInvokeConfigs"]:
            to = found.get("DestinationConfig", {})
            if target := to.get("OnFailure", {}).get("Destination"):
                yield Edge(function, Relation.DEAD_LETTERS_TO, graph.at(target), "asynchronous invocations")
            if target := to.get("OnSuccess", {}).get("Destination"):
                yield Edge(function, Relation.NOTIFIES, graph.at(target), "on success")


def _invokers(env: Environment, graph: Graph, function: Resource) -> Iterator[Edge]:
    for statement in read(Function(env, function.physical_id).every_permission):
        if not statement.allows:
            continue
        for source in statement.sources or [name for _, name in statement.principals]:
            invoker = graph.named(source) or Resource("AWS::IAM::Principal", source, source, declared=False)
            yield Edge(invoker, Relation.MAY_INVOKE, function, statement.sid)

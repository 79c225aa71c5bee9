"""What rules and schedules start, and where what they could not deliver goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from readiness.aws.rule import Schedule
from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (Relation.INVOKES, Relation.NOTIFIES, Relation.DEAD_LETTERS_TO, Relation.ASSUMES)
_STARTED: Final = ("AWS::Lambda::Function", "AWS::StepFunctions::StateMachine")


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Targets, dead letters, roles and sources of the stack's rules and schedules."""
    rules = graph.of("AWS::Events::Rule")
    for bus in dict.fromkeys(_bus_and_name(rule)[0] for rule in rules):
        yield from attempt(f"rules of {bus}", partial(_sources, env, graph, bus))
    for rule in rules:
        yield from attempt(str(rule), partial(_rule, env, graph, rule))
    for schedule in graph.of("AWS::Scheduler::Schedule"):
        yield from attempt(str(schedule), partial(_schedule, env, graph, schedule))


def _bus_and_name(rule: Resource) -> tuple[str, str]:
    bus, _, name = rule.physical_id.rpartition("|")
    return bus or "default", name


def _sources(env: Environment, graph: Graph, bus: str) -> Iterator[Edge]:
    for page in env.client("events").get_paginator("list_rules").paginate(EventBusName=bus):
        for found in page["Rules"]:
            rule = graph.named(found["Arn"], ["AWS::Events::Rule"])
            if rule is None:
                continue
            for source in graph.mentioned(found.get("EventPattern", "")):
                yield Edge(source, Relation.NOTIFIES, rule, "events")
            if role := found.get("RoleArn"):
                yield Edge(rule, Relation.ASSUMES, graph.at(role))


def _rule(env: Environment, graph: Graph, rule: Resource) -> Iterator[Edge]:
    bus, name = _bus_and_name(rule)
    pages = env.client("events").get_paginator("list_targets_by_rule")
    for page in pages.paginate(Rule=name, EventBusName=bus):
        for target in page["Targets"]:
            yield from _target(graph, rule, target)


def _schedule(env: Environment, graph: Graph, schedule: Resource) -> Iterator[Edge]:
    found = Schedule(env, schedule.physical_id).description
    yield from _target(graph, schedule, found["Target"], str(found.get("ScheduleExpression", "")))


def _target(graph: Graph, source: Resource, target: Mapping[str, Any], label: str = "") -> Iterator[Edge]:
    there = graph.at(target["Arn"])
    relation = Relation.INVOKES if there.type in _STARTED else Relation.NOTIFIES
    yield Edge(source, relation, there, label)
    if queue := target.get("DeadLetterConfig", {}).get("Arn"):
        yield Edge(source, Relation.DEAD_LETTERS_TO, graph.at(queue), str(target.get("Id", "")))
    if role := target.get("RoleArn"):
        yield Edge(source, Relation.ASSUMES, graph.at(role))

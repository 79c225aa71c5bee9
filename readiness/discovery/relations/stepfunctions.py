"""What state machines run as, log to, and call."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (
    *(Relation.ASSUMES, Relation.LOGS_TO, Relation.INVOKES, Relation.NOTIFIES),
    *(Relation.USES, Relation.ENCRYPTS_WITH),
)
_BY_TYPE: Final = {
    "AWS::Lambda::Function": Relation.INVOKES,
    "AWS::StepFunctions::StateMachine": Relation.INVOKES,
    "AWS::SNS::Topic": Relation.NOTIFIES,
    "AWS::SQS::Queue": Relation.NOTIFIES,
}


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Yield what each state machine of the stack relates to: its role, log groups, key, and the resources in its definition."""
    for machine in graph.of("AWS::StepFunctions::StateMachine"):
        yield from attempt(str(machine), partial(_machine, env, graph, machine))


def _machine(env: Environment, graph: Graph, machine: Resource) -> Iterator[Edge]:
    found = env.client("stepfunctions").describe_state_machine(stateMachineArn=machine.physical_id)
    yield Edge(machine, Relation.ASSUMES, graph.at(found["roleArn"]))
    for destination in found.get("loggingConfiguration", {}).get("destinations", []):
        if group := destination.get("cloudWatchLogsLogGroup", {}).get("logGroupArn"):
            yield Edge(machine, Relation.LOGS_TO, graph.at(group))
    if key := found.get("encryptionConfiguration", {}).get("kmsKeyId"):
        yield Edge(machine, Relation.ENCRYPTS_WITH, graph.at(key, "AWS::KMS::Key"))
    for called in graph.mentioned(found["definition"]):
        yield Edge(machine, _BY_TYPE.get(called.type, Relation.USES), called, "definition")

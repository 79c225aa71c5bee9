"""The functions of a stack, and what starts them: read once for every check of the catalogue."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from readiness import budgets
from readiness.aws.cloudformation import CloudFormationStack
from readiness.aws.distribution import Distribution
from readiness.aws.function import Function
from readiness.aws.policy import Statement, read
from readiness.aws.queue import DISABLED, Queue
from readiness.aws.rule import Rule, Schedule
from readiness.aws.state_machine import StateMachine
from readiness.catalogue.existence import arn_exists
from readiness.discovery.graph import Graph, Resource
from readiness.environment import Environment

FUNCTION = "AWS::Lambda::Function"
MAPPING = "AWS::Lambda::EventSourceMapping"
MACHINE = "AWS::StepFunctions::StateMachine"
QUEUE = "AWS::SQS::Queue"
HTTP_API = "AWS::ApiGatewayV2::Api"
REST_API = "AWS::ApiGateway::RestApi"
DISTRIBUTION = "AWS::CloudFront::Distribution"
RULE = "AWS::Events::Rule"
SCHEDULE = "AWS::Scheduler::Schedule"
_EVENTS = "events.amazonaws.com"
# Services that hand an event over and do not wait for what becomes of it.
# Source: Lambda Developer Guide, "Invoking Lambda with events from other AWS services".
_ASYNCHRONOUS = {
    *("s3.amazonaws.com", "sns.amazonaws.com", _EVENTS, "ses.amazonaws.com"),
    *("iot.amazonaws.com", "config.amazonaws.com", "codecommit.amazonaws.com", "scheduler.amazonaws.com"),
}


@dataclass(frozen=True)
class Cap:
    """How long something waits for a function that it has started."""

    who: str
    limit: timedelta


@dataclass(frozen=True)
class Compute:
    """What computes in a stack; each resource is read when it is first asked for."""

    env: Environment = field(repr=False)
    graph: Graph = field(repr=False)

    @cached_property
    def _functions(self) -> Mapping[str, Function]:
        return {each.logical_id: Function(self.env, each.physical_id) for each in self.graph.of(FUNCTION)}

    def function(self, resource: Resource) -> Function:
        return self._functions[resource.logical_id]

    @cached_property
    def _machines(self) -> Mapping[str, StateMachine]:
        return {each.logical_id: StateMachine(self.env, each.physical_id) for each in self.graph.of(MACHINE)}

    def machine(self, resource: Resource) -> StateMachine:
        return self._machines[resource.logical_id]

    @cached_property
    def _queues(self) -> Mapping[str, Queue]:
        return {each.logical_id: Queue(self.env, each.physical_id) for each in self.graph.of(QUEUE)}

    def queue(self, resource: Resource) -> Queue:
        return self._queues[resource.logical_id]

    @cached_property
    def _rules(self) -> Mapping[str, Rule | Schedule]:
        rules = {each.logical_id: Rule(self.env, each.physical_id) for each in self.graph.of(RULE)}
        return rules | {
            each.logical_id: Schedule(self.env, each.physical_id) for each in self.graph.of(SCHEDULE)
        }

    def rule(self, resource: Resource) -> Rule | Schedule:
        return self._rules[resource.logical_id]

    @cached_property
    def _mappings(self) -> Mapping[str, Mapping[str, Any]]:
        """By UUID, those of the stack's functions."""
        client = self.env.client("lambda")
        return {
            each.logical_id: client.get_event_source_mapping(UUID=each.physical_id)
            for each in self.graph.of(MAPPING)
        }

    def mapping(self, resource: Resource) -> Mapping[str, Any]:
        """One event source mapping, as Lambda tells it."""
        return self._mappings[resource.logical_id]

    @property
    def queues_read(self) -> set[str]:
        """ARNs of the queues that a function of the stack is fed from."""
        return {str(each.get("EventSourceArn", "")) for each in self._mappings.values()}

    @property
    def streams_read(self) -> Mapping[str, Sequence[str]]:
        """ARNs of the streams of DynamoDB and Kinesis that a function is fed from, by its name."""
        read: dict[str, list[str]] = {}
        for each in self._mappings.values():
            arn = str(each.get("EventSourceArn", ""))
            if each["State"] not in DISABLED and arn.split(":")[2:3] in (["dynamodb"], ["kinesis"]):
                read.setdefault(function_name(str(each.get("FunctionArn", ""))), []).append(arn)
        return read

    @cached_property
    def stacks(self) -> Mapping[str, CloudFormationStack]:
        """The stack and those nested in it, by the path that their resources' logical ids begin with."""
        nested = self.graph.of("AWS::CloudFormation::Stack")
        return {
            "": CloudFormationStack(self.env, self.env.stack_name),
            **{f"{each}/": CloudFormationStack(self.env, each.physical_id) for each in nested},
        }

    @cached_property
    def helpers(self) -> set[str]:
        """Logical ids of the functions that serve the stack's custom resources alone.

        Tools such as CDK add them to a stack. They run during a deployment, and the deployment reports their errors.
        """
        found = set()
        for path, stack in self.stacks.items():
            for resource in stack.declared.values():
                type_ = str(resource.get("Type", ""))
                if type_.startswith("Custom::") or type_ == "AWS::CloudFormation::CustomResource":
                    token = resource.get("Properties", {}).get("ServiceToken")
                    found |= {path + id_ for id_ in _named_in(token)}
        return found

    @cached_property
    def _distributions(self) -> Mapping[str, Distribution]:
        return {
            each.logical_id: Distribution(self.env, each.physical_id) for each in self.graph.of(DISTRIBUTION)
        }

    def distribution(self, resource: Resource) -> Distribution:
        return self._distributions[resource.logical_id]

    @cached_property
    def at_edges(self) -> set[str]:
        """Names of the functions that run at CloudFront's edges: untraced, and with logs in the region of the caller."""
        return {
            function_name(one["LambdaFunctionARN"])
            for distribution in self._distributions.values()
            for behaviour in distribution.behaviours
            for one in behaviour.get("LambdaFunctionAssociations", {}).get("Items", [])
        }

    def serving(self, functions: Sequence[Resource]) -> Sequence[Resource]:
        """These functions without those of custom resources and those at CloudFront's edges."""
        return [
            each
            for each in functions
            if each.logical_id not in self.helpers and each.physical_id not in self.at_edges
        ]

    def started_by_events(self, function: Function) -> Sequence[str]:
        """Return the sources that start a function and do not wait for it, without disabled rules and schedules."""
        services = {
            service
            for statement in read(function.every_permission)
            if statement.allows
            for kind, service in statement.principals
            if kind == "Service" and not (service == _EVENTS and self._is_for_disabled_rules(statement))
        }
        schedules = {
            "scheduler.amazonaws.com"
            for rule in self._rules.values()
            if isinstance(rule, Schedule) and rule.enabled
            if any(same_function(target.arn, function.name) for target in rule.targets)
        }
        return sorted(services & _ASYNCHRONOUS | schedules)

    def _is_for_disabled_rules(self, statement: Statement) -> bool:
        """Whether a permission is for disabled rules of the stack alone."""
        sources = statement.required("aws:SourceArn")
        return bool(sources) and self._disabled_rules.issuperset(sources or ())

    @cached_property
    def _disabled_rules(self) -> set[str]:
        return {rule.arn for rule in self._rules.values() if isinstance(rule, Rule) and not rule.enabled}

    @cached_property
    def served_apis(self) -> Sequence[Resource]:
        """The APIs that have a stage with a deployment or with automatic deployment. Callers cannot reach the other APIs."""
        http, rest = self.env.client("apigatewayv2"), self.env.client("apigateway")
        stages: dict[Resource, Sequence[Mapping[str, Any]]] = {
            **{each: http.get_stages(ApiId=each.physical_id)["Items"] for each in self.graph.of(HTTP_API)},
            **{each: rest.get_stages(restApiId=each.physical_id)["item"] for each in self.graph.of(REST_API)},
        }
        deployed = ("DeploymentId", "deploymentId", "AutoDeploy")
        return [
            each
            for each, found in stages.items()
            if any(stage.get(name) for stage in found for name in deployed)
        ]

    @cached_property
    def caps(self) -> Mapping[str, Sequence[Cap]]:
        """How long APIs and state machines of the stack wait, by the name of the function that they start."""
        found: dict[str, list[Cap]] = {}
        for name, cap in (*self._caps_of_apis(), *self._caps_of_machines()):
            found.setdefault(name, []).append(cap)
        return found

    def _caps_of_apis(self) -> Iterator[tuple[str, Cap]]:
        served = self.served_apis
        for api in (each for each in served if each.type == HTTP_API):
            pages = self.env.client("apigatewayv2").get_paginator("get_integrations")
            for page in pages.paginate(ApiId=api.physical_id):
                for one in page["Items"]:
                    yield from _cap(
                        api, one.get("IntegrationUri"), one.get("TimeoutInMillis"), budgets.API_TIMEOUT_LIMIT
                    )
        for api in (each for each in served if each.type == REST_API):
            resources = self.env.client("apigateway").get_paginator("get_resources")
            for listed in resources.paginate(restApiId=api.physical_id, embed=["methods"]):
                for resource in listed["items"]:
                    for method in resource.get("resourceMethods", {}).values():
                        called = method.get("methodIntegration", {})
                        if "'Event'" in (called.get("requestParameters") or {}).values():
                            continue  # it hands the event over and does not wait
                        yield from _cap(
                            api, called.get("uri"), called.get("timeoutInMillis"), budgets.REST_TIMEOUT
                        )

    def _caps_of_machines(self) -> Iterator[tuple[str, Cap]]:
        for resource in self.graph.of(MACHINE):
            for task in self.machine(resource).tasks:
                if task.function and task.timeout_seconds and not task.waits_for_others:
                    cap = Cap(f"{resource}'s task {task.name!r}", timedelta(seconds=task.timeout_seconds))
                    yield function_name(task.function), cap

    def is_there(self, arn: str) -> bool | None:
        """Return whether the resource of an ARN exists, None where that is unknown."""
        resource = self.graph.named(arn)
        return True if resource and resource.declared else arn_exists(self.env, arn)


def _cap(
    api: Resource, uri: str | None, milliseconds: int | None, default: timedelta
) -> Iterator[tuple[str, Cap]]:
    if uri and ":function:" in uri and "${" not in uri:
        limit = timedelta(milliseconds=milliseconds) if milliseconds else default
        yield function_name(uri), Cap(f"API {api}", limit)


def function_name(reference: str) -> str:
    """Return the function's name in a reference: a name, an ARN or an integration's URI, with or without an alias."""
    found = re.search(r":function:([\w-]+)", reference)
    return found[1] if found else reference.partition(":")[0]


def same_function(reference: str, name: str) -> bool:
    """Whether an ARN is of the function of that name."""
    return ":function:" in reference and function_name(reference) == name


def _named_in(value: Any) -> set[str]:
    """Logical ids that an intrinsic function's value refers to."""
    text = json.dumps(value)
    return {
        *re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"([A-Za-z0-9]+)', text),
        *re.findall(r"\$\{([A-Za-z0-9]+)", text),
    }

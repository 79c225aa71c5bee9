"""What answers behind load balancers, and where their logs go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment
from readiness.errors import Missing

RELATIONS: Final = (Relation.ROUTES_TO, Relation.LOGS_TO, Relation.PROTECTED_BY)


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Routes to functions or target groups, logs and web ACLs of the stack's load balancers."""
    for balancer in graph.of("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        for read in (_routes, _logs, _acl):
            yield from attempt(str(balancer), partial(read, env, graph, balancer))


def _routes(env: Environment, graph: Graph, balancer: Resource) -> Iterator[Edge]:
    client = env.client("elbv2")
    found = client.describe_target_groups(LoadBalancerArn=balancer.physical_id)["TargetGroups"]
    functions = {
        one["TargetGroupArn"]: [
            health["Target"]["Id"]
            for health in client.describe_target_health(TargetGroupArn=one["TargetGroupArn"])[
                "TargetHealthDescriptions"
            ]
        ]
        for one in found
        if one.get("TargetType") == "lambda"
    }
    for listener in client.describe_listeners(LoadBalancerArn=balancer.physical_id)["Listeners"]:
        for rule in client.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
            for group in _groups(rule):
                for target in functions.get(group, [group]):
                    there = graph.at(target, "AWS::ElasticLoadBalancingV2::TargetGroup")
                    yield Edge(balancer, Relation.ROUTES_TO, there, _route(rule))


def _groups(rule: Mapping[str, Any]) -> Iterator[str]:
    for action in rule["Actions"]:
        weighted = action.get("ForwardConfig", {}).get("TargetGroups", [])
        single = [action["TargetGroupArn"]] if action.get("TargetGroupArn") else []
        yield from [one["TargetGroupArn"] for one in weighted] or single


def _route(rule: Mapping[str, Any]) -> str:
    words = [
        value
        for condition in rule.get("Conditions", [])
        for value in condition.get("Values") or condition.get("PathPatternConfig", {}).get("Values", [])
    ]
    return " ".join(words) or "*"


def _logs(env: Environment, graph: Graph, balancer: Resource) -> Iterator[Edge]:
    answer = env.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=balancer.physical_id)
    found = {one["Key"]: one["Value"] for one in answer["Attributes"]}
    if found.get("access_logs.s3.enabled") == "true":
        yield Edge(balancer, Relation.LOGS_TO, graph.at(found["access_logs.s3.bucket"], "AWS::S3::Bucket"))


def _acl(env: Environment, graph: Graph, balancer: Resource) -> Iterator[Edge]:
    try:
        found = env.client("wafv2").get_web_acl_for_resource(ResourceArn=balancer.physical_id)
    except Missing:
        return
    if acl := found.get("WebACL"):
        yield Edge(balancer, Relation.PROTECTED_BY, graph.at(acl["ARN"]))

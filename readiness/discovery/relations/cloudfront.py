"""What distributions serve under which path, guarded by what, and where their logs go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.reading import Found, attempt
from readiness.environment import Environment

RELATIONS: Final = (Relation.SERVES, Relation.LOGS_TO, Relation.PROTECTED_BY, Relation.INVOKES)
_BUCKET: Final = re.compile(r"^(.+?)\.s3(?:-website)?[.-]")


def edges(env: Environment, graph: Graph) -> Iterator[Found]:
    """Origins by cache behaviour, functions at the edge, web ACLs and logs of the stack's distributions."""
    for distribution in graph.of("AWS::CloudFront::Distribution"):
        yield from attempt(str(distribution), partial(_distribution, env, graph, distribution))


def _distribution(env: Environment, graph: Graph, distribution: Resource) -> Iterator[Found]:
    found = env.client("cloudfront").get_distribution_config(Id=distribution.physical_id)[
        "DistributionConfig"
    ]
    origins = {one["Id"]: one for one in found["Origins"].get("Items", [])}
    groups = {
        one["Id"]: [member["OriginId"] for member in one["Members"]["Items"]]
        for one in found.get("OriginGroups", {}).get("Items", [])
    }
    default = {**found["DefaultCacheBehavior"], "PathPattern": "*"}
    behaviours: list[Mapping[str, Any]] = [*found.get("CacheBehaviors", {}).get("Items", []), default]
    for behaviour in behaviours:
        path = behaviour["PathPattern"]
        for id_ in groups.get(behaviour["TargetOriginId"], [behaviour["TargetOriginId"]]):
            yield from attempt(
                f"{distribution} {path}", partial(_serves, env, graph, distribution, origins[id_], path)
            )
        yield from _at_the_edge(graph, distribution, behaviour)
    if acl := found.get("WebACLId"):
        yield Edge(distribution, Relation.PROTECTED_BY, graph.at(acl, "AWS::WAFv2::WebACL"))
    if found.get("Logging", {}).get("Enabled") and (bucket := _BUCKET.match(found["Logging"]["Bucket"])):
        yield Edge(distribution, Relation.LOGS_TO, graph.at(bucket[1], "AWS::S3::Bucket"))


def _serves(
    env: Environment, graph: Graph, distribution: Resource, origin: Mapping[str, Any], path: str
) -> Iterator[Edge]:
    target = _behind(env, graph, origin["DomainName"])
    if target is None:
        target = Resource(
            "AWS::CloudFront::Origin", origin["DomainName"], origin["DomainName"], declared=False
        )
    yield Edge(distribution, Relation.SERVES, target, path)


def _behind(env: Environment, graph: Graph, domain: str) -> Resource | None:
    """The stack's resource that answers under a domain name."""
    if bucket := _BUCKET.match(domain):
        return graph.at(bucket[1], "AWS::S3::Bucket")
    if api := graph.named(domain.partition(".")[0], ["AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi"]):
        return api
    if ".lambda-url." in domain:
        for url in graph.of("AWS::Lambda::Url"):
            config = env.client("lambda").get_function_url_config(FunctionName=url.physical_id)
            if domain in config["FunctionUrl"]:
                return url
    if balancers := graph.of("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        arns = [one.physical_id for one in balancers]
        for found in env.client("elbv2").describe_load_balancers(LoadBalancerArns=arns)["LoadBalancers"]:
            if found["DNSName"].lower() == domain.lower():
                return graph.named(found["LoadBalancerArn"])
    return None


def _at_the_edge(graph: Graph, distribution: Resource, behaviour: Mapping[str, Any]) -> Iterator[Edge]:
    for kind, key in (("Lambda", "LambdaFunctionARN"), ("", "FunctionARN")):
        for one in behaviour.get(f"{kind}FunctionAssociations", {}).get("Items", []):
            target = graph.at(one[key], "AWS::CloudFront::Function")
            yield Edge(
                distribution, Relation.INVOKES, target, f"{one['EventType']} {behaviour['PathPattern']}"
            )

"""What a stack costs a month by its resources, at list prices and a stated traffic.

An estimate that is rather low: it knows the kinds below alone, no transfer of data, and no vendor outside AWS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from readiness.aws.function import Function
from readiness.discovery.graph import Resource

REQUESTS: Final = 1_000_000
"""Requests a month that each API, function, queue and distribution is reckoned with. Source: own judgement, 23 a minute."""

SECONDS: Final = 0.1
"""How long a function is reckoned to run for one of them. Source: own judgement."""


@dataclass(frozen=True)
class Price:
    """One list price in us-east-1, as of November 2026.

    Args:
        usd: for one `unit`.
        unit: what is paid for.
        source: where AWS publishes it.
        a_request: whether it is paid for each request, else for each month.
    """

    usd: float
    unit: str
    source: str
    a_request: bool = False


_AT: Final = "aws.amazon.com/{}/pricing"
GB_SECOND: Final[Mapping[str, Price]] = {
    "x86_64": Price(0.0000166667, "GB-second", _AT.format("lambda")),
    "arm64": Price(0.0000133334, "GB-second", _AT.format("lambda")),
}
PRICES: Final[Mapping[str, Price]] = {
    "AWS::ApiGateway::RestApi": Price(3.50e-6, "request", _AT.format("api-gateway"), a_request=True),
    "AWS::ApiGatewayV2::Api": Price(1.00e-6, "request", _AT.format("api-gateway"), a_request=True),
    "AWS::CloudFront::Distribution": Price(1.00e-6, "request", _AT.format("cloudfront"), a_request=True),
    "AWS::CloudWatch::Alarm": Price(0.10, "alarm", _AT.format("cloudwatch")),
    "AWS::CloudWatch::Dashboard": Price(3.00, "dashboard", _AT.format("cloudwatch")),
    "AWS::EC2::NatGateway": Price(32.85, "gateway", _AT.format("vpc")),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Price(16.43, "balancer", _AT.format("elasticloadbalancing")),
    "AWS::KMS::Key": Price(1.00, "key", _AT.format("kms")),
    "AWS::Lambda::Function": Price(0.20e-6, "call", _AT.format("lambda"), a_request=True),
    "AWS::Route53::HostedZone": Price(0.50, "zone", _AT.format("route53")),
    "AWS::SQS::Queue": Price(0.40e-6, "request", _AT.format("sqs"), a_request=True),
    "AWS::SecretsManager::Secret": Price(0.40, "secret", _AT.format("secrets-manager")),
    "AWS::StepFunctions::StateMachine": Price(
        25e-6, "transition", _AT.format("step-functions"), a_request=True
    ),
    "AWS::WAFv2::WebACL": Price(5.00, "web ACL", _AT.format("waf")),
}
"""By CloudFormation's type. Free tiers and taxes are left out."""


@dataclass(frozen=True)
class Line:
    """What one resource costs a month."""

    what: str
    usd: float


def estimate(resources: Mapping[Resource, Any]) -> Iterator[Line]:
    """A line for each resource of a kind that has a price.

    Args:
        resources: those of the stack, each with its Function where it is one, else None.
    """
    for resource, live in resources.items():
        if not (price := PRICES.get(resource.type)):
            continue
        usd = price.usd * (REQUESTS if price.a_request else 1)
        if isinstance(live, Function):
            seconds = GB_SECOND[(live.configuration.get("Architectures") or ["x86_64"])[0]]
            usd += REQUESTS * SECONDS * live.memory_mb / 1024 * seconds.usd
        yield Line(f"{resource} ({resource.type})", usd)

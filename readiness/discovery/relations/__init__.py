"""The relations that each service's own APIs tell, one module a service.

Each has `edges(env, graph)`, which asks only for the kinds of resource that the stack has, and `RELATIONS`, which are incomplete
where it could not read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Protocol, cast

from readiness.discovery.graph import Graph, Relation
from readiness.discovery.reading import Found
from readiness.discovery.relations import (
    apigateway,
    cloudfront,
    cloudwatch,
    elbv2,
    events,
    iam,
    kms,
    lambda_,
    logs,
    s3,
    sns,
    sqs,
    stepfunctions,
)
from readiness.environment import Environment


class Service(Protocol):
    """A module of this package."""

    __name__: str
    RELATIONS: Collection[Relation]

    def edges(self, env: Environment, graph: Graph) -> Iterator[Found]:
        """The relations that the service tells of."""


MODULES: Final = cast(
    "Sequence[Service]",
    (lambda_, apigateway, elbv2, cloudfront, events, stepfunctions, sqs, sns, s3, cloudwatch, logs, kms, iam),
)
"""The modules in the order of reading. A role's policies apply to the resources that assume it, so IAM is last."""

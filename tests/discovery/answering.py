"""AWS's answers, given to real clients, so that botocore holds requests and answers to each service's model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.validate import validate_parameters

from readiness.discovery import arns
from readiness.discovery.graph import Graph, Resource
from readiness.errors import Denied

REGION, ACCOUNT = "eu-west-1", "123456789012"
HOME = arns.Home("aws", REGION, ACCOUNT)
_SESSION = boto3.Session("testing", "testing", region_name=REGION)


class Answering:
    """An environment that answers `service:Operation` with what it is given; what it is not given it denies.

    An answer is a mapping, or several by the request's parameter that tells them apart.
    """

    stack_name, region, partition, account_id = "shop", REGION, "aws", ACCOUNT

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.calls: Counter[str] = Counter()

    def client(self, service: str, region: str | None = None, **_: Any) -> Any:
        client = _SESSION.client(service, region_name=region or REGION)
        asked: dict[str, Any] = {}
        client.meta.events.register("provide-client-params", lambda params, **_: asked.update(params))

        def answer(model: Any, **_: Any) -> Any:
            operation = f"{service}:{model.name}"
            self.calls[operation] += 1
            found = self.answers.get(operation)
            found = found(asked) if callable(found) else found
            if isinstance(found, Exception):
                raise found
            if found is None:
                raise Denied(operation, "not allowed")
            validate_parameters(found, model.output_shape)
            return AWSResponse("https://aws.test", 200, {}, None), found

        client.meta.events.register("before-call", answer)
        return client


def resource(type_: str, logical_id: str, physical_id: str, **properties: Any) -> Resource:
    """A declared resource with its ARN."""
    kind = f"AWS::{type_}"
    return Resource(kind, logical_id, physical_id, properties, arn=arns.arn(kind, physical_id, HOME))


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def sentences(graph: Graph) -> set[str]:
    """The relations in words, `*` behind what is not declared."""
    return {
        f"{edge.source} {edge.relation} {edge.target}{'' if edge.target.declared else '*'}"
        + (f" [{edge.label}]" if edge.label else "")
        for edge in graph.edges
    }

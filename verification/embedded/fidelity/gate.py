"""The gate itself: one line for each property that is not live as it was declared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.session import Session

from readiness.discovery.comparison import differences
from readiness.discovery.template import Resource, Template
from verification.embedded.fidelity import readers
from verification.embedded.fidelity.live import Aws, Live, Type

GAPS = Path(__file__).parent.parent / "gaps.toml"
SHOWN_CHARACTERS = 300


@dataclass(frozen=True)
class Problem:
    """One declared property that was not confirmed."""

    logical_id: str
    kind: str
    path: str
    declared: Any
    live: Any
    reason: str

    def __str__(self) -> str:
        facts = f"declared {_shown(self.declared)}"
        facts += f", live {_shown(self.live)}" if self.reason != "no reader" else ""
        return f"{self.logical_id} ({self.kind}) {self.path}: {self.reason}; {facts}"


@dataclass(frozen=True)
class Outcome:
    """What the gate saw of one stack."""

    confirmed: int
    problems: list[Problem]


def load(session: Session, stack: str) -> tuple[Aws, Template]:
    """Return the account and the resolved template of a deployed stack.

    Raises:
        botocore.exceptions.ClientError: There is no such stack, or it may not be read.
    """
    cloudformation: Any = session.create_client("cloudformation")
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    body = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    physical_ids: dict[str, str] = {}
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for one in page["StackResourceSummaries"]:
            physical_ids[one["LogicalResourceId"]] = one.get("PhysicalResourceId", "")
    _, _, _, region, account_id, _ = described["StackId"].split(":", 5)
    aws = Aws(session.create_client, account_id, region)
    parameters = {
        one["ParameterKey"]: one.get("ResolvedValue", one["ParameterValue"])
        for one in described.get("Parameters", [])
    }
    pseudo = {
        "AWS::AccountId": account_id,
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::StackId": described["StackId"],
        "AWS::StackName": described["StackName"],
        "AWS::URLSuffix": "amazonaws.com",
    }

    def attribute(kind: str, physical_id: str, name: str) -> Any:
        return readers.attribute(aws, kind, physical_id, name)

    return aws, Template(body, parameters, physical_ids, pseudo, attribute)


def examine(aws: Aws, template: Template, accepted: dict[tuple[str, str], str]) -> Outcome:
    """Read every declared property back."""
    confirmed, problems = 0, []
    for resource in template.resources():
        for name in resource.properties:
            if (resource.kind, name) in accepted:
                continue
            found = list(_property(aws, resource, name))
            problems += found
            confirmed += not found
    return Outcome(confirmed, problems)


def _property(aws: Aws, resource: Resource, name: str) -> Iterator[Problem]:
    declared = resource.properties[name]
    known = readers.TYPES.get(resource.kind, Type({}))
    read = known.properties.get(name)
    if read is None:
        yield Problem(resource.logical_id, resource.kind, name, declared, None, "no reader")
        return
    shape = known.shapes.get(name)
    if shape is not None:
        declared = shape(declared, resource.properties)
    live = read(Live(aws, resource.physical_id, resource.properties)) if resource.physical_id else None
    for one in differences(declared, live, name):
        reason = "dropped" if one.live in (None, "", [], {}) else "different"
        yield Problem(resource.logical_id, resource.kind, one.path, one.declared, one.live, reason)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."

"""AWS::CloudFormation::Stack."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import botocore.exceptions
import yaml

try:
    from yaml import CSafeLoader as _SafeLoader  # many times faster
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

from readiness import budgets
from readiness.aws.spelling import same
from readiness.environment import Environment
from readiness.errors import Missing, Unverified
from readiness.progress import waiting
from readiness.secret_parameters import names_secret

# Where a template may name what would otherwise be named by CloudFormation.
_NAMING = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::WAFv2::WebACL": "Name",
}

_DENSE = re.compile(r"(?=[\w+=]*\d)(?=[\w+=]*[A-Za-z])[\w+=]{20,}")
"""Letters and digits without a hyphen: a key. AWS's generated names have hyphens and shorter parts."""


@dataclass(frozen=True)
class StackResource:
    """One resource that the stack says it has."""

    logical_id: str
    physical_id: str
    type: str
    status: str


@dataclass(frozen=True)
class Drift:
    """How one resource compares with the template."""

    logical_id: str
    type: str
    status: str  # IN_SYNC, MODIFIED, DELETED, or UNKNOWN where CloudFormation could not read it
    differences: Sequence[str]  # one a property, with what was expected and what is there


@dataclass(frozen=True)
class CloudFormationStack:
    """The deployed stack itself: status, outputs, and what it is made of."""

    env: Environment = field(repr=False)
    name: str

    @cached_property
    def description(self) -> Mapping[str, Any]:
        answer = self.env.client("cloudformation").describe_stacks(StackName=self.name)
        return dict(answer["Stacks"][0])

    @property
    def deployed(self) -> bool:
        """Whether there is such a stack."""
        try:
            return bool(self.description)
        except botocore.exceptions.ClientError as problem:
            if (
                problem.response["Error"]["Code"] == "ValidationError"
            ):  # how CloudFormation says: does not exist
                return False
            raise

    @property
    def status(self) -> str:
        return str(self.description["StackStatus"])

    @property
    def termination_protection(self) -> bool:
        return bool(self.description.get("EnableTerminationProtection"))

    @property
    def tags(self) -> Mapping[str, str]:
        """What CloudFormation puts onto every resource that can have tags."""
        return {tag["Key"]: tag["Value"] for tag in self.description.get("Tags", [])}

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        return {entry["OutputKey"]: entry["OutputValue"] for entry in self.description.get("Outputs", [])}

    def parameter(self, name: str) -> str:
        """One parameter's value as deployed.

        Raises:
            Missing: the template declares no such parameter.
        """
        values = {
            entry["ParameterKey"]: entry["ParameterValue"] for entry in self.description.get("Parameters", [])
        }
        if name not in values:
            raise Missing(
                f"{self!r} has no parameter '{name}'; declare it in backend/template.yaml",
                cause=f"stack '{self.name}' has no parameter '{name}'",
            )
        return str(values[name])

    def output(self, name: str) -> str:
        """One output's value.

        Raises:
            Missing: the stack has no such output.
        """
        if name not in self.outputs:
            has = ", ".join(sorted(self.outputs)) or "none"
            raise Missing(
                f"{self!r} has no output '{name}' (has: {has}); declare it in backend/template.yaml",
                cause=f"stack '{self.name}' has no output '{name}'",
            )
        return self.outputs[name]

    @cached_property
    def resources(self) -> Mapping[str, StackResource]:
        """Every resource by its logical id."""
        pages = (
            self.env.client("cloudformation")
            .get_paginator("list_stack_resources")
            .paginate(StackName=self.name)
        )
        return {
            entry["LogicalResourceId"]: StackResource(
                entry["LogicalResourceId"],
                entry.get("PhysicalResourceId", ""),
                entry["ResourceType"],
                entry["ResourceStatus"],
            )
            for page in pages
            for entry in page["StackResourceSummaries"]
        }

    def physical_id(self, logical_id: str) -> str:
        """The name or ARN of a live resource.

        Raises:
            Missing: the stack has no such resource.
        """
        if logical_id not in self.resources:
            raise Missing(
                f"{self!r} has no resource '{logical_id}'; declare it in backend/template.yaml",
                cause=f"stack '{self.name}' has no resource '{logical_id}'",
            )
        return self.resources[logical_id].physical_id

    @cached_property
    @waiting("CloudFormation to compare the stack with its template")
    def drifts(self) -> Mapping[str, Drift]:
        """The drift of each resource of a type that CloudFormation can compare, by logical id.

        Raises:
            Unverified: the detection had not ended at its deadline.
        """
        client = self.env.client("cloudformation")
        detection = client.detect_stack_drift(StackName=self.name)["StackDriftDetectionId"]
        started = time.monotonic()
        # It also ends as DETECTION_FAILED, where some resources could not be read: those are UNKNOWN below.
        while (
            client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)["DetectionStatus"]
            == "DETECTION_IN_PROGRESS"
        ):
            if time.monotonic() - started > budgets.DRIFT_DEADLINE.total_seconds():
                raise Unverified(
                    f"{self!r}: drift detection had not ended after {budgets.DRIFT_DEADLINE}; run again"
                )
            time.sleep(1)
        found: list[Mapping[str, Any]] = []
        token: dict[str, Any] = {}
        while True:
            page = client.describe_stack_resource_drifts(StackName=self.name, **token)
            found += page["StackResourceDrifts"]
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        return {
            one["LogicalResourceId"]: _drift(one)
            for one in found
            if one["StackResourceDriftStatus"] != "NOT_CHECKED"
        }

    @cached_property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """What CloudFormation did to the stack and its resources in the last 90 days, newest first."""
        pages = (
            self.env.client("cloudformation")
            .get_paginator("describe_stack_events")
            .paginate(StackName=self.name)
        )
        return [event for page in pages for event in page["StackEvents"]]

    def latest_change(self, logical_id: str) -> tuple[datetime, timedelta]:
        """When the latest creation or update of a resource began, and how long it took.

        Raises:
            Unverified: the events hold none that has ended; CloudFormation forgets after 90 days.
        """
        begun: datetime | None = None
        changes: list[tuple[datetime, timedelta]] = []
        for event in reversed(self.events):
            if event["LogicalResourceId"] != logical_id:
                continue
            status = event["ResourceStatus"]
            if status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                begun = begun or event["Timestamp"]  # said twice: asked for, and initiated
                continue
            if begun and status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                changes.append((begun, event["Timestamp"] - begun))
            begun = None
        if not changes:
            raise Unverified(
                f"{self!r} has no event of a finished change of '{logical_id}'; CloudFormation keeps them 90 days: "
                "deploy a change of it, such as of its comment, then run again"
            )
        return changes[-1]

    @cached_property
    def template(self) -> Mapping[str, Any]:
        """The template as deployed, after transforms, which SAM leaves as JSON.

        Raises:
            Unverified: the template is text, so no transform has run.
        """
        answer = self.env.client("cloudformation").get_template(
            StackName=self.name, TemplateStage="Processed"
        )
        body: Any = answer["TemplateBody"]  # text too, of which the stubs do not know
        if isinstance(body, str):
            raise Unverified(f"{self!r} was deployed without the SAM transform; its template cannot be read")
        return dict(body)

    @cached_property
    def processed(self) -> Mapping[str, Any]:
        """The whole template after transforms, in the long forms of functions.

        Raises:
            Unverified: the template cannot be read.
        """
        answer = self.env.client("cloudformation").get_template(
            StackName=self.name, TemplateStage="Processed"
        )
        return written_out(answer["TemplateBody"])

    @cached_property
    def declared(self) -> Mapping[str, Mapping[str, Any]]:
        """The resources as the template has them after transforms, by logical id, in the long forms of functions.

        Raises:
            Unverified: the template cannot be read.
        """
        return dict(self.processed["Resources"])

    @property
    def web_acl_rules(self) -> int | None:
        """Rules of the web ACLs that the stack holds, None when it holds none."""
        acls = [id_ for id_, resource in self.resources.items() if resource.type == "AWS::WAFv2::WebACL"]
        declared = [self.template["Resources"][id_]["Properties"].get("Rules", []) for id_ in acls]
        return sum(map(len, declared)) if acls else None

    @cached_property
    def original_template(self) -> str | Mapping[str, Any]:
        """The template as it was handed over: text, or a mapping where it was JSON."""
        answer = self.env.client("cloudformation").get_template(StackName=self.name, TemplateStage="Original")
        body: str | Mapping[str, Any] = answer["TemplateBody"]
        return body

    @property
    def fixed_names(self) -> Mapping[str, Any]:
        """Names that the template gives without the stack's own in them, by logical id."""
        named = {
            logical_id: resource.get("Properties", {}).get(_NAMING[resource["Type"]])
            for logical_id, resource in self.template["Resources"].items()
            if resource["Type"] in _NAMING
        }
        return {id_: name for id_, name in named.items() if name and "AWS::StackName" not in json.dumps(name)}


def _drift(described: Mapping[str, Any]) -> Drift:
    """What CloudFormation tells of one resource, without what is merely written in other words."""
    parts = described.get("PropertyDifferences", [])
    differences = []
    for part in parts:
        path, expected, actual = (part[name] for name in ("PropertyPath", "ExpectedValue", "ActualValue"))
        if not same(expected, actual) and not _is_same_whole(described, path):
            differences.append(f"{path}: {_shown(path, expected)} -> {_shown(path, actual)}")
    respelled = parts and not differences
    status = "IN_SYNC" if respelled else described["StackResourceDriftStatus"]
    return Drift(described["LogicalResourceId"], described["ResourceType"], status, differences)


def _shown(path: str, value: str) -> str:
    """Return a value of a drift as a report may hold it: an environment variable may be a key that has no known form."""
    variable = path.removeprefix("/Environment/Variables/")
    if not path.startswith("/Environment") or value in ("", "null"):
        return value
    if variable == path or names_secret(variable) or _DENSE.search(value):
        return "a value that is not shown"
    return value


def _is_same_whole(described: Mapping[str, Any], path: str) -> bool:
    """Whether the property that a difference lies in is the same as a whole: in another order each element differs."""
    name = path.split("/")[1]
    declared, live = (
        json.loads(described.get(f"{kind}Properties") or "{}") for kind in ("Expected", "Actual")
    )
    return name in declared and name in live and same(json.dumps(declared[name]), json.dumps(live[name]))


def written_out(template: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """A template with its short forms, such as !Ref, as the long ones that they stand for.

    Raises:
        Unverified: it is no template.
    """
    try:
        read = yaml.load(template, Loader=_LongForms) if isinstance(template, str) else template  # noqa: S506  # a SafeLoader
        if "Resources" in read:
            return dict(read)
    except (yaml.YAMLError, TypeError) as problem:
        raise Unverified(f"the template cannot be read: {problem}") from problem
    raise Unverified("the template declares no resource")


class _LongForms(_SafeLoader):
    """Reads a template's short forms, such as !Ref, as the long ones that they stand for."""


def _long_form(loader: _SafeLoader, suffix: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_LongForms.add_multi_constructor("!", _long_form)

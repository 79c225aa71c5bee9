"""A drill must neither touch what people use nor leave anything behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import pytest
import yaml

from readiness.environment import Environment, Settings
from readiness.errors import Missing, Unverified
from tests.answering import Answering
from verification.deployment import drill
from verification.deployment.drill import Copy, ThrowAway
from verification.deployment.standing import Standing

STAGING = Settings("staging", "pixel-prompt-staging", "us-east-1")
TEMPLATE = """\
Parameters:
  Environment: { Type: String }
  GlobalHourlyLimit: { Type: Number, Default: 1000 }
  CdnDomainName: { Type: String, Default: "" }
  OpenAiApiKey: { Type: String, NoEcho: true, Default: "" }

Resources:
  ApiFunction: { Type: AWS::Lambda::Function }
"""
SAMCONFIG = """\
[staging.deploy.parameters]
stack_name = "pixel-prompt-staging"
parameter_overrides = ["Environment=staging", "CdnDomainName=images.example.com"]
"""


class Aws(Environment):
    """An account with one stack in it, which keeps what it retains."""

    def __init__(self, stack: str, *, undeletable: bool = False) -> None:
        super().__init__(STAGING, boto3.Session("testing", "testing", region_name="us-east-1"))
        told: list[str] = []
        vars(self).update(stack=stack, undeletable=undeletable, told=told, gone=False, lying=[])

    def client(self, service: str, region: str | None = None, **_: Any) -> Any:
        facts = vars(self)
        events = [
            ("AWS::S3::Bucket", "went-with-the-stack", "CREATE_COMPLETE"),
            ("AWS::S3::Bucket", "images", "CREATE_COMPLETE"),
            ("AWS::S3::Bucket", "somebody-elses", "CREATE_FAILED"),
            ("AWS::DynamoDB::Table", "jobs", "CREATE_COMPLETE"),
            ("AWS::Lambda::Function", "api", "CREATE_COMPLETE"),
        ]
        told = [
            {
                "ResourceType": kind,
                "PhysicalResourceId": id_,
                "ResourceStatus": status,
                "LogicalResourceId": id_,
            }
            for kind, id_, status in events
        ]
        return Answering(
            {
                "cloudformation:DescribeStacks": self._described,
                "cloudformation:DescribeStackEvents": {"StackEvents": told},
                "cloudformation:DeleteStack": self._deleted,
                "s3:ListObjectsV2": {"Contents": [{"Key": "images/1"}]},
                "s3:ListBuckets": {"Buckets": [{"Name": name} for name in facts["lying"]]},
                "s3:DeleteObject": lambda asked: self._noted(
                    f"delete object {asked['Bucket']}/{asked['Key']}"
                ),
                "s3:DeleteBucket": lambda asked: (
                    Missing(asked["Bucket"])
                    if asked["Bucket"] == "went-with-the-stack"
                    else self._noted(f"delete bucket {asked['Bucket']}")
                ),
                "dynamodb:ListTables": {"TableNames": facts["lying"]},
                "dynamodb:DeleteTable": lambda asked: self._noted(f"delete table {asked['TableName']}"),
            }
        ).client(service, region)

    def _described(self, asked: Mapping[str, Any]) -> Any:
        facts = vars(self)
        if facts["gone"] or facts["stack"] not in asked["StackName"]:
            message = f"Stack with id {asked['StackName']} does not exist"
            return botocore.exceptions.ClientError(
                {
                    "Error": {"Code": "ValidationError", "Message": message},
                    "ResponseMetadata": {"HTTPStatusCode": 400},  # type: ignore[typeddict-item]  # no more is read
                },
                "DescribeStacks",
            )
        deleting = f"delete stack {facts['stack']}" in facts["told"]
        status = "DELETE_FAILED" if deleting and facts["undeletable"] else "CREATE_COMPLETE"
        return {"Stacks": [{"StackStatus": status, "StackId": f"arn:{facts['stack']}"}]}

    def _deleted(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        vars(self)["gone"] = not vars(self)["undeletable"]
        return self._noted(f"delete stack {asked['StackName']}")

    def _noted(self, what: str) -> dict[str, Any]:
        vars(self)["told"].append(what)
        return {}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    backend = tmp_path / "app" / "backend"
    (backend / "src" / "pixel_prompt" / "__pycache__").mkdir(parents=True)
    (backend / "src" / "pixel_prompt" / "__pycache__" / "api.cpython-313.pyc").write_text("")
    (backend / "src" / "pixel_prompt" / "api.py").write_text("a = 1")
    (backend / "template.yaml").write_text(TEMPLATE)
    (backend / "samconfig.toml").write_text(SAMCONFIG)
    return tmp_path / "app"


def test_a_copy_holds_what_a_deployment_reads(app: Path, tmp_path: Path) -> None:
    copy = Copy.of(app, tmp_path / "copy")

    found = {path.relative_to(copy.folder).as_posix() for path in copy.folder.rglob("*") if path.is_file()}
    assert found == {"template.yaml", "samconfig.toml", "src/pixel_prompt/api.py"}


def test_a_drill_passes_the_environments_parameters_but_what_is_its_own(app: Path, tmp_path: Path) -> None:
    copy = Copy.of(app, tmp_path / "copy")

    passed = copy.passed(
        Aws("none"), Standing(None), {"CdnDomainName": "", "GlobalHourlyLimit": "998", "Unknown": "1"}
    )

    assert passed == {"Environment": "staging", "CdnDomainName": "", "GlobalHourlyLimit": "998"}


def test_a_spoilt_template_has_one_impossible_resource_more(app: Path, tmp_path: Path) -> None:
    copy = Copy.of(app, tmp_path / "copy")
    built = copy.folder / ".aws-sam" / "build" / "template.yaml"
    built.parent.mkdir(parents=True)
    built.write_text(TEMPLATE)

    copy.spoil()

    resources = yaml.safe_load(built.read_text().replace("!GetAtt ", ""))["Resources"]
    assert resources["DrillImpossible"]["DependsOn"] == ["ApiFunction"]
    assert set(resources) == {"ApiFunction", "DrillImpossible"}


def test_a_template_that_cannot_be_spoilt_is_no_drill(app: Path, tmp_path: Path) -> None:
    copy = Copy.of(app, tmp_path / "copy")
    built = copy.folder / ".aws-sam" / "build" / "template.yaml"
    built.parent.mkdir(parents=True)
    built.write_text("{}")

    with pytest.raises(Unverified, match="no place for one resource more"):
        copy.spoil()


def test_nothing_is_deployed_where_nothing_may_be_changed(app: Path, tmp_path: Path) -> None:
    guarded = replace(STAGING, name="prod", guard="read-only")
    prod = Environment(guarded, boto3.Session("testing", "testing", region_name="us-east-1"))

    with pytest.raises(Unverified, match="'prod' is read-only, and this drill deploys"):
        drill.changes(prod, app, tmp_path)
    with pytest.raises(Unverified, match="'prod' is read-only, and this drill deploys"):
        drill.require_drills(prod)


def test_the_throw_away_stack_has_a_name_of_its_own(app: Path, tmp_path: Path) -> None:
    real = Environment(STAGING, boto3.Session("testing", "testing", region_name="us-east-1"))

    assert ThrowAway(real, app, tmp_path).env.stack_name == "pixel-prompt-staging-drill"
    assert real.stack_name == "pixel-prompt-staging"


class Here(ThrowAway):
    """One whose environment is the fake account itself."""

    @property
    def env(self) -> Environment:  # type: ignore[override]  # read-only here
        return self.of


def test_what_was_retained_goes_too(app: Path, tmp_path: Path) -> None:
    aws = Aws("pixel-prompt-staging")

    Here(aws, app, tmp_path).tear_down()

    assert vars(aws)["told"] == [
        "delete stack pixel-prompt-staging",
        "delete object went-with-the-stack/images/1",
        "delete object images/images/1",
        "delete bucket images",
        "delete table jobs",
    ]


def test_where_there_is_no_stack_nothing_is_deleted(app: Path, tmp_path: Path) -> None:
    aws = Aws("another")

    Here(aws, app, tmp_path).tear_down()

    assert vars(aws)["told"] == []


def test_what_a_run_that_was_cut_off_left_goes_without_its_stack(app: Path, tmp_path: Path) -> None:
    """Once the stack is gone nothing tells of its buckets but their names."""
    aws = Aws("another")
    vars(aws)["lying"] = ["pixel-prompt-staging-imagesbucket-1", "pixel-prompt-stagings", "somebody-elses"]

    gone = Here(aws, app, tmp_path).tear_down()

    left = "pixel-prompt-staging-imagesbucket-1"
    assert gone == [left, left]
    assert [line for line in vars(aws)["told"] if "stagings" in line or "elses" in line] == []
    assert {f"delete bucket {left}", f"delete table {left}"} <= set(vars(aws)["told"])


def test_a_stack_that_stays_is_reported(app: Path, tmp_path: Path) -> None:
    aws = Aws("pixel-prompt-staging", undeletable=True)

    with pytest.raises(Unverified, match=r"'pixel-prompt-staging' is DELETE_FAILED .*delete it by hand"):
        Here(aws, app, tmp_path).tear_down()


def _pages(asked: Mapping[str, Any]) -> dict[str, Any]:
    """One change set in two pages."""
    if "NextToken" not in asked:
        return {"Changes": [_change("Add", "Topic")], "NextToken": "2"}
    details = [
        {"Target": {"Attribute": "Properties", "Name": "Code"}},
        {"Target": {"Attribute": "Tags"}},
    ]
    return {"Changes": [_change("Modify", "ApiFunction", details)]}


def _change(action: str, logical_id: str, details: list[Any] | None = None) -> dict[str, Any]:
    return {"ResourceChange": {"Action": action, "LogicalResourceId": logical_id, "Details": details or []}}


def test_changes_are_reported_with_what_changes_in_them() -> None:
    client = Answering({"cloudformation:DescribeChangeSet": _pages}).client("cloudformation")

    assert drill._changes(client, "stack", "arn") == ["Add Topic", "Modify ApiFunction (Code, Tags)"]

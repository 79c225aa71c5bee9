"""readiness/catalogue/deployment.py"""

from __future__ import annotations

from pathlib import Path

import pytest

from readiness.catalogue.deployment import changed
from readiness.errors import Unverified
from readiness.exchanges import Direct

OWN = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Timeout: 10, CodeUri: src/}}
Resources:
  Api:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/api, Handler: app.handler, Environment: {Variables: {TABLE: !Ref Table, ON: true}}}
  Table:
    Type: AWS::DynamoDB::Table
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "template.yaml"
    file.write_text(OWN, encoding="utf-8")
    return file


def test_what_packaging_writes_is_no_change(own: Path) -> None:
    packaged = OWN.replace("src/api", "s3://packages/4f9d").replace(
        "    Type: AWS::DynamoDB::Table",
        "    Type: AWS::DynamoDB::Table\n    Metadata: {SamResourceId: Table}",
    )
    packaged = packaged.replace("!Ref Table", "{Ref: Table}").replace("ON: true", 'ON: "true"')

    assert changed(packaged, own, Direct()) == []


def test_a_changed_property_is_named_by_its_place(own: Path) -> None:
    assert changed(OWN.replace("app.handler", "app.other"), own, Direct()) == [
        "/Resources/Api/Properties/Handler"
    ]
    assert changed(OWN.replace("Timeout: 10", "Timeout: 20"), own, Direct()) == ["/Globals/Function/Timeout"]


def test_a_resource_of_one_alone_is_named(own: Path) -> None:
    assert changed(f"{OWN}  More:\n    Type: AWS::SQS::Queue\n", own, Direct()) == ["/Resources/More"]


def test_what_is_filled_in_during_a_deployment_cannot_be_compared(own: Path) -> None:
    own.write_text(OWN + "  More: {Fn::Transform: {Name: AWS::Include}}\n", encoding="utf-8")

    with pytest.raises(Unverified, match="filled in"):
        changed(OWN, own, Direct())


def test_what_may_be_written_out_before_a_deployment_is_compared_where_it_is_not(own: Path) -> None:
    extended = OWN.replace(
        "Transform: AWS::Serverless-2016-10-31",
        "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]",
    )
    own.write_text(extended, encoding="utf-8")

    assert changed(extended.replace("src/api", "s3://packages/4f9d"), own, Direct()) == []
    with pytest.raises(Unverified, match=r"AWS::LanguageExtensions.*/Resources/Api/Properties/Handler"):
        changed(extended.replace("app.handler", "app.other"), own, Direct())


def test_a_file_that_is_no_template_cannot_be_compared(own: Path) -> None:
    own.write_text("just words", encoding="utf-8")

    with pytest.raises(Unverified, match="template"):
        changed(OWN, own, Direct())

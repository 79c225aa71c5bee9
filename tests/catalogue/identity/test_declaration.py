"""readiness/catalogue/declaration.py"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from readiness.catalogue.declaration import Declarations
from readiness.discovery.graph import Resource

ONE = "Custom::One"
SECRET = Resource("AWS::SecretsManager::Secret", "Data/Secret", "arn")
KEPT = Resource("AWS::SQS::Queue", "Data/Kept", "url")


@dataclass(frozen=True)
class FakeStack:
    declared: dict[str, dict[str, Any]]


@pytest.fixture
def declared() -> Declarations:
    nested = {
        "Secret": {"Type": SECRET.type, "Properties": {"Name": {"Fn::Sub": "${Secret}"}}},
        "Kept": {"Type": KEPT.type, "DeletionPolicy": "RetainExceptOnCreate"},
        "ByRef": {"Type": ONE, "Properties": {"Value": {"Ref": "Secret"}}},
        "ByAttribute": {"Type": ONE, "Properties": {"Values": [{"Fn::GetAtt": ["Secret", "Id"]}]}},
        "ByPath": {"Type": ONE, "Properties": {"Value": {"Fn::GetAtt": "Secret.Id"}}},
        "BySub": {"Type": ONE, "Properties": {"Value": {"Fn::Sub": ["{{resolve:x:${Secret.Id}}}", {}]}}},
        "ByName": {"Type": ONE, "Properties": {"Value": {"Fn::Sub": "${Secrets} and Secret"}}},
    }
    return Declarations({"": FakeStack({}), "Data/": FakeStack(nested)})


def test_references_of_every_form_are_found(declared: Declarations) -> None:
    assert declared.users_of(SECRET) == dict.fromkeys(["ByRef", "ByAttribute", "ByPath", "BySub"], ONE)


def test_a_nested_stacks_resource_is_read_from_its_own_template(declared: Declarations) -> None:
    assert declared.is_retained(KEPT)
    assert not declared.is_retained(SECRET)
    assert declared.resource(Resource(ONE, "Data/MadeByAMacro", "")) == {}

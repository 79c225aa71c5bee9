"""STACK-03, in an environment that users rely on."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from readiness.catalogue.checks import test_stack as checks
from readiness.catalogue.declaration import Declarations
from readiness.discovery.graph import Graph, Resource
from readiness.errors import NotApplicable

BUCKET = Resource("AWS::S3::Bucket", "Uploads", "uploads")
TABLE = Resource("AWS::DynamoDB::Table", "Orders", "orders")
EMPTIED = {"Type": "Custom::S3AutoDeleteObjects", "Properties": {"BucketName": {"Ref": "Uploads"}}}


@dataclass(frozen=True)
class FakeStack:
    declared: dict[str, dict[str, Any]]
    termination_protection: bool = False


def judge(*resources: Resource, protected: bool = False, **declared: dict[str, Any]) -> None:
    env: Any = SimpleNamespace(name="prod", settings=SimpleNamespace(production=True))
    template = {one.logical_id: {"Type": one.type} for one in resources} | declared
    stacks: Any = {"": FakeStack(template, protected)}
    checks.test_resources_with_data_survive_an_accidental_deletion(
        env, Graph(resources), stacks, Declarations(stacks)
    )


def test_a_bucket_that_holds_something_outlives_its_stack() -> None:
    with pytest.raises(NotApplicable, match="only when they are empty"):
        judge(BUCKET)


@pytest.mark.parametrize(
    ("kept", "protected", "holds"),
    [({}, False, False), ({"DeletionPolicy": "Retain"}, False, True), ({}, True, True)],
)
def test_a_bucket_that_is_emptied_first_goes_with_its_stack(
    kept: dict[str, str], protected: bool, holds: bool
) -> None:
    with nullcontext() if holds else pytest.raises(AssertionError, match="Uploads"):
        judge(BUCKET, protected=protected, Uploads={"Type": BUCKET.type, **kept}, Emptied=EMPTIED)


def test_a_table_goes_with_its_stack() -> None:
    with pytest.raises(AssertionError, match="Orders"):
        judge(BUCKET, TABLE)

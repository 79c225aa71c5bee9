"""Fixtures. Nothing here reaches a network: AWS is moto, vendors are fakes, time is a fake clock."""

import sys

# Bytecode beside the sources would end up in the functions' packages.
sys.dont_write_bytecode = True

import os  # noqa: E402
import threading  # noqa: E402
import uuid  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import pytest  # noqa: E402
import yaml  # noqa: E402
from hypothesis import settings  # noqa: E402

BACKEND = Path(__file__).resolve().parents[1]
for folder in (BACKEND / "src", BACKEND / "tests"):
    sys.path.insert(0, str(folder))
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)

# Time says nothing about right and wrong, and a hundred examples little more than forty.
settings.register_profile("backend", max_examples=40, deadline=None)
settings.load_profile("backend")

from doubles import START, FakeClock  # noqa: E402
from pixel_prompt import aws  # noqa: E402
from pixel_prompt.jobs import Jobs  # noqa: E402
from pixel_prompt.table import Table  # noqa: E402


class _Template(yaml.SafeLoader):
    """Reads CloudFormation's short forms as {"Fn": value}."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    return {suffix: loader.construct_mapping(node, deep=True)}


_Template.add_multi_constructor("!", _short_form)


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """template.yaml."""
    return yaml.load((BACKEND / "template.yaml").read_text(), Loader=_Template)


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    """openapi.yaml."""
    return yaml.safe_load((BACKEND / "openapi.yaml").read_text())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture(scope="session")
def cloud() -> Iterator[None]:
    """One AWS account for the whole run: making clients is slow, so tests share them."""
    from moto import mock_aws

    with mock_aws():
        yield


@pytest.fixture(scope="session")
def dynamodb(cloud: None) -> Any:
    """DynamoDB, one call at a time: moto's tables break when threads meet in them, DynamoDB's do not."""
    client = aws.client("dynamodb")
    call, turn = client._make_api_call, threading.Lock()

    def one_at_a_time(*arguments: Any) -> Any:
        with turn:
            return call(*arguments)

    client._make_api_call = one_at_a_time
    return client


@pytest.fixture
def table_name(dynamodb: Any, template: dict[str, Any]) -> Iterator[str]:
    """An empty table as the template describes it."""
    properties = template["Resources"]["JobsTable"]["Properties"]
    name = f"jobs-{uuid.uuid4()}"
    dynamodb.create_table(
        TableName=name,
        **{
            part: properties[part]
            for part in ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        },
    )
    yield name
    dynamodb.delete_table(TableName=name)


@pytest.fixture
def table(dynamodb: Any, table_name: str) -> Table:
    return Table(dynamodb, table_name)


@pytest.fixture
def jobs(table: Table, clock: FakeClock) -> Jobs:
    return Jobs(table, clock)

"""A server to probe, and an environment that trusts what a test tells it to."""

from __future__ import annotations

import boto3
import pytest

from tests.probes.server import StubServer
from verification.environment import Environment, Settings


@pytest.fixture
def server():
    stub = StubServer()
    yield stub
    stub.close()


@pytest.fixture(scope="session")
def env() -> Environment:
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    return Environment(Settings("staging", "some-stack", "us-east-1"), session)

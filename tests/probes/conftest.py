"""A server to probe, and an environment that trusts what a test tells it to."""

from __future__ import annotations

import boto3
import pytest

from readiness.environment import Environment, Settings
from tests.probes.server import StubServer


@pytest.fixture
def server():
    stub = StubServer()
    yield stub
    stub.close()


@pytest.fixture(scope="session")
def env() -> Environment:
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    return Environment(Settings("staging", "some-stack", "us-east-1"), session)

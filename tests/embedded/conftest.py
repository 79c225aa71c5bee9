"""A real embedded AWS for the tests of this folder."""

from __future__ import annotations

import functools
import io
import json
import os
import textwrap
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from verification.embedded.cloud import Cloud, State

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
LOGGING = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


@dataclass(frozen=True)
class Running:
    """A running cloud and clients for it."""

    cloud: Cloud
    state: State

    def client(self, service: str, key: tuple[str, str] | None = None, **config: Any) -> Any:
        """Return a boto3 client, as the administrator or with another access key."""
        key = key or (self.state.access_key_id, self.state.secret_access_key)
        return _client(service, self.state.endpoint, self.state.ca_bundle, key, tuple(config.items()))


@functools.cache
def _client(
    service: str, endpoint: str, ca_bundle: str, key: tuple[str, str], config: tuple[tuple[str, Any], ...]
) -> Any:
    """Make each client once: most of the time of a small test would go into it."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
        verify=ca_bundle,
        config=Config(retries={"total_max_attempts": 1}, **dict(config)),
    )


def unique(prefix: str) -> str:
    """Return a name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def archive(source: str) -> bytes:
    """Return a deployment package whose app.py is `source`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("app.py", textwrap.dedent(source))
    return content.getvalue()


@pytest.fixture(scope="session")
def cloud() -> Iterator[Running]:
    """One cloud for the whole run; it ends with this process, however that ends."""
    mine = Cloud(f"test-{os.getpid()}")
    yield Running(mine, mine.up(owned_by=os.getpid()).state)
    mine.down()


@pytest.fixture(scope="session")
def make_role(cloud: Running) -> Callable[..., str]:
    """Make a Lambda role that may write its log, and do `statements` besides."""

    def make(*statements: dict[str, Any]) -> str:
        iam = cloud.client("iam")
        name = unique("role")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.attach_role_policy(RoleName=name, PolicyArn=LOGGING)
        if statements:
            policy = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=json.dumps(policy))
        return str(role["Role"]["Arn"])

    return make


@pytest.fixture(scope="session")
def make_function(cloud: Running, make_role: Callable[..., str]) -> Callable[..., str]:
    """Make a function from source and return its name; the cloud invokes it at once, Pending or not."""

    def make(source: str, **settings: Any) -> str:
        functions = cloud.client("lambda")
        name = unique("function")
        functions.create_function(
            **{
                "FunctionName": name,
                "Runtime": "python3.13",
                "Handler": "app.handler",
                "Role": settings.pop("Role", None) or make_role(),
                "Code": {"ZipFile": archive(source)},
                "Timeout": 5,
                **settings,
            }
        )
        return name

    return make

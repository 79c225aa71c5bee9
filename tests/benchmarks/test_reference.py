"""benchmarks/reference.py"""

from __future__ import annotations

import boto3
import botocore.exceptions
import pytest

from benchmarks.reference import PREFIX, bare_function, forget_functions, variant
from readiness.aws.function import Function
from readiness.environment import Environment, Settings
from tests.stand_in import stand_in_for_aws


@pytest.fixture(scope="module")
def env():
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    with stand_in_for_aws() as url:
        yield Environment(Settings("staging", "s", "us-east-1"), session, endpoint_url=url)


@pytest.fixture(scope="module")
def role(env):
    trust = '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}'
    return env.client("iam").create_role(RoleName="api", AssumeRolePolicyDocument=trust)["Role"]["Arn"]


@pytest.fixture
def model(env, role):
    """A function like the API's."""
    function = Function(env, "api")
    vars(function)["configuration"] = {
        "Role": role,
        "Runtime": "python3.13",
        "Architectures": ["arm64"],
        "MemorySize": 1024,
        "Timeout": 15,
        "Handler": "app.handler",
        "Environment": {"Variables": {"TABLE_NAME": "jobs"}},
    }
    return function


def names(env):
    return [one["FunctionName"] for one in env.client("lambda").list_functions()["Functions"]]


def test_a_bare_function_is_like_its_model_and_leaves_nothing(env, model):
    with bare_function(env, like=model) as bare:
        assert bare.name.startswith(PREFIX)
        assert (bare.memory_mb, bare.runtime) == (1024, "python3.13")

    assert names(env) == []


def test_what_a_killed_run_left_is_taken_away(env, model, role):
    env.client("lambda").create_function(
        FunctionName=f"{PREFIX}left", Role=role, Runtime="python3.13", Handler="a.b", Code={"ZipFile": b"PK"}
    )

    forget_functions(env)

    assert names(env) == []


def test_a_variant_is_the_same_but_for_what_is_asked(env, model):
    vars(model)["package"] = {"app.py": b"old", "same.py": b"same"}
    with variant(env, model, {"app.py": b"new"}, MemorySize=2048) as copy:
        assert (copy.memory_mb, copy.runtime, copy.timeout.total_seconds()) == (2048, "python3.13", 15)
        assert copy.configuration["Handler"] == "app.handler"
        assert copy.environment == {"TABLE_NAME": "jobs"}

    assert names(env) == []


def test_a_function_that_cannot_be_made_leaves_nothing(env, model):
    vars(model)["configuration"]["Role"] = "no role"
    with pytest.raises(botocore.exceptions.ClientError), bare_function(env, like=model):
        pass

    assert names(env) == []

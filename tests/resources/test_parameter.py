"""readiness/aws/parameter.py"""

from __future__ import annotations

import pytest

from readiness.aws.parameter import Parameter
from readiness.errors import Missing


@pytest.mark.parametrize("kind", ["String", "StringList", "SecureString"])
def test_a_parameters_kind_is_read(env, unique, kind):
    env.client("ssm").put_parameter(Name=f"/{unique}", Type=kind, Value="of no interest")

    assert Parameter(env, f"/{unique}").kind == kind


def test_a_parameter_that_does_not_exist_is_missing(env):
    with pytest.raises(Missing, match="deploy the stack again"):
        _ = Parameter(env, "/never-made").kind

"""AWS::SSM::Parameter. Its value is never read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from readiness.environment import Environment
from readiness.errors import Missing


@dataclass(frozen=True)
class Parameter:
    """A live parameter, by its description alone."""

    env: Environment = field(repr=False)
    name: str

    @cached_property
    def kind(self) -> str:
        """`String`, `StringList` or `SecureString`.

        Raises:
            Missing: there is no such parameter.
        """
        pages = self.env.client("ssm").get_paginator("describe_parameters")
        for page in pages.paginate(
            ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [self.name]}]
        ):
            for found in page["Parameters"]:
                return str(found["Type"])
        raise Missing(f"{self!r} does not exist; deploy the stack again")

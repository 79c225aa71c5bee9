"""AWS::Lambda::Url."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from readiness.environment import Environment


@dataclass(frozen=True)
class FunctionUrl:
    """The live URL of a function, or of one of its aliases; `arn` is the function's, with the alias."""

    env: Environment = field(repr=False)
    arn: str

    @cached_property
    def description(self) -> Mapping[str, Any]:
        name, _, qualifier = self.arn.partition(":function:")[2].partition(":")
        which = {"FunctionName": name or self.arn, **({"Qualifier": qualifier} if qualifier else {})}
        return dict(self.env.client("lambda").get_function_url_config(**which))

    @property
    def address(self) -> str:
        """Where it answers, without a slash at the end."""
        return str(self.description["FunctionUrl"]).rstrip("/")

    @property
    def authorization(self) -> str:
        """NONE or AWS_IAM."""
        return str(self.description["AuthType"])

    @property
    def cors(self) -> Mapping[str, Any]:
        """Its CORS configuration, empty for none."""
        return dict(self.description.get("Cors") or {})

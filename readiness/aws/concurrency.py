"""Lambda's concurrency in one region, which all functions of the account share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from readiness.environment import Environment


@dataclass(frozen=True)
class Concurrency:
    """The quota of the environment's account and region."""

    env: Environment = field(repr=False)

    @cached_property
    def limits(self) -> Mapping[str, Any]:
        return dict(self.env.client("lambda").get_account_settings()["AccountLimit"])

    @property
    def unreserved(self) -> int:
        """Executions left for functions without a reservation."""
        return int(self.limits["UnreservedConcurrentExecutions"])

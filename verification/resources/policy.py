"""What stands in a policy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def listed(value: str | Sequence[str] | None) -> Sequence[str]:
    """An element of a policy that may be one text or a list of them."""
    return [value] if isinstance(value, str) else list(value or [])


def statements_of(policy: Mapping[str, Any] | str | None) -> Sequence[Mapping[str, Any]]:
    """The statements of a policy's document, as JSON or read already; none without a policy."""
    document: Mapping[str, Any] = json.loads(policy or "{}") if isinstance(policy, str) else policy or {}
    statements = document.get("Statement", [])
    return [statements] if isinstance(statements, Mapping) else list(statements)

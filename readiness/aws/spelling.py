"""Values that say the same, although AWS gives them back in other words than a template uses."""

from __future__ import annotations

import json
from typing import Any


def same(declared: str, live: str) -> bool:
    """Whether two values of a property say the same, as CloudFormation writes them: JSON, or a scalar's bare text.

    AWS gives back `100.0` for 100, `true` for "true", lists in an order of its own, and a policy as text or as a document.
    Source: CloudFormation User Guide, "Detecting unmanaged configuration changes", considerations.
    """
    return bool(_plain(declared) == _plain(live))


def _plain(value: Any) -> Any:
    """One form for everything that says the same; lists in an order that depends on their contents alone."""
    if isinstance(value, str):
        try:
            return _plain(json.loads(value))
        except ValueError:
            return value
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, bool):
        return str(value)  # or True would be 1
    return float(value) if isinstance(value, int) else value

"""verification/embedded/gaps.toml: what an embedded AWS cannot show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from readiness import written

_SCHEMA: written.Schema = {
    "type": "object",
    "properties": {
        name: {
            "type": "array",
            "description": f"entries written as [[{name}]]",
            "items": {
                "type": "object",
                "properties": dict.fromkeys(keys, written.TEXT),
                "required": keys,
                "additionalProperties": False,
            },
        }
        for name, keys in {"unread": ["type", "property", "reason"], "needs-aws": ["item", "reason"]}.items()
    },
    "additionalProperties": False,
}


def needs_aws(file: Path) -> dict[str, str]:
    """Items that only real AWS can settle, with the reason.

    Raises:
        UsageProblem: the file is malformed.
    """
    return {gap["item"]: gap["reason"] for gap in _load(file).get("needs-aws", [])}


def unread(file: Path) -> dict[tuple[str, str], str]:
    """Properties that no API gives back, by resource type and name, with the reason.

    Raises:
        UsageProblem: the file is malformed.
    """
    return {(gap["type"], gap["property"]): gap["reason"] for gap in _load(file).get("unread", [])}


def _load(file: Path) -> Mapping[str, Any]:
    return written.load(file, _SCHEMA)

"""Which actions IAM knows, and what the policies of a template's roles say."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import util
from pathlib import Path
from typing import Any

from readiness.errors import Unverified
from readiness.probes import template

_REFERENCE = "data/AdditionalSpecs/Policies.json"


@cache
def _reference() -> dict[str, list[str]]:
    """Each action as `prefix:action`, in lower case, for IAM does not tell cases apart; with its resource types.

    Source: AWS's Service Authorization Reference, in the form that cfn-lint brings along.

    Raises:
        Unverified: cfn-lint is not installed, or has no such list any more.
    """
    package = util.find_spec("cfnlint")  # found, not imported: that would take seconds
    try:
        folder = Path((package and package.origin) or "").parent
        content = json.loads((folder / _REFERENCE).read_text(encoding="utf-8"))
        return {
            f"{prefix}:{action}".lower(): [kind.lower() for kind in details.get("Resources", [])]
            for prefix, service in content.items()
            for action, details in service["Actions"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise Unverified(
            f"cfn-lint's list of IAM actions cannot be read: {problem}; reinstall cfn-lint"
        ) from problem


def resource_types(action: str) -> list[str]:
    """What an action can be allowed on, in the reference's words; nothing where IAM knows only `*`.

    Raises:
        Unverified: there is no such action.
    """
    if action.lower() not in _reference():
        raise Unverified(f"IAM knows no action {action}")
    return _reference()[action.lower()]


def meant_by(action: str) -> Sequence[str]:
    """Return the existing actions that an action with wildcards matches, in lower case."""
    wanted = action.lower()
    return [wanted] if wanted in _reference() else fnmatch.filter(_reference(), wanted)


def is_known(action: str) -> bool:
    """Whether the action, or one that its wildcards stand for, exists."""
    return bool(meant_by(action))


def template_statements(file: Path) -> Iterator[Mapping[str, Any]]:
    """Each statement in the policies of a template's roles, as it is written.

    Raises:
        Unverified: the file is no template.
    """
    for resource in template.resources(file).values():
        if resource["Type"] == "AWS::IAM::Role":
            yield from _statements(resource["Properties"].get("Policies", []))


def _statements(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict) and "Effect" in node:
        yield node
    elif isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from _statements(value)

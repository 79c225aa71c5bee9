"""A CloudFormation template as its file has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from readiness.errors import Unverified


def resources(file: Path) -> dict[str, dict[str, Any]]:
    """The resources by their logical ids; short forms, such as !Ref, count as what they hold.

    Raises:
        Unverified: the file is no template.
    """
    found = _section(file, "Resources")
    if found is None:
        raise Unverified(f"{file.name} cannot be read as a template: it has no Resources")
    return found


def secrets(file: Path) -> list[str]:
    """Return the NoEcho parameters, whose values AWS does not show.

    Raises:
        Unverified: the file is no template.
    """
    declared = _section(file, "Parameters") or {}
    return [name for name, facts in declared.items() if str(facts.get("NoEcho", False)).lower() == "true"]


def _section(file: Path, name: str) -> dict[str, dict[str, Any]] | None:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  # a SafeLoader
        return dict(content[name].items()) if name in content else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, AttributeError) as problem:
        raise Unverified(f"{file.name} cannot be read as a template: {problem}") from problem


class _Loader(yaml.SafeLoader):
    """Takes CloudFormation's short forms, such as !Ref, for what they hold."""


def _short_form(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _short_form)

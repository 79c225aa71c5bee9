"""Which mutants an environment has at all: its parameters choose among a template's branches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.mutants.mutant import Mutant

_NOTHING: Final = object()


def reached(mutant: Mutant, template: Mapping[str, Any], parameters: Mapping[str, str]) -> bool:
    """Whether a stack with these parameters differs from the one without the mutant.

    A branch that is not taken, a resource whose condition does not hold and a default that is not used make no
    difference.

    Args:
        mutant: of the template.
        template: in its long form.
        parameters: what the environment gives; the others have their defaults.
    """
    return bool(_chosen(template, parameters) != _chosen(mutant.applied(template), parameters))


def _chosen(template: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    """What is left of a template once its parameters are known, with every plain value as text."""
    parameters = template.get("Parameters", {})
    values = {name: given.get(name, one.get("Default", _NOTHING)) for name, one in parameters.items()}
    conditions = template.get("Conditions", {})

    def holds(condition: Any) -> bool:
        (function, asked), *_ = condition.items()
        match function:
            case "Condition":
                return holds(conditions[asked])
            case "Fn::Not":
                return not holds(asked[0])
            case "Fn::And":
                return all(map(holds, asked))
            case "Fn::Or":
                return any(map(holds, asked))
            case "Fn::Equals":
                return bool(resolved(asked[0]) == resolved(asked[1]))
        raise ValueError(
            f"expected a condition's function, found {function}; teach it to tests/mutants/reach.py"
        )

    def resolved(value: Any) -> Any:
        return _resolved(value, values, lambda name: holds(conditions[name]))

    present = {
        name: one
        for name, one in template["Resources"].items()
        if "Condition" not in one or holds(conditions[one["Condition"]])
    }
    secret = {name: str(one.get("NoEcho", False)).lower() for name, one in parameters.items()}
    return (
        secret,
        resolved(template.get("Globals", {})),
        resolved(present),
        resolved(template.get("Outputs", {})),
    )


def _resolved(value: Any, values: Mapping[str, Any], holds: Callable[[str], bool]) -> Any:
    if isinstance(value, Mapping):
        if "Fn::If" in value:
            name, yes, no = value["Fn::If"]
            return _resolved(yes if holds(name) else no, values, holds)
        if value == {"Ref": "AWS::NoValue"}:
            return _NOTHING
        if values.get(value.get("Ref", ""), _NOTHING) is not _NOTHING:
            return _resolved(values[value["Ref"]], values, holds)
        inner = {key: _resolved(entry, values, holds) for key, entry in value.items()}
        return {key: entry for key, entry in inner.items() if entry is not _NOTHING}
    if isinstance(value, list):
        members = [_resolved(entry, values, holds) for entry in value]
        return [entry for entry in members if entry is not _NOTHING]
    return str(value).lower() if isinstance(value, bool) else str(value)

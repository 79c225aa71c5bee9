"""Whether values fit a template's parameters, as CloudFormation judges them.

Source: AWS CloudFormation Template Reference, "Parameters", properties.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from readiness.errors import UsageProblem
from readiness.probes.process import read
from readiness.samconfig import deployment, overrides, stacks

_LISTS: Final = ("CommaDelimitedList", "List<Number>")
# A value of these types is the name of what holds the parameter's value.
_PASSES: Final = re.compile(r"parameter[-_]?overrides|ParameterKey", re.IGNORECASE)
_PROSE: Final = (".md", ".rst", ".txt", ".html")
_STORED: Final = "AWS::SSM::Parameter::"


def environments(samconfig: Path) -> dict[str, tuple[bool, Mapping[str, str]]]:
    """For each environment whether it names a stack, and the values that it gives to parameters.

    Raises:
        UsageProblem: samconfig.toml cannot be read.
    """
    if not samconfig.is_file():
        return {}
    found: dict[str, tuple[bool, Mapping[str, str]]] = {}
    if samconfig.suffix != ".toml":
        raise UsageProblem(
            f"expected samconfig.toml, found {samconfig.name}, which is not read; write it in TOML"
        )
    try:
        names = list(tomllib.loads(read(samconfig)))
    except tomllib.TOMLDecodeError as problem:
        raise UsageProblem(f"{samconfig.name} cannot be read: {problem}") from problem
    for name in names:
        try:
            said = deployment(samconfig, name)
        except UsageProblem:
            if name not in stacks(samconfig):
                continue  # a section of another command
            raise
        given = overrides(said.get("parameter_overrides", {}), samconfig.name)
        found[name] = ("stack_name" in said, given)
    return found


def passes_values(file: Path) -> bool:
    """Whether a script or workflow gives values to parameters at a deployment."""
    return file.suffix not in _PROSE and bool(_PASSES.search(read(file)))


def misfits(declared: Mapping[str, Any], given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Names of parameters, and what is wrong with the values that they are given.

    Args:
        declared: the template's section `Parameters`.
        given: values by name.
    """
    for name, value in given.items():
        if name not in declared:
            has = ", ".join(declared) or "none"
            yield name, f"expected a parameter of the template ({has}), found {name}; correct or remove it"
        elif problem := value_problem(declared[name], value):
            yield name, problem


def wrong_defaults(declared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names of parameters whose own default is not allowed, and why."""
    for name, facts in declared.items():
        default = facts.get("Default")
        if isinstance(default, str | int | float) and (problem := value_problem(facts, _spelt(default))):
            yield name, f"its default: {problem}"


def unset(declared: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
    """Return parameters without a default and a value, except NoEcho parameters, whose values do not belong in a file."""
    return [
        name
        for name, facts in declared.items()
        if "Default" not in facts and name not in given and not _is_secret(facts)
    ]


def value_problem(facts: Mapping[str, Any], value: str) -> str:
    """Return what is wrong with a value, '' where it is right or unknown. The text does not contain a secret's value."""
    kind = str(facts.get("Type", "String"))
    if kind.startswith(_STORED) or "{{resolve:" in value or "$" in value:
        return ""
    shown = "another value" if _is_secret(facts) else repr(value)
    values = [each.strip() for each in value.split(",")] if kind in _LISTS else [value]
    allowed = facts.get("AllowedValues")
    if isinstance(allowed, list) and not all(
        any(_same(each, one, numeric="Number" in kind) for one in allowed) for each in values
    ):
        return f"expected one of {', '.join(map(_spelt, allowed))}, found {shown}; correct it"
    if "Number" in kind:
        return _number_problem(facts, values, shown)
    if kind == "String":
        return _text_problem(facts, value, shown)
    return ""


def _number_problem(facts: Mapping[str, Any], values: list[str], shown: str) -> str:
    try:
        numbers = [float(each) for each in values]
    except ValueError:
        return f"expected a number, found {shown}; correct it"
    least, most = (_limit(facts, name) for name in ("MinValue", "MaxValue"))
    if any((least is not None and each < least) or (most is not None and each > most) for each in numbers):
        return f"expected {_span(least, most)}, found {shown}; correct it"
    return ""


def _text_problem(facts: Mapping[str, Any], value: str, shown: str) -> str:
    least, most = (_limit(facts, name) for name in ("MinLength", "MaxLength"))
    if (least is not None and len(value) < least) or (most is not None and len(value) > most):
        return f"expected {_span(least, most)} characters, found {len(value)}; correct it"
    pattern = facts.get("AllowedPattern")
    try:
        fits = pattern is None or re.fullmatch(f"(?:{pattern})", value) is not None
    except re.error:
        return ""  # Java's expressions have what Python's do not
    return "" if fits else f"expected a value that matches {pattern}, found {shown}; correct it"


def _same(value: str, allowed: object, *, numeric: bool) -> bool:
    # YAML reads yes, on and true alike, so that the template's own spelling is lost.
    if isinstance(allowed, bool):
        return value.lower() in (("true", "yes", "on") if allowed else ("false", "no", "off"))
    if numeric:
        try:
            return float(value) == float(str(allowed))
        except ValueError:
            return False
    return value == str(allowed) or (not isinstance(allowed, str) and _looks_alike(value, allowed))


def _looks_alike(value: str, allowed: object) -> bool:
    """Whether a value may be what YAML read as a number or a date, such as 010 or 1.10."""
    return bool(re.fullmatch(r"[\d_.:eE+\-xoTZ ]+", value)) and str(allowed)[:1].isdigit()


def _limit(facts: Mapping[str, Any], name: str) -> float | None:
    try:
        return float(facts[name])
    except (KeyError, TypeError, ValueError):
        return None


def _span(least: float | None, most: float | None) -> str:
    return " and ".join(
        f"{word} {limit:g}" for word, limit in (("at least", least), ("at most", most)) if limit is not None
    )


def _spelt(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_secret(facts: Mapping[str, Any]) -> bool:
    return str(facts.get("NoEcho", False)).lower() == "true"

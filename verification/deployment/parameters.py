"""The template's parameters for one environment, handed to the SAM CLI in a private file.

Parameters on a command line stand in every process listing. The SAM CLI also reads them from a file named
by `--parameter-overrides file://...`, and leaves each parameter that is not in it at its previous value.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from readiness import samconfig
from readiness.errors import UsageProblem
from readiness.secret_parameters import is_key, variable_of
from verification.deployment.keys import Keys


@dataclass(frozen=True)
class Declared:
    """One entry of the template's `Parameters`."""

    name: str
    default: str | None
    secret: bool
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def expected(self, value: str) -> str | None:
        """What the template expects, if CloudFormation would refuse the value; `None` if it would take it.

        A list or a reference to another service is left to CloudFormation.
        """
        kind = self.facts.get("Type")
        if kind == "Number" and _number(value) is None:
            return "a number"
        if kind not in ("Number", "String"):
            return None
        allowed = [_text(each) for each in self.facts.get("AllowedValues", [])]
        if allowed and value not in allowed:
            return f"one of {', '.join(allowed)}"
        size, unit = (_number(value) or 0.0, "") if kind == "Number" else (float(len(value)), " characters")
        bounds = ("MinValue", "MaxValue") if kind == "Number" else ("MinLength", "MaxLength")
        least, most = (_number(_text(self.facts.get(bound))) for bound in bounds)
        if least is not None and size < least:
            return f"at least {least:g}{unit}"
        if most is not None and size > most:
            return f"at most {most:g}{unit}"
        pattern = self.facts.get("AllowedPattern")
        return f"a value of the form {pattern}" if pattern and not _matches(str(pattern), value) else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _matches(pattern: str, value: str) -> bool:
    """Whether the whole value matches; a pattern that only CloudFormation can read is left to it."""
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (`!Sub`, `!GetAtt`) as what they wrap: only `Parameters` matters here."""


def _unwrapped(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node)
    raise yaml.constructor.ConstructorError(None, None, f"unexpected {type(node).__name__}", node.start_mark)


_TemplateLoader.add_multi_constructor("!", _unwrapped)


def document(template: Path) -> Mapping[str, Any]:
    """The template as its file has it, with short forms as what they wrap.

    Raises:
        UsageProblem: the template cannot be read.
    """
    try:
        content = yaml.load(template.read_text(), Loader=_TemplateLoader)  # noqa: S506 -- a SafeLoader
    except (OSError, yaml.YAMLError) as problem:
        raise UsageProblem(f"{template} cannot be read as a template: {problem}") from problem
    if not isinstance(content, Mapping):
        raise UsageProblem(f"{template} cannot be read as a template: it is no table")
    return content


def declared(template: Path) -> list[Declared]:
    """The parameters the template declares.

    Raises:
        UsageProblem: the template cannot be read, or would show a provider's key.
    """
    try:
        found = [
            Declared(
                name,
                str(facts["Default"]) if "Default" in facts else None,
                str(facts.get("NoEcho", False)).lower() == "true",
                facts,
            )
            for name, facts in document(template).get("Parameters", {}).items()
        ]
    except (AttributeError, TypeError) as problem:
        raise UsageProblem(f"{template} cannot be read as a template: {problem}") from problem
    for parameter in found:
        if is_key(parameter.name) and not parameter.secret:
            raise UsageProblem(
                f"{template}: parameter '{parameter.name}' is not NoEcho, so anyone who may describe the stack "
                "could read the key; add NoEcho: true"
            )
    return found


def configured(file: Path, environment: str, stack: str) -> dict[str, str]:
    """The parameters that samconfig.toml sets for the environment, in any of the forms SAM takes.

    Args:
        file: backend/samconfig.toml.
        environment: the section's name.
        stack: the environment's stack according to environments.toml.

    Raises:
        UsageProblem: the file cannot be read, has no section for the environment, or names another stack.
    """
    named = samconfig.deployment(file, environment).get("stack_name", stack)
    if named != stack:
        raise UsageProblem(
            f"{file} deploys '{environment}' to stack '{named}', environments.toml says '{stack}'; make them agree"
        )
    return samconfig.parameters(file, environment)


def ambient(environment: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that `PARAMETERS_<ENVIRONMENT>` sets, in the form of samconfig's `parameter_overrides`.

    They are values of an account that do not belong in a repository, such as a certificate's ARN. They override
    samconfig's. Deployments and drills both read them.

    Raises:
        UsageProblem: it is no list of Name=Value.
    """
    variable = f"PARAMETERS_{environment.upper().replace('-', '_')}"
    return samconfig.overrides(variables.get(variable, ""), f"${variable}")


@dataclass(frozen=True)
class Row:
    """One parameter as the plan shows it: never a secret's value."""

    name: str
    shown: str


@dataclass(frozen=True)
class Parameters:
    """What is passed, and what a person may see of it."""

    passed: Mapping[str, str]
    rows: tuple[Row, ...]
    secrets: frozenset[str]
    """Which of the parameters are."""

    def __repr__(self) -> str:
        return f"Parameters({', '.join(f'{row.name}={row.shown}' for row in self.rows)})"


def _require_fitting(known: Mapping[str, Declared], config: Mapping[str, str]) -> None:
    """Refuse what CloudFormation would refuse, and what would show a secret.

    Raises:
        UsageProblem: a parameter that the template lacks, a secret, or a value that it does not permit.
    """
    for name in config:
        if name not in known:
            raise UsageProblem(
                f"parameter '{name}' is not in the template (has: {', '.join(known) or 'none'}); "
                "take it out of samconfig.toml, $PARAMETERS_<ENVIRONMENT> or the command line, or declare it"
            )
    for name in config:
        if known[name].secret:
            raise UsageProblem(
                f"samconfig.toml or $PARAMETERS_<ENVIRONMENT> sets the secret '{name}', and shows it; give it in the "
                f"variable {variable_of(name)}, or in the git-ignored backend/.env.<environment>"
            )
    for name, value in config.items():
        if (expected := known[name].expected(value)) is not None:
            raise UsageProblem(
                f"parameter '{name}': expected {expected}, found '{value}'; correct it in samconfig.toml, "
                "$PARAMETERS_<ENVIRONMENT> or the command line"
            )


def combined(
    template: list[Declared],
    config: Mapping[str, str],
    keys: Keys,
    previous: Mapping[str, str],
    *,
    exists: bool,
) -> Parameters:
    """Merge samconfig's values and the keys, and say for each parameter what it will be.

    A default is passed like a value: SAM would keep what the stack had instead, and what is deployed would
    depend on what was deployed before. Only a secret that is not given keeps its value.

    Args:
        template: what the template declares.
        config: what samconfig.toml and the command line set.
        keys: the providers' keys, as far as they are given.
        previous: the deployed stack's parameters; a NoEcho one reads as asterisks.
        exists: whether the stack is updated, so that what is not passed keeps its value.

    Raises:
        UsageProblem: samconfig sets a parameter that the template lacks, a secret, or a value that it does not permit.
    """
    known = {parameter.name: parameter for parameter in template}
    _require_fitting(known, config)
    defaults = {each.name: each.default for each in template if each.default is not None and not each.secret}
    # A release that knows nothing of a vendor gets no key for it.
    wanted = {name: value for name, value in keys.values.items() if name in known}
    passed = {**defaults, **config, **wanted}
    rows = []
    for parameter in template:
        name = parameter.name
        if parameter.secret:
            if name in wanted:
                shown = f"set ({keys.sources[name]})"
            else:
                shown = "kept" if exists and name in previous else "unset"
        elif name in passed:
            shown = config[name] if name in config else f"{defaults[name]} (default)".lstrip()
            if exists and previous.get(name, passed[name]) != passed[name]:
                shown += f" (now {previous[name] or 'empty'})"
        else:
            raise UsageProblem(
                f"parameter '{name}' has neither a default nor a value; set it in samconfig.toml"
            )
        rows.append(Row(name, shown))
    return Parameters(passed, tuple(rows), frozenset(each.name for each in template if each.secret))


# JSON is YAML, and of the two the SAM CLI knows the latter.
_FILE = "parameters.yaml"


def remove_left_behind(directory: Path) -> None:
    """Remove the file that a killed deployment left: it may hold keys."""
    (directory / _FILE).unlink(missing_ok=True)


@contextmanager
def private_file(directory: Path, passed: Mapping[str, str]) -> Iterator[Path]:
    """The parameters in a file that only this user can read, for the length of a `with` block.

    Args:
        directory: a private folder; a file that a killed deployment left there is replaced, then removed.
        passed: every parameter's value.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = directory / _FILE
    file.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
            json.dump(passed, output)
        yield file
    finally:
        file.unlink(missing_ok=True)

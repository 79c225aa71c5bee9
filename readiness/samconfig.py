"""samconfig.toml as the SAM CLI reads it: what it says of an environment's deployment.

SAM merges `[<environment>.global.parameters]` and `[<environment>.deploy.parameters]`, option by option; where both have an
option, the command's counts, and nothing of the other is left. No other environment's section is read.
Source: samcli/lib/config/samconfig.py, `SamConfig.get_all`; AWS SAM Developer Guide, "Configuration file basics".
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from readiness import written
from readiness.errors import UsageProblem

# What is read of a file that is SAM's. SAM takes no offence at what it does not know, so neither does the schema.
_READ: Mapping[str, written.Schema] = {
    "stack_name": {"type": "string"},
    "region": {"type": "string"},
    "parameter_overrides": {"type": ["string", "array", "object"]},
}
_OPTIONS: written.Schema = {
    "type": "object",
    "properties": {"parameters": {"type": "object", "properties": _READ}},
}
_SCHEMA: written.Schema = {
    "type": "object",
    "additionalProperties": {
        "type": ["object", "number", "string"],
        "properties": {"global": _OPTIONS, "deploy": _OPTIONS},
    },
}


def deployment(file: Path, environment: str) -> Mapping[str, Any]:
    """The options of `sam deploy --config-env <environment>`.

    Args:
        file: samconfig.toml.
        environment: the section's name.

    Raises:
        UsageProblem: the file cannot be read, has no section for the environment, or an option in it is misspelled.
    """
    sections = written.load(file, _SCHEMA)
    section = sections.get(environment)
    commands = section if isinstance(section, Mapping) else {}
    said = {
        command: commands[command]["parameters"]
        for command in ("global", "deploy")
        if "parameters" in commands.get(command, {})
    }
    if not said:
        has = ", ".join(name for name in sections if name != "version") or "nothing"
        raise UsageProblem(f"{file} has no [{environment}.deploy.parameters]; has sections for {has}")
    for command, options in said.items():
        for key in options.keys() - _READ.keys():
            if meant := difflib.get_close_matches(key, _READ, n=1, cutoff=0.8):
                raise UsageProblem(
                    f"{file.name}: {environment} {command} parameters: unknown key '{key}'; did you mean '{meant[0]}'?"
                )
    return {**said.get("global", {}), **said.get("deploy", {})}


def stacks(file: Path) -> dict[str, dict[str, str]]:
    """Stack and region of each environment that has both; none where the file does not exist.

    Raises:
        UsageProblem: the file is malformed.
    """
    if not file.is_file():
        return {}
    found = {}
    for name, section in written.load(file, _SCHEMA).items():
        if isinstance(section, Mapping) and {"global", "deploy"} & section.keys():
            said = deployment(file, name)
            if {"stack_name", "region"} <= said.keys():
                found[name] = {"stack": said["stack_name"], "region": said["region"]}
    return found


def parameters(file: Path, environment: str) -> dict[str, str]:
    """The template's parameters that are set for the environment.

    Raises:
        UsageProblem: as for `deployment`, or they are no list of Name=Value.
    """
    return overrides(deployment(file, environment).get("parameter_overrides", {}), str(file))


def overrides(given: object, where: str) -> dict[str, str]:
    """`parameter_overrides` in any of the forms that SAM takes.

    Args:
        given: a text, a list or a table.
        where: for the message.

    Raises:
        UsageProblem: it is no list of Name=Value.
    """
    if isinstance(given, Mapping):
        return {str(name): _text(value) for name, value in given.items()}
    if isinstance(given, list):
        merged: dict[str, str] = {}
        for entry in given:
            merged.update(overrides(entry, where))
        return merged
    result = {}
    try:
        words = shlex.split(str(given))
    except ValueError as problem:
        raise UsageProblem(f"{where}: parameters cannot be read: {problem}; close the quotation") from problem
    for word in words:
        name, equals, value = _short_form(word).partition("=")
        if not equals:
            raise UsageProblem(f"{where}: parameters need Name=Value, found {word!r}")
        result[name] = value
    return result


def _short_form(word: str) -> str:
    if word.startswith("ParameterKey=") and ",ParameterValue=" in word:
        return word.removeprefix("ParameterKey=").replace(",ParameterValue=", "=", 1)
    return word


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)

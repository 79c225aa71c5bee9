"""Mutants of samconfig.toml: the environment is deployed with another value of one parameter."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from readiness import samconfig
from tests.mutants.mutant import Rewritten

FILE: Final = "samconfig.toml"


def mutants_of(
    application: str, folder: Path, template: Mapping[str, Any], environment: str = "local"
) -> list[Rewritten]:
    """Every mutant of the parameters that samconfig.toml gives an environment.

    Args:
        application: its name, such as `pixel-prompt`.
        folder: of its template.
        template: in its long form, which says what kind of value each parameter has.
        environment: the section's name.
    """
    text = (folder / FILE).read_text(encoding="utf-8")
    numbers = Counter[tuple[str, str]]()
    found = []
    for name, value in samconfig.parameters(folder / FILE, environment).items():
        for operator, other in _others(value, template["Parameters"][name]):
            numbers[name, operator] += 1
            changed, line = _changed(text, environment, name, value, other)
            found.append(
                Rewritten(
                    *(application, "", name, (FILE, name), operator),
                    f"line {line}: {name}: {value} -> {other or 'empty'}",
                    value=other,
                    number=numbers[name, operator],
                    text=changed,
                    parameters={name: other},
                )
            )
    return found


def _others(value: str, declared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Other values of a parameter, each by its operator."""
    allowed = [str(one) for one in declared.get("AllowedValues", ())]
    if value in ("true", "false"):
        yield "flip", "false" if value == "true" else "true"
    elif value in allowed and len(allowed) > 1:
        after = allowed[(allowed.index(value) + 1) % len(allowed)]
        first = next(one for one in allowed if one != value)
        yield from (("enum", one) for one in dict.fromkeys([after, first]))
    elif value.isdigit():
        yield "times-ten", str(int(value) * 10 or 10)
        if (less := int(value) // 10) != int(value):
            yield "by-ten", str(less)
    elif value:
        yield "empty", ""


def _changed(text: str, environment: str, name: str, value: str, other: str) -> tuple[str, int]:
    """The file's text with another value in the environment's list, and the line."""
    section = re.search(
        rf"^\[{re.escape(environment)}\.deploy\.parameters\]$.*?(?=^\[\w|\Z)", text, re.MULTILINE | re.DOTALL
    )
    written = json.dumps(f"{name}={value}")
    if section is None or (place := text.find(written, section.start(), section.end())) < 0:
        raise AssertionError(
            f"expected {written} in [{environment}.deploy.parameters] of {FILE}; teach its form to tests/mutants/settings.py"
        )
    changed = text[:place] + json.dumps(f"{name}={other}") + text[place + len(written) :]
    return changed, text.count("\n", 0, place) + 1

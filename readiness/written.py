"""TOML that people write, validated against a schema before it is used.

A misspelled setting must not have the effect of an omitted one. So every file has a schema with all of its keys and
words. Other keys and words are refused, with their place and the nearest right word.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.exceptions import ValidationError, best_match

from readiness.errors import UsageProblem

Schema = Mapping[str, Any]
TEXT: Schema = {"type": "string", "pattern": r"\S", "description": "a text that is not empty"}
_TYPES = {
    "object": "a table",
    "array": "a list",
    "string": "a text in quotes",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date like 2027-01-31, without quotes",
}
_CHECKER = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
    "date", lambda _, value: isinstance(value, date) and not isinstance(value, datetime)
)
_Validator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, type_checker=_CHECKER
)


def load(file: Path, schema: Schema) -> dict[str, Any]:
    """The file's content, which is as its schema says.

    Args:
        file: TOML in UTF-8.
        schema: a JSON schema; it also knows the type `date`. A `description` completes "expected ...".

    Raises:
        UsageProblem: the file cannot be read, or holds something that the schema does not know.
    """
    name = _from_here(file)
    try:
        text = file.read_bytes().decode("utf-8")
    except OSError as problem:
        raise UsageProblem(
            f"{name} cannot be read: {problem.strerror}; make it a file that you may read"
        ) from problem
    except ValueError as problem:
        raise UsageProblem(f"{name} cannot be read: expected UTF-8, {problem}; save it as UTF-8") from problem
    try:
        content = tomllib.loads(text)
    except ValueError as problem:
        raise UsageProblem(f"{name} cannot be read as TOML: {problem}; correct this place") from problem
    errors = list(_Validator(schema).iter_errors(content))
    # A key that is unknown is the reason where another one is missing.
    unknown = [error for error in errors if error.validator == "additionalProperties"]
    if error := unknown[0] if unknown else best_match(errors):
        raise UsageProblem(_sentence(name, text, error))
    return content


def _from_here(file: Path) -> str:
    """The file's path from the working directory; its whole path where it lies elsewhere."""
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)


def nearest(word: object, known: Iterable[str]) -> str:
    """Return the nearest known word as the end of a sentence, '' when no word is near."""
    found = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


def _sentence(name: str, text: str, error: ValidationError) -> str:
    path: list[str | int] = list(error.absolute_path)
    schema: Any = error.schema
    instance: Any = error.instance
    expected = schema.get("description", "")
    validator = str(error.validator)
    if validator in ("additionalProperties", "propertyNames"):
        names = schema.get("properties", {})
        unknown = [instance] if isinstance(instance, str) else [key for key in instance if key not in names]
        where = _where(name, text, [*path, unknown[0]])
        has = f" (known: {', '.join(names)})" if names else f"; expected {expected}" * bool(expected)
        return f"{where}: unknown key '{unknown[0]}'{has}{nearest(unknown[0], names)}"
    where = _where(name, text, path)
    if validator == "required":
        missing = [key for key in schema["required"] if key not in instance]
        return f"{where}: lacks {', '.join(missing)}"
    if validator == "enum":
        words = [str(word) for word in schema["enum"]]
        return f"{where}: expected {' or '.join(map(repr, words))}, found {error.instance!r}{nearest(error.instance, words)}"
    if validator == "type" and not expected:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        expected = " or ".join(_TYPES[type_] for type_ in types)
    return f"{where}: expected {expected or error.message}, found {_shown(error.instance)}"


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a table"
    return f"{str(value).lower() if isinstance(value, bool) else repr(value)[:80]}"


def _where(name: str, text: str, path: Sequence[str | int]) -> str:
    """File, line where it is easy to tell, and the keys that lead there."""
    words, line, lines = "", 0, text.splitlines()
    for step in path:
        if isinstance(step, int):
            words += f" {step + 1}"
            continue
        header = re.compile(rf"\s*(?:\[+\s*)?[\"']?{re.escape(step)}[\"']?\s*(?:=|\]|\.)")
        found = [number for number, each in enumerate(lines, 1) if number > line and header.match(each)]
        line = found[0] if found else line
        words += f" {step}"
    return f"{name}{f', line {line}' if line else ''}:{words}" if words else name

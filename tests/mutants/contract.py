"""Mutants of openapi.yaml: the contract promises something else than the API does."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.mutants.mutant import Rewritten

FILE: Final = "openapi.yaml"
# What is for people, and what the document says elsewhere.
_SAYS_NOTHING: Final = frozenset({"description", "example", "examples", "links", "summary", "tags"})
_BOUNDS: Final = ("maximum", "maxItems", "maxLength", "minimum", "minItems", "minLength")
_OTHER_TYPE: Final = {
    "array": "object",
    "boolean": "string",
    "integer": "string",
    "number": "string",
    "object": "array",
    "string": "integer",
}
_Path = tuple[str | int, ...]
_Change = tuple[str, _Path, str, Callable[[dict[str, Any]], Any]]
"""An operator, the place that it changes, what it does in words, and what does it to the same place of a copy."""


def mutants_of(application: str, folder: Path) -> list[Rewritten]:
    """Every mutant of the contract. What an anchor stands for is one place, and changes wherever it is used.

    Args:
        application: its name, such as `pixel-prompt`.
        folder: of its template.
    """
    text = (folder / FILE).read_text(encoding="utf-8")
    document, root = yaml.safe_load(text), yaml.compose(text, yaml.SafeLoader)
    numbers = Counter[tuple[_Path, str]]()
    found = []
    for path, operator, says, changed in _changes(document):
        numbers[path, operator] += 1
        found.append(
            Rewritten(
                *(application, "", _part(path), (FILE, ".".join(map(str, path))), operator),
                f"line {_line(root, path)}: {says}",
                value=None,
                number=numbers[path, operator],
                text=json.dumps(changed, indent=2),  # YAML holds every JSON document
            )
        )
    return found


def _changes(document: Mapping[str, Any]) -> Iterator[tuple[_Path, str, str, Any]]:
    """Each change: where, by which operator, in words, and the changed document."""
    seen: set[int] = set()
    places = [
        place
        for part in ("paths", "components")
        for place in _mappings((part,), document.get(part, {}), seen)
    ]
    for path, place in places:
        for operator, inner, says, change in _of_mapping(path, place):
            changed = copy.deepcopy(document)
            change(_at(changed, path))
            yield (*path, *inner), operator, says, changed


def _mappings(path: _Path, value: Any, seen: set[int]) -> Iterator[tuple[_Path, Mapping[str, Any]]]:
    """Every mapping that says something, once."""
    if isinstance(value, (dict, list)):
        if id(value) in seen:
            return
        seen.add(id(value))
    if isinstance(value, dict):
        yield path, value
        for key, entry in value.items():
            # A property may be called like a word of OpenAPI.
            if path[-1:] == ("properties",) or key not in _SAYS_NOTHING:
                yield from _mappings((*path, key), entry, seen)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _mappings((*path, index), entry, seen)


def _of_mapping(path: _Path, place: Mapping[str, Any]) -> Iterator[_Change]:
    if path[-1] == "responses" and path[0] == "paths":
        for status in place if len(place) > 1 else ():
            yield "remove-status", (status,), f"{status} removed", lambda copied, one=status: copied.pop(one)
    if not _is_names(path):
        yield from _of_properties(place)
        yield from _of_values(place)


def _of_properties(place: Mapping[str, Any]) -> Iterator[_Change]:
    for name in place.get("properties", {}):
        for operator, new in (("remove-property", None), ("rename-property", f"{name}Other")):
            says = f"{name} -> {new}" if new else f"{name} removed"
            yield (
                operator,
                ("properties", name),
                says,
                lambda copied, one=name, new=new: _renamed(copied, one, new),
            )
    # A parameter has `required: true`.
    if isinstance(required := place.get("required"), list):
        for member in required:
            others = [one for one in required if one != member]
            yield "drop-required", ("required",), f"required: {member} removed", _setting("required", others)


def _of_values(place: Mapping[str, Any]) -> Iterator[_Change]:
    members = place.get("enum", [])
    for member in members:
        others = [f"{one}-other" if one == member else one for one in members]
        yield "enum", ("enum",), f"enum: {member} -> {member}-other", _setting("enum", others)
    if (type_ := place.get("type")) in _OTHER_TYPE:
        yield (
            "type",
            ("type",),
            f"type: {type_} -> {_OTHER_TYPE[type_]}",
            _setting("type", _OTHER_TYPE[type_]),
        )
    for key in _BOUNDS:
        if (bound := place.get(key)) is not None:
            for operator, new in (("times-ten", bound * 10 or 10), ("by-ten", bound // 10)):
                if new != bound:
                    yield operator, (key,), f"{key}: {bound} -> {new}", _setting(key, new)


def _is_names(path: _Path) -> bool:
    """Whether the keys of a mapping are somebody's names: a property may be called `type`."""
    return path[-1] in ("properties", "responses", "schemas", "headers") and path[-2:-1] != ("properties",)


def _setting(key: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda copied: copied.__setitem__(key, value)


def _renamed(schema: dict[str, Any], name: str, new: str | None) -> None:
    """Take a property away, or call it otherwise, in its schema and among those that are required."""
    schema["properties"] = {
        (new if key == name else key): entry
        for key, entry in schema["properties"].items()
        if new or key != name
    }
    if name in schema.get("required", ()):
        schema["required"] = [new if one == name else one for one in schema["required"] if new or one != name]


def _at(document: Any, path: _Path) -> Any:
    for part in path:
        document = document[part]
    return document


def _part(path: _Path) -> str:
    """The operation or the component that a place belongs to."""
    section, name, *more = map(str, path)
    return f"{more[0].upper()} {name}" if section == "paths" else f"{name} {more[0]}"


def _line(node: Any, path: _Path) -> int:
    """The line in which a place begins, with its key."""
    begins = node
    for part in path:
        if isinstance(node, yaml.SequenceNode):
            begins = node = node.value[int(part)]
        else:
            begins, node = next((key, value) for key, value in node.value if key.value == part)
    return int(begins.start_mark.line) + 1

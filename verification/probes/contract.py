"""backend/openapi.yaml as the judge of requests and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from readiness.errors import Unverified
from readiness.probes.http import Answer

_METHODS = ("get", "post", "put", "patch", "delete")
_INTEGER = re.compile(r"0|-?[1-9]\d*")
_ABSENT = ("Only when", "Absent")
"""How the description of a member begins that an answer may lack."""


@dataclass(frozen=True)
class Operation:
    """One method of one path, with the body that the contract gives as its example."""

    method: str
    path: str
    example: Any
    specification: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Contract:
    """The API's description of itself."""

    file: Path

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The description.

        Raises:
            Unverified: there is none, or it is not YAML.
        """
        try:
            return dict(yaml.safe_load(self.file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, yaml.YAMLError) as problem:
            raise Unverified(f"{self.file} cannot be read as OpenAPI: {problem}") from problem

    def operations(self) -> Iterator[Operation]:
        """Every operation that the contract declares."""
        for path, methods in self.document["paths"].items():
            for method, specification in methods.items():
                if method in _METHODS:
                    yield Operation(method.upper(), path, self._example(specification), specification)

    def problems(self, operation: Operation, answer: Answer) -> list[str]:
        """Where an answer breaks the contract, empty when it keeps it."""
        responses = operation.specification["responses"]
        declared = self.resolve(responses.get(str(answer.status)))
        if declared is None:
            return [
                f"{answer!r}: the contract declares no status {answer.status} (has {', '.join(responses)})"
            ]
        missing = [
            f"{answer!r}: header {name} {wrong}"
            for name, header in declared.get("headers", {}).items()
            if (wrong := self._wrong_header(header, answer.headers.get(name)))
        ]
        content = declared.get("content")
        if not content:
            return missing
        media = answer.headers.get("content-type", "").partition(";")[0].strip()
        if media not in content:
            return [*missing, f"{answer!r}: expected {' or '.join(content)}"]
        schema = {**content[media]["schema"], "components": self.document.get("components", {})}
        errors = sorted(Draft202012Validator(schema).iter_errors(answer.json()), key=str)
        return missing + [f"{answer!r}: {error.json_path}: {error.message}" for error in errors[:5]]

    def statuses(self, operation: Operation) -> frozenset[int]:
        """The statuses that the contract declares for an operation."""
        return frozenset(int(status) for status in operation.specification["responses"])

    def body(self, operation: Operation) -> Mapping[str, Any] | None:
        """The schema of an operation's JSON body, None where it takes none."""
        body = self.resolve(operation.specification.get("requestBody"))
        return dict(self.resolve(body["content"]["application/json"].get("schema", {}))) if body else None

    def parameters(self, operation: Operation, place: str) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of an operation's parameters by their names: those in `query`, `header` or `path`."""
        declared = map(self.resolve, operation.specification.get("parameters", []))
        return {one["name"]: one["schema"] for one in declared if one["in"] == place}

    def allows(self, schema: Mapping[str, Any], value: Any) -> bool:
        """Whether a value is valid."""
        if value is None and self.resolve(schema).get("nullable"):
            return True
        whole = {**schema, "components": self.document.get("components", {})}
        return bool(Draft202012Validator(whole).is_valid(value))

    def allows_text(self, schema: Mapping[str, Any], text: str) -> bool:
        """Whether the text of a header or of a query's parameter is valid."""
        return self.allows(schema, _value(self.resolve(schema).get("type"), text))

    def answers(self, operation: Operation) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of an operation's JSON answers by their statuses."""
        declared = operation.specification["responses"]
        contents = {status: self.resolve(one).get("content", {}) for status, one in declared.items()}
        return {
            status: content["application/json"]["schema"]
            for status, content in contents.items()
            if "application/json" in content
        }

    def parts(self, schema: Mapping[str, Any], where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """A schema and every schema in it, each with its place in words."""
        where = schema["$ref"].rpartition("/")[2] if "$ref" in schema else where
        found = self.resolve(schema)
        yield where, found
        for name, member in found.get("properties", {}).items():
            yield from self.parts(member, f"{where}.{name}")
        if "items" in found:
            yield from self.parts(found["items"], f"{where}[]")

    def weak_members(self, where: str, schema: Mapping[str, Any]) -> list[str]:
        """Members that an answer may lack by the contract, where no description says when it does."""
        return [
            f"{where}.{name} is not required, and its description does not say when it is absent"
            for name, member in schema.get("properties", {}).items()
            if name not in schema.get("required", ())
            and not self.resolve(member).get("description", "").startswith(_ABSENT)
        ]

    def misfits(self) -> list[str]:
        """Examples and defaults that break their schemas, and what a link hands to a parameter that does not take it."""
        operations = list(self.operations())
        by_id = {str(one.specification.get("operationId")): one for one in operations}
        found = []
        for one in operations:
            body = self.body(one)
            if body is not None and not self.allows(body, one.example):
                found.append(f"{one}: its example breaks its schema")
            defaults = {**self.parameters(one, "query"), **(body or {}).get("properties", {})}
            for name, schema in defaults.items():
                if "default" in (there := self.resolve(schema)) and not self.allows(schema, there["default"]):
                    found.append(f"{one}: the default of {name} breaks its schema")
            for status, answer in one.specification["responses"].items():
                found += self._misfits_of(f"{one} {status}", self.resolve(answer), by_id)
        return found

    def _misfits_of(
        self, where: str, answer: Mapping[str, Any], by_id: Mapping[str, Operation]
    ) -> Iterator[str]:
        media = answer.get("content", {}).get("application/json", {})
        shown = [self.resolve(one)["value"] for one in media.get("examples", {}).values()]
        shown += [media["example"]] if "example" in media else []
        for example in shown:
            if not self.allows(media.get("schema", {}), example):
                yield f"{where}: an example breaks its schema"
        for link in answer.get("links", {}).values():
            target = by_id.get(str(link.get("operationId")))
            if target is None:
                yield f"{where}: a link leads to no operation"
                continue
            taken = {**self.parameters(target, "path"), **self.parameters(target, "query")}
            for name, pointer in link["parameters"].items():
                value = _at(media.get("example"), pointer.rpartition("#/")[2])
                if name not in taken or not self.allows(taken[name], value):
                    yield f"{target}: {name} does not take {value!r} of {where}'s example"

    def _wrong_header(self, header: Mapping[str, Any], text: str | None) -> str:
        declared = self.resolve(header)
        if text is None:
            return "is missing" if declared.get("required") else ""
        if self.allows_text(declared.get("schema", {}), text):
            return ""
        return f"is {text!r}, which its schema does not allow"

    def _example(self, specification: Mapping[str, Any]) -> Any:
        body = self.resolve(specification.get("requestBody"))
        if body is None:
            return None
        media = body["content"]["application/json"]
        if "example" in media:
            return media["example"]
        if "examples" in media:
            return self.resolve(next(iter(media["examples"].values())))["value"]
        schema = self.resolve(media["schema"])
        return schema["example"] if "example" in schema else next(iter(schema.get("examples", [{}])))

    def resolve(self, node: Any) -> Any:
        """The target of a reference; anything else unchanged."""
        while isinstance(node, Mapping) and "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node


def _value(kind: str | None, text: str) -> Any:
    """A text as a value of a kind; the text itself if it cannot be of that kind."""
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind in ("integer", "number") and _INTEGER.fullmatch(text):
        return int(text)
    return text


def _at(example: Any, pointer: str) -> Any:
    """The value at a JSON pointer, None where there is none."""
    for part in pointer.split("/"):
        try:
            example = example[int(part) if isinstance(example, list) else part]
        except (IndexError, KeyError, TypeError, ValueError):
            return None
    return example

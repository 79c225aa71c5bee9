"""backend/openapi.yaml as the judge of an answer."""

from __future__ import annotations

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
        declared = self._resolve(responses.get(str(answer.status)))
        if declared is None:
            return [
                f"{answer!r}: the contract declares no status {answer.status} (has {', '.join(responses)})"
            ]
        missing = [
            f"{answer!r}: header {name} is missing"
            for name, header in declared.get("headers", {}).items()
            if self._resolve(header).get("required") and name not in answer.headers
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

    def _example(self, specification: Mapping[str, Any]) -> Any:
        body = self._resolve(specification.get("requestBody"))
        if body is None:
            return None
        media = body["content"]["application/json"]
        if "example" in media:
            return media["example"]
        if "examples" in media:
            return self._resolve(next(iter(media["examples"].values())))["value"]
        schema = self._resolve(media["schema"])
        return schema["example"] if "example" in schema else next(iter(schema.get("examples", [{}])))

    def _resolve(self, node: Any) -> Any:
        while isinstance(node, Mapping) and "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

"""What the schema of a resource's type says about one place in it. The schemas are those that cfn-lint ships."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

_REGION = "us-east-1"

# SAM hands many properties to another type as they are, and its own schema says less of them.
_BEHIND: Final[Mapping[str, Sequence[str]]] = {
    "AWS::Serverless::Api": ("AWS::ApiGateway::Stage", "AWS::ApiGateway::RestApi"),
    "AWS::Serverless::Function": ("AWS::Lambda::Function",),
    "AWS::Serverless::HttpApi": ("AWS::ApiGatewayV2::Stage", "AWS::ApiGatewayV2::Api"),
    "AWS::Serverless::StateMachine": ("AWS::StepFunctions::StateMachine",),
}
# Few schemas have a `default`; their descriptions tell it.
_ON: Final = re.compile(r"default(?:s| value)?(?: is|:| to)\s*`*true", re.IGNORECASE)

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class _Fragment:
    """One plain schema out of those that a place may follow, beside the document that its references mean."""

    schema: Mapping[str, Any]
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """What is known about one place. Where the schema says nothing, each answer is empty.

    Args:
        fragments: the schemas that it may follow: those of anyOf, oneOf and allOf side by side.
    """

    fragments: tuple[_Fragment, ...]

    def inside(self, key: str | int, value: Any = None) -> Place:
        """The place of a property or of a list's member.

        Args:
            key: the property's name, or the member's index.
            value: what this place holds; its `Type` decides between alternatives, as between the events of SAM.
        """
        found: list[_Fragment] = []
        for fragment in self.fragments:
            if not _fits(fragment.schema, value):
                continue
            inner = (
                fragment.schema.get("items") if isinstance(key, int) else _property(fragment.schema, str(key))
            )
            if isinstance(inner, Mapping):
                found += _flat(inner, fragment.document)
        return Place(tuple(found))

    @property
    def members(self) -> Sequence[Any]:
        """The values that are allowed, in the schema's order; none where any is."""
        return list(dict.fromkeys(one for schema in self._schemas for one in schema.get("enum", ())))

    @property
    def types(self) -> frozenset[str]:
        """JSON's types that are allowed."""
        said: set[str] = set()
        for schema in self._schemas:
            types = schema.get("type", ())
            said.update([types] if isinstance(types, str) else types)
        return frozenset(said)

    @property
    def bounds(self) -> Bounds:
        """The smallest and the greatest number, as far as they are said."""
        lowest = [schema["minimum"] for schema in self._schemas if "minimum" in schema]
        greatest = [schema["maximum"] for schema in self._schemas if "maximum" in schema]
        return min(lowest, default=None), max(greatest, default=None)

    @property
    def unique(self) -> bool:
        """Whether a list may hold each member once only."""
        return any(schema.get("uniqueItems") for schema in self._schemas)

    def required(self, value: Mapping[str, Any]) -> frozenset[str]:
        """The properties without which CloudFormation refuses the value that is here."""
        said = [
            frozenset(schema.get("required", ()))
            for schema in self._schemas
            if schema.get("properties") and _fits(schema, value)
        ]
        return frozenset.intersection(*said) if said else frozenset()

    def switched_on(self, value: Mapping[str, Any]) -> Sequence[str]:
        """The properties that are absent from the value that is here, and true where nothing is said."""
        names = (
            name
            for schema in self._schemas
            if _fits(schema, value)
            for name in schema.get("properties", ())
            if name not in value
        )
        return [name for name in dict.fromkeys(names) if self.inside(name, value)._is_on(name)]

    def _is_on(self, name: str) -> bool:
        said = [schema.get("description", "") for schema in self._schemas]
        return "boolean" in self.types and (
            name == "Enabled"
            or any(schema.get("default") is True for schema in self._schemas)
            or any(_ON.search(description) for description in said)
        )

    @property
    def _schemas(self) -> Iterator[Mapping[str, Any]]:
        return (fragment.schema for fragment in self.fragments)


NOWHERE: Final = Place(())


@cache
def of(type_: str) -> Place:
    """The properties of a resource's type; nothing is known of types that cfn-lint does not know."""
    fragments = [
        _Fragment(schema, schema) for one in (type_, *_BEHIND.get(type_, ())) if (schema := _schema(one))
    ]
    return Place(tuple(fragments))


@cache
def names(type_: str) -> frozenset[str]:
    """The properties that only name a resource of this type: AWS makes a name up where none is given."""
    schema = _schema(type_)
    pointers = [*schema.get("createOnlyProperties", ()), *schema.get("primaryIdentifier", ())]
    return frozenset(name for pointer in pointers if (name := pointer.split("/")[2]).endswith("Name"))


def _schema(type_: str) -> Mapping[str, Any]:
    try:
        schema: Mapping[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, type_).schema
    except ResourceNotFoundError:
        return {}
    return schema


def _property(schema: Mapping[str, Any], name: str) -> Any:
    """A named property's schema, or that of all which have no name of their own."""
    return schema.get("properties", {}).get(name, schema.get("additionalProperties"))


def _flat(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[_Fragment]:
    """A schema and all that it refers to, each by itself."""
    yield _Fragment(schema, document)
    if reference := schema.get("$ref"):
        inner: Any = document
        for part in reference.removeprefix("#/").split("/"):
            inner = inner[part]
        yield from _flat(inner, document)
    for word in ("allOf", "anyOf", "oneOf"):
        for alternative in schema.get(word, ()):
            yield from _flat(alternative, document)


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a value can be meant, by its `Type`."""
    if not isinstance(value, Mapping) or "Type" not in value:
        return True
    allowed = schema.get("properties", {}).get("Type", {}).get("enum")
    return allowed is None or value["Type"] in allowed

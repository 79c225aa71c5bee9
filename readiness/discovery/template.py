"""A stack's processed template with parameters, conditions and intrinsic functions resolved."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# Stands for what cannot be known from outside: a NoEcho parameter, an import, an attribute without a reader.
UNKNOWN = "\x00unknown\x00"
_ABSENT = object()
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")

Attribute = Callable[[str, str, str], Any]


@dataclass(frozen=True)
class Resource:
    """One resource of a stack: what the template declares of it, and the name it has in the account."""

    logical_id: str
    kind: str
    physical_id: str
    properties: dict[str, Any]


class Template:
    """A processed template, in the stack that was made from it."""

    def __init__(
        self,
        body: Mapping[str, Any],
        parameters: Mapping[str, str],
        physical_ids: Mapping[str, str],
        pseudo: Mapping[str, str],
        attribute: Attribute,
    ) -> None:
        """Take a template apart.

        Args:
            body: The processed template.
            parameters: The stack's parameters as DescribeStacks shows them; NoEcho ones are masked there.
            physical_ids: Name of each live resource by logical id.
            pseudo: AWS::Region and the like.
            attribute: Gives what GetAtt answers, from resource type, physical id and attribute name.
        """
        self._body = body
        self._physical_ids = physical_ids
        self._attribute = attribute
        self._values: dict[str, Any] = dict(pseudo)
        for name, declared in (body.get("Parameters") or {}).items():
            value = UNKNOWN if declared.get("NoEcho") in (True, "true") else parameters.get(name)
            value = declared.get("Default", "") if value is None else value
            listed = declared.get("Type", "").startswith(("CommaDelimitedList", "List<"))
            self._values[name] = str(value).split(",") if listed and value != UNKNOWN else value

    def resources(self) -> list[Resource]:
        """Return the resources whose condition holds, in the template's order."""
        found = []
        for logical_id, declared in (self._body.get("Resources") or {}).items():
            if "Condition" in declared and not self.condition(declared["Condition"]):
                continue
            properties = self.resolve(declared.get("Properties") or {})
            physical_id = self._physical_ids.get(logical_id, "")
            found.append(Resource(logical_id, declared["Type"], physical_id, properties))
        return found

    def condition(self, name: str) -> bool:
        """Return whether a condition of the template holds."""
        return bool(self.resolve(self._body["Conditions"][name]))

    def resolve(self, value: Any) -> Any:
        """Return a value with every intrinsic function carried out; AWS::NoValue removes its member."""
        if isinstance(value, list):
            return [item for item in (self.resolve(one) for one in value) if item is not _ABSENT]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return self._ref(argument)
            if name == "Condition" and isinstance(argument, str):
                return self.condition(argument)
            function = getattr(self, f"_fn_{name.removeprefix('Fn::').lower()}", None)
            if name.startswith("Fn::"):
                return function(argument) if function is not None else UNKNOWN
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _ABSENT}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _ABSENT
        if name in self._values:
            return self._values[name]
        return self._physical_ids.get(name, UNKNOWN)

    def _fn_getatt(self, argument: Any) -> Any:
        logical_id, _, name = (
            argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
        )
        declared = (self._body.get("Resources") or {}).get(logical_id)
        if declared is None or logical_id not in self._physical_ids:
            return UNKNOWN
        return self._attribute(declared["Type"], self._physical_ids[logical_id], self.resolve(name))

    def _fn_sub(self, argument: Any) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else (argument[0], self.resolve(argument[1]))

        def replace(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return str(own[name])
            known = self._ref(name) if "." not in name else self._fn_getatt(name)
            return ",".join(known) if isinstance(known, list) else str(known)

        return _VARIABLE.sub(replace, text)

    def _fn_join(self, argument: Any) -> str:
        separator, parts = argument[0], self.resolve(argument[1])
        return str(separator).join(str(part) for part in parts) if isinstance(parts, list) else UNKNOWN

    def _fn_split(self, argument: Any) -> Any:
        text = self.resolve(argument[1])
        return text.split(argument[0]) if UNKNOWN not in str(text) else UNKNOWN

    def _fn_select(self, argument: Any) -> Any:
        index, parts = self.resolve(argument[0]), self.resolve(argument[1])
        return parts[int(index)] if isinstance(parts, list) else UNKNOWN

    def _fn_if(self, argument: Any) -> Any:
        return self.resolve(argument[1] if self.condition(argument[0]) else argument[2])

    def _fn_equals(self, argument: Any) -> bool:
        return _text(self.resolve(argument[0])) == _text(self.resolve(argument[1]))

    def _fn_not(self, argument: Any) -> bool:
        return not self.resolve(argument[0])

    def _fn_and(self, argument: Any) -> bool:
        return all(self.resolve(one) for one in argument)

    def _fn_or(self, argument: Any) -> bool:
        return any(self.resolve(one) for one in argument)

    def _fn_findinmap(self, argument: Any) -> Any:
        name, first, second = (self.resolve(part) for part in argument[:3])
        return self.resolve((self._body.get("Mappings") or {})[name][first][second])

    def _fn_base64(self, argument: Any) -> Any:
        text = self.resolve(argument)
        return UNKNOWN if UNKNOWN in str(text) else base64.b64encode(str(text).encode()).decode()

    def _fn_tojsonstring(self, argument: Any) -> str:
        return json.dumps(self.resolve(argument), separators=(",", ":"))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

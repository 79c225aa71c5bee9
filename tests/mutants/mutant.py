"""One change to a template, or to a file beside it, as somebody could have made it by mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


class _Removed:
    """Stands where a value is taken away."""

    def __repr__(self) -> str:
        return "removed"


REMOVED: Final = _Removed()

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Change:
    """What an operator makes of one place.

    Args:
        path: of the place, from the template's root.
        operator: that made it.
        value: what stands there instead, or REMOVED.
    """

    path: Path
    operator: str
    value: Any


@dataclass(frozen=True)
class Mutant:
    """One change to one template.

    Args:
        application: whose template, such as `pixel-prompt`.
        resource: the logical id in the source template; '' in Globals, Parameters and Conditions.
        type: its type in CloudFormation or SAM; the section's name where there is no resource.
        path: where the change is, from the template's root.
        operator: what kind of change it is, such as `times-ten`.
        says: the change in plain words, such as `VisibilityTimeout: 60 -> 600`.
        value: what stands there instead, or REMOVED.
        number: tells mutants apart that one operator makes in one place.
    """

    application: str
    resource: str
    type: str
    path: Path
    operator: str
    says: str
    value: Any
    number: int = 1

    @property
    def id(self) -> str:
        """The same text for the same change, whatever else the template holds."""
        section, *rest = self.path
        if self.resource:
            section, rest = self.resource, list(self.path[2:])
        where = ".".join(str(part).replace("/", "~") for part in rest)
        parts = [self.application, str(section), where, self.operator]
        if self.number > 1:
            parts.append(str(self.number))
        return "/".join(part for part in parts if part)

    def applied(self, template: Mapping[str, Any]) -> dict[str, Any]:
        """A new template with the change; the one that is given stays as it is.

        Raises:
            KeyError, IndexError: the template has no such place; only a property may be new.
        """
        changed: dict[str, Any] = _copied(template)
        place: Any = changed
        for part in self.path[:-1]:
            place = place[part]
        if self.value is REMOVED:
            del place[self.path[-1]]
            if self.path[:1] == ("Resources",) and len(self.path) == 2:
                _forget(changed, str(self.path[1]))
        else:
            place[self.path[-1]] = _copied(self.value)
        return changed


@dataclass(frozen=True, kw_only=True)
class Rewritten(Mutant):
    """One change to a file beside the template: its source, its contract or its samconfig.

    Its path has two parts: the file, from the template's folder on, and the place in it.

    Args:
        text: all that the file then holds.
        parameters: what the stack is created with instead.
    """

    text: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        return str(self.path[0])

    def applied(self, template: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of the template, which stays as it is."""
        copied: dict[str, Any] = _copied(template)
        return copied


def _copied(value: Any) -> Any:
    """A copy in which nothing is shared: what a YAML anchor stands for is one object in several places."""
    if isinstance(value, Mapping):
        return {key: _copied(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_copied(entry) for entry in value]
    return value


def _forget(template: dict[str, Any], name: str) -> None:
    """Take away what only points to a resource that is gone: DependsOn, and the outputs that tell of it."""
    for resource in template["Resources"].values():
        after = resource.get("DependsOn", [])
        after = [after] if isinstance(after, str) else after
        if name in after:
            resource["DependsOn"] = [one for one in after if one != name]
    outputs = template.get("Outputs", {})
    for output in [key for key, value in outputs.items() if _refers(value, name)]:
        del outputs[output]


def _refers(value: Any, name: str) -> bool:
    if isinstance(value, Mapping):
        target = value.get("Ref") or next(iter(value.get("Fn::GetAtt", [])), None)
        return target == name or any(_refers(entry, name) for entry in value.values())
    if isinstance(value, list):
        return any(_refers(entry, name) for entry in value)
    return isinstance(value, str) and (f"${{{name}}}" in value or f"${{{name}." in value)

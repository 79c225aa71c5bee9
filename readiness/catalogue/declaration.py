"""What the templates of a stack declare, nested stacks included, for what no live resource tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from readiness.aws.cloudformation import CloudFormationStack
from readiness.discovery.graph import Resource


@dataclass(frozen=True)
class Declarations:
    """The templates of a stack and of those nested in it.

    Args:
        stacks: by the path that their resources' logical ids begin with.
    """

    stacks: Mapping[str, CloudFormationStack] = field(repr=False)

    def around(self, resource: Resource) -> CloudFormationStack:
        """The stack that declares a resource."""
        parent, slash, _ = resource.logical_id.rpartition("/")
        return self.stacks[parent + slash]

    def resource(self, resource: Resource) -> Mapping[str, Any]:
        """One resource as it is declared, empty where a macro made it."""
        return self.around(resource).declared.get(resource.logical_id.rpartition("/")[2], {})

    def is_retained(self, resource: Resource) -> bool:
        """Whether a resource stays when the stack is deleted."""
        return self.resource(resource).get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")

    def users_of(self, resource: Resource) -> Mapping[str, str]:
        """The resources of the same template that refer to one: logical id and type."""
        wanted = resource.logical_id.rpartition("/")[2]
        return {
            name: str(content.get("Type", ""))
            for name, content in self.around(resource).declared.items()
            if name != wanted and _refers(content, wanted)
        }


def _refers(node: Any, logical_id: str) -> bool:
    if isinstance(node, Mapping):
        attribute = node.get("Fn::GetAtt", "")
        named = attribute.split(".")[0] if isinstance(attribute, str) else attribute[0]
        return logical_id in (node.get("Ref"), named) or any(
            _refers(value, logical_id) for value in node.values()
        )
    if isinstance(node, list):
        return any(_refers(value, logical_id) for value in node)
    return isinstance(node, str) and any(f"${{{logical_id}{end}" in node for end in ("}", "."))

"""Overlay of AWS::CloudFormation::Stack: an update keeps what it leaves alone, and a failed creation leaves nothing.

MiniStack forgets the GetAtt values of each resource of a nested stack that an update does not change, so that the
next resource cannot refer to them. Source: CloudFormation User Guide, "Embed stacks within other stacks using nested
stacks", "Choose how to handle failures when provisioning resources".
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Made, Properties

require(cloudformation, "_stacks")
require(provisioners, "_update_resource")

NESTED = "AWS::CloudFormation::Stack"


def install() -> None:
    """Lay the overlay over MiniStack."""
    _remember_attributes()
    _remove_what_failed()


def _remember_attributes() -> None:
    update = provisioners._update_resource

    def update_resource(
        resource_type: str,
        physical_id: str,
        old: Properties,
        new: Properties,
        stack_name: str,
        logical_id: str | None = None,
        old_attrs: dict[str, Any] | None = None,
    ) -> Made:
        if old_attrs is None:
            resources = (cloudformation._stacks.get(stack_name) or {}).get("_resources", {})
            old_attrs = resources.get(logical_id, {}).get("Attributes")
        made: Made = update(resource_type, physical_id, old, new, stack_name, logical_id, old_attrs)
        return made

    provisioners._update_resource = update_resource


def _remove_what_failed() -> None:
    its = hooks.handler(NESTED)
    make, remove = its["create"], its["delete"]

    def create(logical_id: str, properties: Properties, stack_name: str) -> Made:
        before = set(cloudformation._stacks)
        try:
            made: Made = make(logical_id, properties, stack_name)
        except Exception:
            for name, stack in list(cloudformation._stacks.items()):
                if name not in before and stack.get("_parent_stack_name") == stack_name:
                    remove(name, properties)
            raise
        return made

    its["create"] = create

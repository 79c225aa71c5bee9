"""Overlay of AWS::CloudFormation::Stack: it is transformed, keeps what an update leaves alone, and leaves nothing when it fails.

MiniStack creates a nested stack without AWS::Serverless, so that a SAM application within another one fails. It forgets the
GetAtt values of each resource of a nested stack that an update does not change, so that the next resource cannot refer to them.
Source: CloudFormation User Guide, "Embed stacks within other stacks using nested stacks", "Choose how to handle failures when
provisioning resources"; AWS SAM Developer Guide, "Reuse code and resources using nested applications in AWS SAM".
"""

from __future__ import annotations

import contextvars
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import engine, provisioners

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Made, Properties

require(cloudformation, "_stacks")
require(engine, "_apply_transforms", "_parse_template")
require(provisioners, "_cfn_nested_stack_deploy", "_update_resource")

NESTED = "AWS::CloudFormation::Stack"

_parameters: contextvars.ContextVar[Properties | None] = contextvars.ContextVar(
    "nested_parameters", default=None
)
"""Those of the nested stack whose template is about to be parsed."""


def install() -> None:
    """Lay the overlay over MiniStack."""
    _transform_templates()
    _remember_attributes()
    _remove_what_failed()


def _transform_templates() -> None:
    deploy, parse = provisioners._cfn_nested_stack_deploy, engine._parse_template

    def deployed(logical_id: str, properties: Properties, *rest: Any, **options: Any) -> Made:
        token = _parameters.set(properties.get("Parameters") or {})
        try:
            made: Made = deploy(logical_id, properties, *rest, **options)
        finally:
            _parameters.reset(token)
        return made

    def parsed(body: str) -> dict[str, Any]:
        template: dict[str, Any] = parse(body)
        if (given := _parameters.get()) is None:
            return template
        _parameters.set(None)
        provided = [{"Key": key, "Value": str(value)} for key, value in given.items()]
        transformed: dict[str, Any] = engine._apply_transforms(template, provided)
        if error := getattr(transformed, "error", ""):
            raise ValueError(error)
        return transformed

    provisioners._cfn_nested_stack_deploy = deployed
    engine._parse_template = parsed


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

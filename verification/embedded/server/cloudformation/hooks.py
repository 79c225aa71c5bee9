"""The way into MiniStack's CloudFormation: steps after, instead of, and in addition to its resource handlers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from ministack.services.cloudformation import provisioners

from verification.embedded.server import HookMissingError, require

require(provisioners, "_RESOURCE_HANDLERS", "_STACK_TAG_PROPERTY", "_physical_name", "_delete_predecessor")

Properties = dict[str, Any]
Attributes = dict[str, Any]
Made = tuple[str, Attributes]


# Brings a live resource to what is declared, once MiniStack has created or updated it. Takes the name that Ref gives,
# the properties (intrinsics resolved), those of the previous template (empty after a creation) and what GetAtt answers,
# to be changed in place. A property of the old ones that the new ones lack goes back to the service's default; what no
# template named is left alone. A ValueError (AWS would refuse) fails the stack operation with its message.
Settle = Callable[[str, Properties, Properties, Attributes], None]


def handler(resource_type: str) -> dict[str, Any]:
    """Return MiniStack's handler of a resource type, to be changed in place.

    Raises:
        HookMissingError: MiniStack does not know the type.
    """
    found: dict[str, Any] | None = provisioners._RESOURCE_HANDLERS.get(resource_type)
    if found is None or "create" not in found:
        raise HookMissingError(f"provisioners._RESOURCE_HANDLERS[{resource_type!r}]['create']")
    return found


def after(resource_type: str, settle: Settle) -> None:
    """Run `settle` after each creation and update of a resource type.

    A creation that `settle` refuses is undone, so that the rollback of the stack leaves nothing behind.
    """
    its = handler(resource_type)
    make, remove = its["create"], its.get("delete")

    def create(logical_id: str, properties: Properties, stack_name: str) -> Made:
        physical_id, attributes = make(logical_id, properties, stack_name)
        try:
            settle(physical_id, properties, {}, attributes)
        except Exception:
            if remove is not None:
                remove(physical_id, properties)
            raise
        return physical_id, attributes

    def update(physical_id: str, old: Properties, new: Properties, stack_name: str, *rest: Any) -> Made:
        changed_id, attributes = change(physical_id, old, new, stack_name, *rest)
        settle(changed_id, new, old if changed_id == physical_id else {}, attributes)
        return changed_id, attributes

    its["create"] = create
    if "update" in its:
        change, its["update"] = its["update"], update


def before(resource_type: str, spell: Callable[[Properties], Properties]) -> None:
    """Let MiniStack see the properties of a resource type as `spell` returns them, on creation and update."""
    its = handler(resource_type)
    make, change = its["create"], its["update"]

    def create(logical_id: str, properties: Properties, stack_name: str) -> Made:
        made: Made = make(logical_id, spell(properties), stack_name)
        return made

    def update(physical_id: str, old: Properties, new: Properties, stack_name: str, *rest: Any) -> Made:
        made: Made = change(physical_id, spell(old), spell(new), stack_name, *rest)
        return made

    its.update(create=create, update=update)


def before_delete(resource_type: str, check: Callable[[str, Properties], None]) -> None:
    """Run `check(physical_id, properties)` before a deletion; a ValueError makes it DELETE_FAILED."""
    its = handler(resource_type)
    if "delete" not in its:
        raise HookMissingError(f"provisioners._RESOURCE_HANDLERS[{resource_type!r}]['delete']")
    remove = its["delete"]

    def delete(physical_id: str, properties: Properties, *rest: Any) -> None:
        check(physical_id, properties)
        remove(physical_id, properties, *rest)

    its["delete"] = delete


def register(
    resource_type: str,
    *,
    create: Callable[[str, Properties, str], Made],
    update: Callable[[str, Properties, Properties, str], Made],
    delete: Callable[[str, Properties], None],
) -> None:
    """Add a resource type that MiniStack refuses.

    Raises:
        HookMissingError: MiniStack has learned the type, so this overlay must go.
    """
    if resource_type in provisioners._RESOURCE_HANDLERS:
        raise HookMissingError(f"gap for {resource_type}: it has a handler of its own now")
    provisioners._RESOURCE_HANDLERS[resource_type] = {"create": create, "update": update, "delete": delete}


def physical_name(stack_name: str, logical_id: str, *, longest: int = 128) -> str:
    """Return the name that CloudFormation would give a resource whose template names none."""
    name: str = provisioners._physical_name(stack_name, logical_id, max_len=longest)
    return name


def camel_case(value: Any) -> Any:
    """Return CloudFormation's PascalCase structure with the API's camelCase keys, lists and scalars as they are."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: camel_case(item) for key, item in value.items()}
    if isinstance(value, list):
        return [camel_case(item) for item in value]
    return value


def as_bool(value: object) -> bool:
    """Return a template's boolean, which a parameter hands over as the string "true" or "false"."""
    return str(value).lower() == "true"


def tag_map(tags: object) -> dict[str, str]:
    """Return the tags of a template, a list of Key and Value or a map, as a map."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags} if isinstance(tags, list) else {}


def accepted(answer: tuple[int, Any, Any], resource_type: str) -> tuple[int, Any, Any]:
    """Return the answer (status, headers, body) of a service's own function.

    Raises:
        ValueError: The service refused; AWS's CloudFormation would report its message.
    """
    if answer[0] >= HTTPStatus.BAD_REQUEST:
        body = answer[2].decode(errors="replace") if isinstance(answer[2], bytes) else str(answer[2])
        raise ValueError(f"{resource_type}: {body}")
    return answer

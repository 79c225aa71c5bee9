"""The operators of policy documents: who may do what to what, and when."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tests.mutants.mutant import REMOVED, Change, Path

Within = Callable[[Path, Any], Iterator[Change]]
FOREIGN: Final = "arn:aws:iam::999999999999:root"
# A place that CloudFormation fills in is one unit of a text.
_UNIT: Final = r"(\$\{[^}]*\}|[^/:$]+|\*)"


def is_policy(value: Mapping[str, Any]) -> bool:
    """Whether a mapping is a policy document: statements of other things, such as a web ACL's, have no effect."""
    statements = value.get("Statement")
    every = statements if isinstance(statements, list) else [statements]
    return any(isinstance(one, Mapping) and "Effect" in one for one in every)


def changes(path: Path, document: Mapping[str, Any], within: Within) -> Iterator[Change]:
    """Each change of a policy document.

    Args:
        path: of the document.
        document: with its statements.
        within: makes the changes that are not about policies, such as those of a reference.
    """
    statements = document["Statement"]
    if isinstance(statements, Mapping):
        yield from _statement((*path, "Statement"), statements, within)
        return
    for index, statement in enumerate(statements):
        place = (*path, "Statement", index)
        if len(statements) > 1:
            yield Change(place, "drop-member", REMOVED)
        if "Effect" in statement:
            yield from _statement(place, statement, within)


def _statement(path: Path, statement: Mapping[str, Any], within: Within) -> Iterator[Change]:
    allows = statement["Effect"] == "Allow"
    yield Change((*path, "Effect"), "flip", "Deny" if allows else "Allow")
    for name, value in statement.items():
        place = (*path, name)
        match name.removeprefix("Not"):
            case "Principal":
                yield from _principal(place, value)
            case "Action":
                yield from _actions(place, value, allows=allows)
            case "Resource" if allows:
                yield from _resources(place, value)
            case "Condition":
                yield from _condition(place, value)
    for place, value in _values(path, statement):
        yield from within(place, value)


def _values(path: Path, statement: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The texts, references and lists of a statement; what holds them is a policy's own matter."""
    for name, value in statement.items():
        if name == "Condition":
            for operator, asked in value.items():
                yield from (((*path, name, operator, key), wanted) for key, wanted in asked.items())
        elif name.endswith("Principal") and isinstance(value, Mapping):
            yield from (((*path, name, kind), who) for kind, who in value.items())
        elif name not in {"Effect", "Sid"}:
            yield (*path, name), value


def _principal(path: Path, principal: Any) -> Iterator[Change]:
    """Everybody; and a foreign account: beside those who are meant, or alone where everybody is."""
    if principal == "*" or not isinstance(principal, Mapping):
        yield Change(path, "principal", {"AWS": FOREIGN})
        return
    yield Change(path, "principal", "*")
    present = principal.get("AWS", [])
    accounts = [*(present if isinstance(present, list) else [present]), FOREIGN]
    yield Change(path, "principal", {**principal, "AWS": accounts if len(accounts) > 1 else FOREIGN})


def _actions(path: Path, actions: Any, *, allows: bool) -> Iterator[Change]:
    """All that a service can do is allowed; of all that was denied, only what reads still is."""
    every = actions if isinstance(actions, list) else [actions]
    services = list(dict.fromkeys(action.partition(":")[0] for action in every if isinstance(action, str)))
    if allows:
        wide = [f"{service}:*" for service in services if service != "*"]
        if wide:
            yield Change(path, "action", wide if len(wide) > 1 else wide[0])
    elif every == [f"{services[0]}:*"]:
        yield Change(path, "action", f"{services[0]}:Get*")


def _resources(path: Path, resources: Any) -> Iterator[Change]:
    yield Change(path, "resource", "*")
    members = (
        [((*path, index), one) for index, one in enumerate(resources)] if isinstance(resources, list) else []
    )
    for place, one in members or [(path, resources)]:
        if (wider := _wider(one)) is not None:
            yield Change(place, "resource", wider)


def _wider(resource: Any) -> Any:
    """One wildcard more; None where everything is meant already."""
    if isinstance(resource, str):
        return _wider_text(resource)
    if not isinstance(resource, Mapping):
        return None
    if "Ref" in resource:
        return {"Fn::Sub": f"${{{resource['Ref']}}}*"}
    if "Fn::GetAtt" in resource:
        return {"Fn::Sub": f"${{{'.'.join(resource['Fn::GetAtt'])}}}*"}
    text = resource.get("Fn::Sub")
    return {"Fn::Sub": wider} if isinstance(text, str) and (wider := _wider_text(text)) else None


def _wider_text(text: str) -> str | None:
    """The text with its last part that is no wildcard made one."""
    shorter = re.sub(r"[/:]\*$", "", text)
    match = re.fullmatch(rf"(.*[/:]){_UNIT}", shorter)
    if text == "*":
        return None
    return f"{match[1]}*" if match and "${" not in match[2] else f"{shorter}*"


def _condition(path: Path, condition: Mapping[str, Any]) -> Iterator[Change]:
    """Nothing is asked any more; or one of several things is not."""
    yield Change(path, "condition", REMOVED)
    parts = [(operator, key) for operator, asked in condition.items() for key in asked]
    for operator, key in parts if len(parts) > 1 else ():
        place = (*path, operator, key) if len(condition[operator]) > 1 else (*path, operator)
        yield Change(place, "condition", REMOVED)

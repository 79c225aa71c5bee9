"""What a template declares against what a service answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from readiness.discovery.template import UNKNOWN


class Difference(NamedTuple):
    """One value that is not what the template declares."""

    path: str
    declared: Any
    live: Any


def differences(declared: Any, live: Any, path: str) -> Iterator[Difference]:
    """Yield where `live` lacks what is declared. What it has beyond that (defaults, tags of others) is no matter.

    Numbers, booleans and their texts count as equal, a JSON text equals its document, names of members are compared
    without case (AcmCertificateArn, ACMCertificateArn), and lists without order.
    """
    if isinstance(declared, Mapping):
        yield from _mapping(declared, document(live), path)
    elif isinstance(declared, list):
        yield from _sequence(declared, live, path)
    elif not _same(declared, live):
        yield Difference(path, declared, live)


def document(value: Any) -> Any:
    """Return the document in a JSON text; any other value as it is."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _mapping(declared: Mapping[str, Any], live: Any, path: str) -> Iterator[Difference]:
    if not isinstance(live, Mapping):
        if declared or live:
            yield Difference(path, dict(declared), live)
        return
    members = {str(key).lower(): value for key, value in live.items()}
    for key, value in declared.items():
        if str(key).lower() in members:
            yield from differences(value, members[str(key).lower()], f"{path}.{key}")
        elif value not in ("", [], {}, None) or (value == {} and len(declared) == 1 and members):
            # A single empty member is a choice, such as {"Allow": {}}, of which the service reports another one.
            yield Difference(f"{path}.{key}", value, None)


def _sequence(declared: list[Any], live: Any, path: str) -> Iterator[Difference]:
    items = list(live) if isinstance(live, list) else [live] if live not in (None, "") else []
    if path.endswith("Tags") and all(isinstance(one, Mapping) and "Key" in one for one in items):
        tags = {one["Key"]: one.get("Value") for one in items}
        for tag in declared:
            if not _same(tag.get("Value"), tags.get(tag["Key"])):
                yield Difference(f"{path}.{tag['Key']}", tag.get("Value"), tags.get(tag["Key"]))
        return
    if len(items) != len(declared):
        yield Difference(path, declared, live)
        return
    remaining = list(items)
    for index, item in enumerate(declared):
        match = next((one for one in remaining if not list(differences(item, one, ""))), None)
        if match is not None:
            remaining.remove(match)
        elif isinstance(items[index], Mapping) and len(declared) == len(items):
            yield from differences(item, items[index], f"{path}[{index}]")
        else:
            yield Difference(f"{path}[{index}]", item, live)


def _same(declared: Any, live: Any) -> bool:
    if declared is None:
        return True
    if isinstance(live, list) and len(live) == 1:
        live = live[0]
    if isinstance(declared, str) and UNKNOWN in declared:
        pattern = ".*".join(re.escape(part) for part in declared.split(UNKNOWN))
        return live is not None and re.fullmatch(pattern, _text(live), re.DOTALL) is not None
    if _text(declared) == _text(live) or document(declared) == document(live):
        return True
    try:
        return float(declared) == float(live)
    except (TypeError, ValueError):
        return False


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text.lower() if text in ("True", "False") else text

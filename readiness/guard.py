"""Which AWS operations may leave this machine, decided before anything is serialised, signed or sent.

See docs/adr/0015-guard-and-policies.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from readiness import written
from readiness.errors import Refused

FILE = Path(__file__).with_name("operations.toml")


_NAMES: written.Schema = {
    "type": "object",
    "additionalProperties": {
        "type": "array",
        "items": {
            "type": "string",
            "pattern": "^[A-Z][A-Za-z0-9]+$",
            "description": "an operation's name, such as 'GetApi'",
        },
    },
}
_REASONS: written.Schema = {
    "type": "object",
    "additionalProperties": written.TEXT,
    "propertyNames": {"pattern": "^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$", "description": "service:Operation"},
}
_SCHEMA: written.Schema = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("prod", "catalogue", "elsewhere", "benchmarks"), _NAMES),
        **dict.fromkeys(("unseen", "weighed", "never"), _REASONS),
    },
    "required": ["prod", "catalogue", "elsewhere", "benchmarks", "unseen", "weighed", "never"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Operations:
    """What operations.toml says, each as `service:Operation` by boto3's name of the service."""

    prod: frozenset[str]
    catalogue: frozenset[str]
    elsewhere: frozenset[str]
    benchmarks: frozenset[str]
    unseen: Mapping[str, str]
    weighed: Mapping[str, str]
    never: Mapping[str, str]


@cache
def operations() -> Operations:
    """Read the list once."""
    content = written.load(FILE, _SCHEMA)
    prod, catalogue, elsewhere, benchmarks = (
        frozenset(f"{service}:{name}" for service, names in content[use].items() for name in names)
        for use in ("prod", "catalogue", "elsewhere", "benchmarks")
    )
    return Operations(
        prod, catalogue, elsewhere, benchmarks, content["unseen"], content["weighed"], content["never"]
    )


def guard(client: Any, environment: str, *, read_only: bool, catalogue: bool = False) -> None:
    """Make a boto3 client refuse calls that the suite may not send.

    `provide-client-params` is the first event of a call, before its parameters are validated. Presigning has this event
    alone. Paginators, waiters and retries make the calls that this allows.

    Args:
        client: a client of any session.
        environment: its name, for the message.
        read_only: whether only what `[prod]` lists may be sent.
        catalogue: whether what `[catalogue]` lists may be sent too.
    """
    known = operations()
    reads = known.prod | known.catalogue if catalogue else known.prod

    def refuse(model: Any, context: Mapping[str, Any], **_: Any) -> None:
        operation = f"{model.service_model.service_name}:{model.name}"
        if what := known.never.get(operation):
            raise Refused(
                f"{operation} was not sent: it hands out {what}; describe the resource instead, for {FILE.name} "
                "lets no environment have it"
            )
        if read_only and operation not in reads:
            raise Refused(
                f"'{environment}' is read-only: {operation} was not sent; run this item on staging. If the "
                f"operation changes, costs and reveals nothing, add it to [prod] of readiness/{FILE.name}",
                cause=f"'{environment}' is read-only",
            )
        if read_only and context.get("is_presign_request"):
            raise Refused(
                f"'{environment}' is read-only: {operation} was not signed, because every holder of a signed URL can use "
                "it, even with another method; call the operation itself",
                cause=f"'{environment}' is read-only",
            )

    client.meta.events.register_first("provide-client-params", refuse)

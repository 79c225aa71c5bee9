"""What each deployment took, kept beside the environment's reports: one JSON object a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_DISTRIBUTION = "AWS::CloudFront::Distribution"


def distributions(events: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Seconds that each distribution's change took, by logical id.

    Args:
        events: of one operation on a stack, newest first.
    """
    ended: dict[str, datetime] = {}
    taken: dict[str, float] = {}
    for event in events:
        if event.get("ResourceType") != _DISTRIBUTION:
            continue
        name, status = event["LogicalResourceId"], event["ResourceStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            ended[name] = event["Timestamp"]
        elif status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS") and name in ended:
            # Said twice, asked for and initiated: the older one comes last and counts.
            taken[name] = (ended[name] - event["Timestamp"]).total_seconds()
    return taken


def keep(file: Path, facts: Mapping[str, Any]) -> None:
    """Append one deployment; a line is written whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), **facts})
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)

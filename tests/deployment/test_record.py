"""How long a distribution's change took, of what CloudFormation tells."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from verification.deployment import record

BEGUN = datetime(2030, 1, 1, tzinfo=UTC)


def event(
    name: str, status: str, minutes: float, kind: str = "AWS::CloudFront::Distribution"
) -> dict[str, object]:
    return {
        "LogicalResourceId": name,
        "ResourceStatus": status,
        "ResourceType": kind,
        "Timestamp": BEGUN + timedelta(minutes=minutes),
    }


def test_counts_from_asking_to_deployed() -> None:
    told = [
        event("Site", "UPDATE_IN_PROGRESS", 9),
        event("Images", "UPDATE_COMPLETE", 5.5),
        event("Jobs", "UPDATE_COMPLETE", 3, "AWS::DynamoDB::Table"),
        event("Images", "UPDATE_IN_PROGRESS", 1.5),
        event("Images", "UPDATE_IN_PROGRESS", 1),
        event("Jobs", "UPDATE_IN_PROGRESS", 1, "AWS::DynamoDB::Table"),
    ]

    assert record.distributions(told) == {"Images": 270.0}


def test_one_line_a_deployment(tmp_path: Path) -> None:
    file = tmp_path / "reports" / "dev" / "deployments.jsonl"
    for stack in ("one", "two"):
        record.keep(file, {"stack": stack})

    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["stack"] for line in lines] == ["one", "two"]
    assert all(datetime.fromisoformat(line["at"]).tzinfo for line in lines)

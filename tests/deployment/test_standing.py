"""A stack in motion is waited for, with news of it, and only so long."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from readiness.errors import UsageProblem
from tests.answering import Answering
from verification.deployment import standing


class Formation:
    """A stack whose operation goes on while somebody waits; a deployment asks it as its target."""

    name, stack_name, region = "dev", "pixel-prompt-dev", "us-east-1"

    def __init__(
        self, *, ends_after_s: float, events: list[tuple[float, str, str]], template: str = ""
    ) -> None:
        self.now, self.said, self.template = 0.0, list[str](), template
        self.ends_after_s, self.events = ends_after_s, events
        resources = [
            {"LogicalResourceId": name, "PhysicalResourceId": f"the-{name}"} for name in ("Images", "Queue")
        ]
        self._answering = Answering(
            {
                "cloudformation:DescribeStacks": self._described,
                "cloudformation:DescribeStackEvents": self._listed,
                "cloudformation:GetTemplate": lambda _: {"TemplateBody": self.template},
                "cloudformation:ListStackResources": {"StackResourceSummaries": resources},
            }
        )

    def client(self, service: str) -> Any:
        return self._answering.client(service)

    def _described(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        status = "UPDATE_IN_PROGRESS" if self.now < self.ends_after_s else "UPDATE_COMPLETE"
        return {"Stacks": [{"StackName": asked["StackName"], "StackStatus": status}]}

    def _listed(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        told = [
            {"LogicalResourceId": name, "ResourceStatus": status}
            for at, name, status in self.events
            if at <= self.now
        ]
        return {"StackEvents": told[::-1]}

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, patience_s: float) -> standing.Standing:
        return standing.wait_until_idle(
            self, patience_s=patience_s, say=self.said.append, clock=lambda: self.now, pause=self.pause
        )


def test_waits_and_tells_what_is_new() -> None:
    formation = Formation(
        ends_after_s=80,
        events=[(0, "Jobs", "UPDATE_IN_PROGRESS"), (9, "Jobs", "UPDATE_COMPLETE")],
    )

    found = formation.wait(600)

    assert found.status == "UPDATE_COMPLETE"
    prefix = "stack 'pixel-prompt-dev' is UPDATE_IN_PROGRESS; waiting until the operation ends"
    assert formation.said == [
        f"{prefix} (0 s, last: Jobs UPDATE_IN_PROGRESS)",
        f"{prefix} (10 s, last: Jobs UPDATE_COMPLETE)",
        f"{prefix} (40 s, last: Jobs UPDATE_COMPLETE)",
        f"{prefix} (70 s, last: Jobs UPDATE_COMPLETE)",
    ]


def test_gives_up_when_patience_is_over() -> None:
    with pytest.raises(UsageProblem, match=r"is UPDATE_IN_PROGRESS: .*has not ended in 60 s"):
        Formation(ends_after_s=1e9, events=[]).wait(60)


@pytest.mark.parametrize(
    "template",
    [
        json.dumps({"Resources": {"Images": {"DeletionPolicy": "RetainExceptOnCreate"}, "Queue": {}}}),
        "Resources:\n  Images: {DeletionPolicy: Retain}\n  Queue: {DeletionPolicy: Delete}\n",
    ],
)
def test_names_what_a_deletion_leaves(template: str) -> None:
    formation = Formation(ends_after_s=0, events=[], template=template)

    assert standing.kept_by_deletion(formation) == ["Images: the-Images"]


@pytest.mark.parametrize(
    ("status", "moving", "exists", "is_empty"),
    [
        ("REVIEW_IN_PROGRESS", False, False, False),
        ("CREATE_IN_PROGRESS", True, True, False),
        ("ROLLBACK_IN_PROGRESS", True, True, False),
        ("ROLLBACK_COMPLETE", False, False, True),
        ("UPDATE_ROLLBACK_COMPLETE", False, True, False),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", True, True, False),
        (None, False, False, False),
    ],
)
def test_what_a_status_means(status: str | None, moving: bool, exists: bool, is_empty: bool) -> None:
    found = standing.Standing(status)

    assert (found.moving, found.exists, found.is_empty) == (moving, exists, is_empty)

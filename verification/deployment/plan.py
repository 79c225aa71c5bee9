"""What a deployment is about to do, shown before it does anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from readiness.environment import Environment
from verification.deployment.parameters import Parameters
from verification.deployment.standing import Standing


@dataclass(frozen=True)
class Plan:
    """Everything a person needs to say yes or no; no secret's value."""

    environment: str
    account: str
    region: str
    stack: str
    endpoint: str
    emulated: bool
    standing: Standing
    parameters: Parameters
    release: str
    page: str = "as it is (--frontend builds and publishes it)"
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        if self.standing.is_empty:
            action = (
                "delete, then create (now ROLLBACK_COMPLETE: its first creation was undone, nothing is in it)"
            )
        elif self.standing.exists:
            action = f"update (now {self.standing.status})"
        elif self.standing.status == "REVIEW_IN_PROGRESS":
            action = "create (now REVIEW_IN_PROGRESS: an earlier creation never began; it is replaced)"
        else:
            action = "create"
        facts = [
            ("environment", self.environment),
            ("release", self.release),
            ("account", self.account),
            ("region", self.region),
            ("stack", f"{self.stack}: {action}"),
            (
                "endpoint",
                f"{self.endpoint} (emulated)" if self.emulated else f"{self.endpoint} (real AWS)",
            ),
        ]
        facts.append(("page", self.page))
        rows = [(row.name, row.shown) for row in self.parameters.rows]
        width = max(len(name) for name, _ in facts + rows) + 2
        lines = ["Deployment plan"]
        lines += [f"  {name:<{width}}{shown}" for name, shown in facts]
        lines += [
            "Parameters",
            *(f"  {name:<{width}}{shown}".rstrip() for name, shown in rows),
        ]
        unset = [row.name for row in self.parameters.rows if row.shown == "unset"]
        if unset:
            lines.append(f"Without a key the models of these providers will fail: {', '.join(unset)}")
        lines += [f"Before it works: {note}" for note in self.notes]
        return "\n".join(lines)


@dataclass(frozen=True)
class Removal:
    """What deleting a stack is about to do."""

    environment: Environment
    standing: Standing
    kept: Sequence[str]

    def __str__(self) -> str:
        where = self.environment
        return "\n".join(
            [
                "Deletion plan",
                f"  account   {where.account_id}",
                f"  region    {where.region}{' (emulated)' if where.emulated else ' (real AWS)'}",
                f"  stack     {where.stack_name}: delete (now {self.standing.status})",
                "Kept, for the template retains them; delete them by hand when they are no longer needed"
                + (" (./scripts/cloud.sh down deletes the whole embedded AWS):" if where.emulated else ":"),
                *(f"  {each}" for each in self.kept or ["nothing"]),
            ]
        )

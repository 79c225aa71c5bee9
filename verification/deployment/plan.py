"""What a deployment is about to do, shown before it does anything."""

from __future__ import annotations

from dataclasses import dataclass

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
    page: str = "as it is (--frontend builds and publishes it)"

    def __str__(self) -> str:
        if self.standing.exists:
            action = f"update (now {self.standing.status})"
        elif self.standing.status == "REVIEW_IN_PROGRESS":
            action = "create (now REVIEW_IN_PROGRESS: an earlier creation never began; it is replaced)"
        else:
            action = "create"
        facts = [
            ("environment", self.environment),
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
        return "\n".join(lines)

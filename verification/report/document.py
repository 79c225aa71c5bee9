"""The report for machines."""

from __future__ import annotations

import json
from typing import Any

from verification import __version__
from verification.report.run import Run


def render(run: Run) -> str:
    """JSON with at least verdict, environment, emulated and items; see docs/ARCHITECTURE.md."""
    content: dict[str, Any] = {
        "version": 1,
        "suite": __version__,
        "verdict": str(run.verdict),
        "ok": run.verdict.ok,
        "environment": run.environment.name,
        "emulated": run.environment.emulated,
        "stack": run.environment.stack_name,
        "region": run.environment.region,
        "account": run.masked_account,
        "commit": run.commit,
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 3),
        "items": [
            {
                "id": result.item,
                "title": run.items[result.item].title,
                "section": run.items[result.item].section,
                "severity": run.items[result.item].severity,
                "outcome": result.outcome,
                "reason": result.reason,
                "gap": result.gap,
                "seconds": round(result.seconds, 3),
                "node": result.node,
                "evidence": result.evidence,
                "read": result.read,
            }
            for result in run.verdict.results
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

"""Every module that registers faults."""

from tests.faults import (
    account,
    browser,
    deployments,
    estate,
    jobs,
    limits,
    live,
    page,
    resilience,
    source,
    speed,
    tools,
    undeclared,
)
from tests.faults.fault import FAULTS

__all__ = [
    "FAULTS",
    "account",
    "browser",
    "deployments",
    "estate",
    "jobs",
    "limits",
    "live",
    "page",
    "resilience",
    "source",
    "speed",
    "tools",
    "undeclared",
]

"""Every module that registers faults."""

from tests.faults import (
    account,
    answers,
    browser,
    configuration,
    delivery,
    deployments,
    estate,
    infrastructure,
    jobs,
    limits,
    page,
    resilience,
    security,
    source,
    speed,
    tools,
    undeclared,
)
from tests.faults.fault import FAULTS

__all__ = [
    "FAULTS",
    "account",
    "answers",
    "browser",
    "configuration",
    "delivery",
    "deployments",
    "estate",
    "infrastructure",
    "jobs",
    "limits",
    "page",
    "resilience",
    "security",
    "source",
    "speed",
    "tools",
    "undeclared",
]

"""What an application's own checks may rely on. Semantic versioning of the distribution is about these names alone.

Fixtures, by their names: `env` (Environment), `graph` (Graph), `application` (Application), `evidence` (a dict that the
report shows). Markers: `item(id)`, the section's, and `static`, `active`, `drill`, `browser`, `paid` from the checklist.
"""

from readiness.application import Application
from readiness.catalogue.judging import every, findings
from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.environment import Environment
from readiness.errors import Denied, Missing, NotApplicable, Unverified
from readiness.probes.http import Answer, exchange

__all__ = [
    "Answer",
    "Application",
    "Denied",
    "Edge",
    "Environment",
    "Graph",
    "Missing",
    "NotApplicable",
    "Relation",
    "Resource",
    "Unverified",
    "every",
    "exchange",
    "findings",
]

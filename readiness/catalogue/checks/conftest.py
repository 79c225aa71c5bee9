"""What several modules of checks share; each resource is read once a run."""

from __future__ import annotations

import pytest

from readiness.catalogue.compute import Compute
from readiness.catalogue.declaration import Declarations
from readiness.catalogue.watching import Watching
from readiness.discovery.graph import Graph
from readiness.environment import Environment


@pytest.fixture(scope="session")
def compute(env: Environment, graph: Graph) -> Compute:
    """The stack's functions, and what starts them."""
    return Compute(env, graph)


@pytest.fixture(scope="session")
def watching(env: Environment, graph: Graph, compute: Compute) -> Watching:
    """The alarms and logs of what the stack has."""
    return Watching(env, graph, compute)


@pytest.fixture(scope="session")
def declared(compute: Compute) -> Declarations:
    """What the templates say."""
    return Declarations(compute.stacks)

"""What every check can ask for. Session-wide: a resource is read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from readiness.application import Application
from readiness.discovery import live
from readiness.discovery.graph import Graph
from readiness.environment import Environment
from readiness.judgement import Seen
from readiness.plugin import SEEN, Verification
from readiness.report.redaction import redact


@pytest.fixture(scope="session")
def verification(pytestconfig: pytest.Config) -> Verification:
    run = pytestconfig.pluginmanager.get_plugin("verification-run")
    assert isinstance(run, Verification)
    return run


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> dict[str, object]:
    """Return the dictionary for what a check reads, by name. The report shows it for every outcome."""
    return cast("pytest.Item", request.node).stash.setdefault(SEEN, Seen()).read


@pytest.fixture(scope="session")
def record_testsuite_property(
    record_testsuite_property: Callable[[str, object], None],
) -> Callable[[str, object], None]:
    """Pytest's own, which would write its values into the JUnit file as they are."""
    return lambda name, value: record_testsuite_property(name, redact(str(value)))


@pytest.fixture(scope="session")
def env(verification: Verification) -> Environment:
    """The environment that --env names."""
    return verification.environment


@pytest.fixture(scope="session")
def application(verification: Verification) -> Application:
    """The application that is verified; its files are those of `--app` where that is given."""
    return replace(
        verification.application,
        folder=verification.app,
        template=verification.template,
        samconfig=verification.app / verification.application.samconfig.relative_to(verification.home),
    )


@pytest.fixture(scope="session")
def graph(verification: Verification, env: Environment) -> Graph:
    """The stack's resources and how they belong together."""
    found = live.read(env)
    verification.keep_map(found)
    return found

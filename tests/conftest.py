"""What the suite's own tests share."""

from __future__ import annotations

import os
from itertools import chain

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]
# Its checks want a stack; embedded/test_second_app.py deploys one and runs them.
collect_ignore = ["second_app"]

# How long an example takes says something of the machine, nothing of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a test counted, for those who ask how much it looked at."""
    for report in chain.from_iterable(terminalreporter.stats.get(end, ()) for end in ("passed", "failed")):
        for name, value in report.user_properties:
            if name == "figure":
                terminalreporter.write_line(str(value))


@pytest.fixture(autouse=True, scope="session")
def _no_job_of_github() -> None:
    """A run within a test is none that GitHub should annotate or sum up."""
    for name in [name for name in os.environ if name.startswith("GITHUB_")]:
        del os.environ[name]


@pytest.fixture(autouse=True, scope="session")
def _no_aws_of_this_machine() -> None:
    """No test may depend on, or reach, whatever account this machine is signed in to."""
    for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
        del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull

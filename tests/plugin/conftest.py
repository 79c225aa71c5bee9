"""The small project, run in this process or by workers of its own."""

from __future__ import annotations

import pytest

from tests.plugin.project import Project
from verification.application import ROOT


@pytest.fixture
def project(pytester, monkeypatch):
    return Project(pytester, monkeypatch)


ON_WORKERS = """
from pathlib import Path

import boto3
from readiness import environment
from readiness.environment import Environment, Settings


def connect(application, name, **_):
    found = Environment(Settings(name, "some-stack", "us-east-1"), boto3.Session("a", "b", region_name="us-east-1"))
    vars(found).update(emulated=True, account_id="123456789012", preflight=bool, require_stack=bool)
    return found


environment.connect = connect
"""


@pytest.fixture
def spread(project, monkeypatch):
    """The same project, run by two workers, which are processes of their own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    project.pytester.makeconftest(ON_WORKERS.format(root=str(project.root)))
    project.pytester.runpytest_inprocess = project.pytester.runpytest_subprocess
    return project

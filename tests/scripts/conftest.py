"""Fixtures for tests that run the real scripts against stub commands and a fake AWS."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.cloudformation import FakeApi, FakeAws, serving, write_certificate
from tests.scripts.project import Ended, Here, Project
from verification.deployment.__main__ import main


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    write_certificate(path)
    return path


@pytest.fixture
def project(tmp_path: Path, certificate: Path) -> Iterator[Project]:
    """A checkout of its own, whose AWS holds no stack yet and whose deployment would succeed."""
    aws, api = FakeAws(), FakeApi(certificate)
    with serving(aws, api):
        made = Project(tmp_path / "checkout", aws, api, certificate)
        aws.after_deploy = made.deployed
        yield made


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Here:
    """Runs deploy.sh's command line in this process, which saves an interpreter's start a test."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    for name, value in project.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{project.stubs}:{os.environ['PATH']}")

    def run(*arguments: str, **variables: str) -> Ended:
        started = time.monotonic()
        with monkeypatch.context() as changed:
            for name, value in variables.items():
                changed.setenv(name, value)
            status = main(["deploy", *arguments], root=project.root)
        out, err = capfd.readouterr()
        return Ended(status, out, err, time.monotonic() - started)

    return run

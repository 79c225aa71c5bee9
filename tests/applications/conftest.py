"""One virtual environment with the wheel for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.applications import trial


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a virtual environment that holds the wheel and what it needs."""
    return trial.install(tmp_path_factory.mktemp("wheel"))

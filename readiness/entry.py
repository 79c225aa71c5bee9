"""What an installed wheel adds to every pytest run: nothing, unless the run is about an application that says so.

Its options are generic words such as --env, which the options of another project's own conftest.py may be called too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

_DESCRIBES = (
    "readiness.toml",
    "PRODUCTION_CHECKLIST.md",
)  # see readiness/application.py, which takes long to import


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the engine where the working directory, or a folder above it, describes an application."""
    here = Path.cwd()
    if any((folder / name).is_file() for folder in (here, *here.parents) for name in _DESCRIBES):
        pluginmanager.import_plugin("readiness.fixtures")
        pluginmanager.import_plugin("readiness.plugin")

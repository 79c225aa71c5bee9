"""Loads the suite's hooks and fixtures; `pytest verification --env staging` starts here."""

pytest_plugins = [
    "readiness.plugin",
    "readiness.fixtures",
    "verification.fixtures",
    "benchmarks.load_options",
]

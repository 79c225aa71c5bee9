"""Loads the suite's hooks and fixtures; `pytest verification --env staging` starts here."""

pytest_plugins = ["verification.plugin", "verification.fixtures", "benchmarks.load_options"]

# ruff: noqa: INP001, PLW1510
"""Tests and deploys."""

import subprocess
import sys

if __name__ == "__main__":
    subprocess.run([sys.executable, "-m", "pytest", "tests"])
    subprocess.run(["sam", "deploy"], check=False)

# ruff: noqa: INP001
"""Tests and deploys."""

import subprocess
import sys

if __name__ == "__main__":
    subprocess.run([sys.executable, "-m", "pytest", "tests"], check=True)
    sys.exit(subprocess.run(["sam", "deploy"], check=False).returncode)

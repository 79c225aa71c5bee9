"""The page, built from its source as a deployment builds it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from readiness.errors import Unverified
from readiness.probes import process

# The addresses that a build wants, where no deployment has written any yet; they lead nowhere.
ADDRESSES = {
    "VITE_API_ENDPOINT": "https://api.example",
    "VITE_CLOUDFRONT_DOMAIN": "images.example",
    "VITE_ENVIRONMENT": "dev",
}
_DEADLINE = timedelta(minutes=2)


def build(frontend: Path, dist: Path, variables: Mapping[str, str]) -> None:
    """Build `frontend` into `dist`. The same source, packages and variables give the same bytes in any folder.

    Raises:
        Unverified: there is no build tool, or it made no page.
    """
    tool = frontend / "node_modules" / ".bin" / "vite"
    if not tool.exists():
        raise Unverified("vite is not installed in frontend/node_modules; run ./scripts/setup.sh")
    command = [str(tool), "build", "--outDir", str(dist), "--emptyOutDir", "--logLevel", "error"]
    done = process.run(command, folder=frontend, deadline=_DEADLINE, variables=variables)
    if done.returncode or not (dist / "index.html").is_file():
        said = " | ".join(line.strip() for line in done.stderr.splitlines() if line.strip())[:400]
        raise Unverified(f"the frontend cannot be built (exit status {done.returncode}): {said}")

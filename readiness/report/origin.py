"""Who runs the verification, and where its code can be read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Author:
    """Who started the run: the actor of a CI job, or the user that git knows."""

    kind: Literal["CI actor", "git user", "unknown"]
    name: str
    url: str = ""
    """The CI job's page."""

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})" if self.name else self.kind


def author(folder: Path, variables: Mapping[str, str] = os.environ) -> Author:
    """GitHub's actor where GitHub runs the job, else who git says would commit in the folder."""
    if variables.get("GITHUB_ACTIONS") == "true" and (actor := variables.get("GITHUB_ACTOR")):
        server, repository, run = (
            variables.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")
        )
        whole = bool(server and repository and run)
        return Author("CI actor", actor, f"{server}/{repository}/actions/runs/{run}" if whole else "")
    if name := git(folder, "config", "user.name"):
        return Author("git user", name)
    return Author("unknown", "")


def code_address(folder: Path, variables: Mapping[str, str] = os.environ) -> str:
    """Where GitHub shows this commit's files, without the file; empty when it is not known to have them."""
    if variables.get("GITHUB_ACTIONS") != "true":
        return ""
    server, repository = variables.get("GITHUB_SERVER_URL", ""), variables.get("GITHUB_REPOSITORY", "")
    commit = git(folder, "rev-parse", "HEAD")
    return f"{server}/{repository}/blob/{commit}" if server and repository and commit else ""


def commit(folder: Path) -> str:
    """The commit of a checkout, '+' when the tree differs from it, '' without git."""
    return git(folder, "describe", "--always", "--dirty=+", "--abbrev=12", "--match=")


def git(folder: Path, *arguments: str) -> str:
    """One line of git's, empty when there is none, or no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",  # a name may be in any encoding
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip()

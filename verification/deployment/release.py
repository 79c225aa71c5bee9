"""Which commit is deployed: named in the plan, tagged on request, brought back from a tag."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from readiness.errors import UsageProblem

_VERSION = re.compile(r"v?(\d+\.\d+\.\d+)")
_SUGGESTED = 5


@dataclass(frozen=True)
class Tag:
    """A name for the commit that is deployed; later commits do not change it."""

    name: str
    app: Path
    commit: str

    @classmethod
    def wanted(cls, environment: str, version: str, app: Path) -> Tag:
        """The tag to be made, once nothing is in its way.

        Args:
            environment: where the commit is deployed.
            version: X.Y.Z.
            app: the checkout.

        Raises:
            UsageProblem: no version, no git, something uncommitted, or the tag names another commit.
        """
        number = _VERSION.fullmatch(version)
        if not number:
            raise UsageProblem(f"--tag needs a version such as 1.4.0, found '{version}'")
        commit = _git(app, "rev-parse", "--verify", "--quiet", "HEAD")
        if commit is None:
            raise UsageProblem(f"{app} is no git checkout with a commit, so nothing can be tagged in it")
        tag = cls(f"v{number[1]}" if environment == "prod" else f"{environment}-v{number[1]}", app, commit)
        changed = _git(app, "status", "--porcelain")
        if changed:
            raise UsageProblem(
                f"{app} holds what is in no commit ({', '.join(line[3:] for line in changed.splitlines()[:3])}), so the tag "
                f"'{tag.name}' would name something else than what is deployed; commit it or take it away"
            )
        if tag._named() not in (None, commit):
            raise UsageProblem(
                f"the tag '{tag.name}' names another commit already ({tag._named()}); a tag is never moved: take the next number"
            )
        return tag

    def _named(self) -> str | None:
        return _git(self.app, "rev-parse", "--verify", "--quiet", f"refs/tags/{self.name}^{{commit}}")

    def make(self, message: str) -> None:
        """Make it, unless it is there.

        Raises:
            UsageProblem: git would not, in its words.
        """
        if self._named() is None:
            _do(self.app, "tag", "--annotate", "--message", message, self.name, self.commit)


def described(app: Path) -> str:
    """The checkout's commit in people's words."""
    words = _git(app, "describe", "--tags", "--always", "--dirty=, with changes that are in no commit")
    return words or "unknown (no git checkout)"


def checked_out(tag: str, repository: Path, folder: Path) -> Path:
    """A worktree that holds exactly the release which a tag names. It is kept, so that it can be verified.

    Args:
        tag: its name.
        repository: the checkout that knows it.
        folder: where worktrees of releases lie.

    Raises:
        UsageProblem: there is no such tag, or git would not check it out.
    """
    commit = (
        None
        if tag.startswith("-")
        else _git(repository, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    )
    if commit is None:
        tags = (_git(repository, "tag", "--list", "--sort=-creatordate") or "").splitlines()[:_SUGGESTED]
        raise UsageProblem(
            f"there is no tag '{tag}' here (newest: {', '.join(tags) or 'none'}); look with git tag --list, or fetch them: "
            "git fetch --tags"
        )
    worktree = folder / commit[:12]
    # After a kill it is incomplete. After a change by hand it is no release any more.
    whole = _git(worktree, "rev-parse", "HEAD") == commit and not _git(worktree, "status", "--porcelain")
    if not (worktree.is_dir() and whole):
        _git(repository, "worktree", "remove", "--force", "--force", str(worktree))
        _do(repository, "worktree", "prune")
        _do(repository, "worktree", "add", "--quiet", "--force", "--detach", str(worktree), commit)
    return worktree


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; nothing when it is not there, or fails."""
    try:
        done = _run(folder, arguments)
    except OSError:
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def _do(folder: Path, *arguments: str) -> None:
    try:
        done = _run(folder, arguments)
    except OSError as problem:
        raise UsageProblem(f"git cannot be run ({problem}); install it") from problem
    if done.returncode:
        raise UsageProblem(f"git {arguments[0]} ended with {done.returncode}: {done.stderr.strip()}")


def _run(folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )

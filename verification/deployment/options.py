"""What the command line asks for, and what is wrong with it before a deployment begins."""

from __future__ import annotations

import hashlib
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from readiness.environment import Environment
from readiness.errors import UsageProblem
from verification.application import ROOT, connect, settings
from verification.deployment import console


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    environment: str
    yes: bool = False
    dry_run: bool = False
    frontend: bool = False
    cloud: str | None = None
    app: Path = ROOT
    root: Path = ROOT
    rollback: str | None = None
    tag: str | None = None
    health_deadline_s: float = 60.0
    # A distribution takes up to 15 minutes, and so does its removal in a rollback.
    patience_s: float = 2700.0
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def backend(self) -> Path:
        """The template, its parameters and the functions' source."""
        return self.app / "backend"

    @property
    def page(self) -> Path:
        """The page's source."""
        return self.app / "frontend"

    @property
    def dotenv(self) -> Path:
        """The file that gives the page the deployment's addresses; a rollback writes the one of the current checkout."""
        return (self.root if self.rollback else self.app) / "frontend" / ".env"

    @property
    def private(self) -> Path:
        """Locks and key file of one checkout: mode 700, under the git-ignored .local."""
        at = self.root if self.rollback else self.app
        checkout = hashlib.sha256(str(at.resolve()).encode()).hexdigest()[:12]
        return self.root / ".local" / ".deployment" / checkout

    @property
    def releases(self) -> Path:
        """Worktrees of the releases that were rolled back to."""
        return self.root / ".local" / ".deployment" / "releases"

    @property
    def command(self) -> str:
        """What to type to do the same again."""
        words = ["./scripts/deploy.sh", self.environment]
        words += ["--cloud", self.cloud] if self.cloud else []
        words += ["--rollback", self.rollback] if self.rollback else []
        words += ["--app", str(self.app)] if self.app != self.root and not self.rollback else []
        words += ["--tag", self.tag] if self.tag else []
        words += [word for each in self.parameters.items() for word in ("--parameter", "=".join(each))]
        return shlex.join(words)

    @property
    def cloud_directory(self) -> Path | None:
        """The embedded AWS this environment lives on, if it does."""
        name = settings(self.environment, self.root).cloud
        return self.root / ".local" / (self.cloud or name) if name else None

    def check(self) -> None:
        """Refuse what is wrong with the arguments or this machine, before anything is asked of a network.

        Raises:
            UsageProblem: an argument, the environment's name, a file or a tool.
        """
        settings(self.environment, self.root)
        for file in ("template.yaml", "samconfig.toml"):
            if not (self.backend / file).is_file():
                raise UsageProblem(
                    f"{self.backend / file} is not there; run from a checkout of the application, or name one: --app DIR"
                )
        if not (self.app / "frontend").is_dir():
            raise UsageProblem(
                f"{self.app / 'frontend'} is not there, so its .env cannot be written; name a checkout: --app DIR"
            )
        if shutil.which("sam") is None:
            raise UsageProblem("'sam' is not installed; run ./scripts/setup.sh")
        if self.frontend:
            self._check_frontend()
        if not (self.yes or self.dry_run):
            console.require_terminal()

    def _check_frontend(self) -> None:
        if shutil.which("npm") is None:
            raise UsageProblem("'npm' is not installed, so the page cannot be built; run ./scripts/setup.sh")
        # A release of another day gets its own packages.
        for needed in ("package.json",) if self.rollback else ("package.json", "node_modules"):
            if not (self.page / needed).exists():
                raise UsageProblem(
                    f"{self.page / needed} is not there, so the page cannot be built; run that checkout's ./scripts/setup.sh"
                )

    def connected(self) -> Environment:
        """Return the environment, once its account, region and stack's name are known to be right.

        Raises:
            UsageProblem: the environment cannot be reached.
        """
        environment = connect(self.environment, cloud=self.cloud, root=self.root)
        environment.preflight()
        return environment

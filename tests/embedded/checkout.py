"""A checkout of this project in a temporary folder, with which the embedded AWS is deployed to as people do it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from verification.embedded.cloud import Cloud, State

REPOSITORY = Path(__file__).resolve().parents[2]
STACK = "pixel-prompt-staging"
# What the set-up brought, which is not copied.
_BROUGHT = (".venv", ".tools", "frontend/node_modules")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True)
class Checkout:
    """The files, and the embedded AWS that staging is rehearsed on."""

    root: Path
    state: State

    @property
    def dotenv(self) -> Path:
        return self.root / "frontend" / ".env"

    @property
    def plain(self) -> dict[str, str]:
        """The environment of a person who has pointed nothing anywhere."""
        # The last one is how a network with an authority of its own lets npm reach its registry.
        kept = ("PATH", "HOME", "LANG", "TMPDIR", "CHROME_PATH", "NODE_EXTRA_CA_CERTS")
        return {name: os.environ[name] for name in kept if name in os.environ}

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a person who has typed `eval "$(./scripts/cloud.sh env)"`."""
        return self.plain | self.state.environment()

    def typed(self, commands: str, deadline_s: float = 900) -> Ended:
        """Lines as they stand in a document, the suite's tools on PATH."""
        variables = {**self.plain, "PATH": f"{self.root / '.venv/bin'}:{os.environ['PATH']}"}
        return self.run("bash", "-uc", commands, deadline_s=deadline_s, variables=variables)

    def client(self, service: str) -> Any:
        session = boto3.Session(
            self.state.access_key_id, self.state.secret_access_key, region_name=self.state.region
        )
        return session.client(service, endpoint_url=self.state.endpoint, verify=self.state.ca_bundle)

    def run(
        self,
        *command: str,
        deadline_s: float = 300,
        folder: str = ".",
        variables: dict[str, str] | None = None,
    ) -> Ended:
        started = time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.root / folder,
            env=self.variables if variables is None else variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=deadline_s,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - started)

    def deploy(self, *arguments: str) -> Ended:
        return self.run("./scripts/deploy.sh", "staging", "--yes", *arguments)

    def stack(self) -> dict[str, Any]:
        """What CloudFormation says of the stack; nothing when there is none."""
        client = self.client("cloudformation")
        try:
            found: dict[str, Any] = client.describe_stacks(StackName=STACK)["Stacks"][0]
        except client.exceptions.ClientError:
            return {}
        return found

    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.stack().get("Outputs", [])}


@contextmanager
def checkout(folder: Path, name: str) -> Iterator[Checkout]:
    """This repository as it lies here, committed or not, beside an embedded AWS of its own."""
    listed = subprocess.run(
        ["git", "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for path in filter(None, listed.split("\0")):
        if (REPOSITORY / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / path, folder / path)
    for path in _BROUGHT:
        (folder / path).symlink_to(REPOSITORY / path)
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    # .gitignore names folders, and these are links.
    (folder / ".git" / "info" / "exclude").write_text("".join(f"/{path}\n" for path in _BROUGHT))
    for words in (["add", "--all"], [*identity, "commit", "--quiet", "--message", "As it lies here"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    cloud = Cloud(f"{name}-{os.getpid()}")
    try:
        yield Checkout(folder, cloud.up(owned_by=os.getpid()).state)
    finally:
        cloud.down()

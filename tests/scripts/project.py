"""A checkout in a temporary folder: the real scripts and deployment code, a small application, stub commands."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.scripts.cloudformation import FakeApi, FakeAws, FakeStack

REPOSITORY = Path(__file__).resolve().parents[2]
STUB = Path(__file__).with_name("stub.py")

TEMPLATE = """\
Parameters:
  Environment: { Type: String }
  AlarmEmail: { Type: String, Default: "" }
  OpenAiApiKey: { Type: String, NoEcho: true, Default: "" }
  GoogleApiKey: { Type: String, NoEcho: true, Default: "" }
  BflApiKey: { Type: String, NoEcho: true, Default: "" }
  RecraftApiKey: { Type: String, NoEcho: true, Default: "" }
  StabilityApiKey: { Type: String, NoEcho: true, Default: "" }
Resources:
  ApiFunction: { Type: "AWS::Serverless::Function", Properties: { Role: !GetAtt Role.Arn } }
"""
SAMCONFIG = """\
version = 0.1
[dev.deploy.parameters]
stack_name = "pixel-prompt-dev"
parameter_overrides = ["Environment=dev"]
[prod.deploy.parameters]
stack_name = "pixel-prompt-prod"
parameter_overrides = "Environment=prod"
[local.deploy.parameters]
stack_name = "pixel-prompt-local"
parameter_overrides = "Environment=local"
"""
# What deployment code imports; the whole package would be copied for every test.
_NEEDED = (
    "readiness",
    "verification/__init__.py",
    "verification/application.py",
    "verification/deployment",
    "verification/embedded/__init__.py",
    "verification/embedded/server/__init__.py",
    "verification/embedded/server/providers",
    "readiness.toml",
    "environments.toml",
)
# None of the machine's own settings may reach a test, least of all its credentials.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Ended:
    """How a script ended."""

    status: int
    out: str
    err: str
    seconds: float


class Here(Protocol):
    """The command line of deploy.sh, run in the test's own process."""

    def __call__(self, *arguments: str, **variables: str) -> Ended: ...


class Project:
    """The checkout, its stubs and the fake AWS they talk to."""

    def __init__(self, root: Path, aws: FakeAws, api: FakeApi, ca_bundle: Path) -> None:
        self.root, self.aws, self.api, self.ca_bundle = root, aws, api, ca_bundle
        self.stubs = root / ".tools" / "bin"
        shutil.copytree(REPOSITORY / "scripts", root / "scripts")
        for part in _NEEDED:
            target = root / part
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (REPOSITORY / part).is_dir() else shutil.copy
            copy(REPOSITORY / part, target)
        (root / ".venv").symlink_to(REPOSITORY / ".venv")
        (root / "backend" / "src" / "pixel_prompt").mkdir(parents=True)
        (root / "backend" / "template.yaml").write_text(TEMPLATE)
        (root / "backend" / "samconfig.toml").write_text(SAMCONFIG)
        (root / "backend" / "src" / "pixel_prompt" / "api.py").write_text("answer = 42\n")
        (root / "frontend").mkdir()
        self.stub("sam", self.stubs)
        self.variables = {name: os.environ[name] for name in _KEPT if name in os.environ} | {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "the-access-key-id",
            "AWS_SECRET_ACCESS_KEY": "secret-access-key",
            "AWS_CA_BUNDLE": str(ca_bundle),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.env_file = root / "frontend" / ".env"

    @property
    def deployed(self) -> FakeStack:
        """The stack as a successful deployment leaves it."""
        return FakeStack(
            "CREATE_COMPLETE",
            outputs={
                "ApiEndpoint": self.api.url,
                "S3BucketName": "pixel-prompt-images",
                "CloudFrontDomain": "d111111abcdef8.cloudfront.net",
            },
            parameters={"Environment": "dev", "OpenAiApiKey": "****"},
        )

    def stub(self, name: str, directory: Path) -> None:
        """Put the stub in the place of a command."""
        directory.mkdir(parents=True, exist_ok=True)
        target = directory / name
        target.unlink(missing_ok=True)
        target.write_text(f"#!{sys.executable} -SE\n{STUB.read_text()}")
        target.chmod(0o755)

    def behave(self, directory: Path, told: dict[str, dict[str, Any]]) -> None:
        """Tell the stubs in a folder how to end, by the call's name."""
        (directory / "stub.json").write_text(json.dumps(told))

    def calls(self, name: str = "", directory: Path | None = None) -> list[dict[str, Any]]:
        """How the stubs were called, in order."""
        log = (directory or self.stubs) / "calls.jsonl"
        if not log.exists():
            return []
        every = [json.loads(line) for line in log.read_text().splitlines()]
        return [call for call in every if call["name"].startswith(name)]

    def run(self, script: str, *arguments: str, **variables: str) -> Ended:
        started = time.monotonic()
        ended = subprocess.run(
            [str(self.root / "scripts" / script), *arguments],
            cwd=self.root,
            env=self.variables | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr, time.monotonic() - started)

    def start(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.root / "scripts" / script), *arguments],
            cwd=self.root,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_call(self, name: str) -> dict[str, Any]:
        """The stub's call, once it has been made."""
        end = time.monotonic() + 15
        while time.monotonic() < end:
            found = self.calls(name)
            if found:
                return found[0]
            time.sleep(0.05)
        raise AssertionError(f"'{name}' was not called; calls: {[call['name'] for call in self.calls()]}")

    def left_behind(self) -> list[str]:
        """Lock, key and temporary files that a deployment must not leave."""
        private = [
            path
            for path in (self.root / ".local" / ".deployment").glob("*/*")
            if path.name != "provider-keys.json"
        ]
        temporary = list((self.root / "frontend").glob(".env.*"))
        return sorted(str(path) for path in private + temporary)


def alive(pid: int) -> bool:
    """Whether the process still runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.strip()[:1] not in ("", "Z")


def end(process: subprocess.Popen[str], signum: signal.Signals) -> Ended:
    """Send one signal to the script and wait for its end."""
    started = time.monotonic()
    process.send_signal(signum)
    out, err = process.communicate(timeout=15)
    return Ended(process.returncode, out, err, time.monotonic() - started)

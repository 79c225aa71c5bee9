"""Verifies the applications of this folder, good and with their planted defects, by the wheel in a place of its own.

Each is copied out of the repository, deployed by the plain SAM CLI to the embedded AWS, and verified by `verify-stack`
of a virtual environment that holds the wheel and nothing of this repository.
`python -m tests.applications` prints the whole table.
"""

from __future__ import annotations

import json
import mimetypes
import os
import shutil
import subprocess
import time
import tomllib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from readiness import samconfig
from verification.application import ROOT
from verification.embedded.cloud import Cloud, State

HERE = ROOT / "tests" / "applications"
FOLDERS = {
    "guest book": ROOT / "tests" / "second_app",
    "REST API": HERE / "rest_api",
    "pipeline": HERE / "pipeline",
    "site": HERE / "site",
}
# What belongs to this repository, and an application of somebody else would not have.
_OURS = (
    "checks",
    "environments.toml",
    "readiness.toml",
    "PRODUCTION_CHECKLIST.md",
    "guest_book.py",
    "defects.toml",
)
_UNWANTED = ("PYTHON", "AWS_", "SAM_", "PYTEST_", "GITHUB_", "VIRTUAL_ENV", "COV_")
_DEADLINE_SECONDS = 400
_UV = [str(ROOT / ".tools" / "uv" / "bin" / "uv")]
_PYTHON = str(ROOT / ".venv" / "bin" / "python")


@dataclass(frozen=True)
class Defect:
    """A change that somebody careless could make.

    Args:
        id: short and unique within its application.
        what: what is wrong, and what it does to users.
        names: what a finding about it should mention.
        edits: file, text that occurs once, and what replaces it.
    """

    id: str
    what: str
    names: str
    edits: Sequence[Mapping[str, str]]


def defects(name: str) -> Sequence[Defect]:
    """The planted defects of an application."""
    file = FOLDERS[name] / "defects.toml"
    planted = tomllib.loads(file.read_text(encoding="utf-8"))["defect"]
    return [Defect(one["id"], one["what"], one["names"], one["edit"]) for one in planted]


def copy(name: str, folder: Path, *defects: Defect) -> Path:
    """The application in a folder outside the repository, with the defects that are given."""
    ignored = shutil.ignore_patterns(*_OURS, "__pycache__", ".aws-sam", ".local", "reports", ".readiness")
    shutil.copytree(FOLDERS[name], folder, ignore=ignored)
    for edit in (edit for defect in defects for edit in defect.edits):
        file = folder / edit["file"]
        text = file.read_text(encoding="utf-8")
        assert text.count(edit["find"]) == 1, (
            f"{edit['file']}: {edit['find']!r} occurs {text.count(edit['find'])} times"
        )
        file.write_text(text.replace(edit["find"], edit["replace"]), encoding="utf-8")
    return folder


def variables(state: State) -> dict[str, str]:
    """A shell that uses the embedded AWS and knows nothing of this repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}
    return kept | {
        "AWS_ENDPOINT_URL": state.endpoint,
        "AWS_CA_BUNDLE": state.ca_bundle,
        "AWS_ACCESS_KEY_ID": state.access_key_id,
        "AWS_SECRET_ACCESS_KEY": state.secret_access_key,
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_POLL_DELAY": "0.5",
        "SAM_CLI_TELEMETRY": "0",
    }


@contextmanager
def cloud() -> Iterator[State]:
    """An embedded AWS of its own."""
    mine = Cloud(f"trial-{os.getpid()}-{uuid.uuid4().hex[:6]}")
    try:
        yield mine.up(owned_by=os.getpid()).state
    finally:
        mine.down()


def deploy(state: State, folder: Path) -> None:
    """`sam build`, `sam deploy`, and the page into its bucket where there is one."""
    for words in (["build"], ["deploy", "--config-env", "local", "--no-progressbar"]):
        done = run([str(ROOT / ".tools" / "bin" / "sam"), *words], folder, variables(state))
        assert done.returncode == 0, f"sam {words[0]}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    if (folder / "site").is_dir():
        _publish(state, folder)


def stack_name(folder: Path) -> str:
    """The stack that `sam deploy --config-env local` makes."""
    return str(samconfig.deployment(folder / "samconfig.toml", "local")["stack_name"])


def _publish(state: State, folder: Path) -> None:
    clients: Any = boto3.Session(state.access_key_id, state.secret_access_key, region_name="us-east-1")
    options = {"endpoint_url": state.endpoint, "verify": state.ca_bundle}
    formation = clients.client("cloudformation", **options)
    described = formation.describe_stacks(StackName=stack_name(folder))["Stacks"][0]
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in described["Outputs"]}
    config = json.dumps({"region": "us-east-1", "clientId": outputs["PageClientId"]}).encode()
    files = {file.name: file.read_bytes() for file in (folder / "site").iterdir()} | {"config.json": config}
    for name, content in files.items():
        clients.client("s3", **options).put_object(
            Bucket=outputs["SiteBucketName"],
            Key=name,
            Body=content,
            ContentType=mimetypes.guess_type(name)[0] or "application/octet-stream",
            CacheControl="no-cache",
        )


@dataclass(frozen=True)
class Verified:
    """How a run of verify-stack ended."""

    status: int
    seconds: float
    report: Mapping[str, Any]
    terminal: str

    def ended(self, outcome: str) -> Sequence[str]:
        """The items with an outcome."""
        return [item["id"] for item in self.report["items"] if item["outcome"] == outcome]

    def findings(self) -> str:
        """What the failed items say, as one text."""
        failed = [item for item in self.report["items"] if item["outcome"] == "fail"]
        return "\n".join(f"{item['id']} {item['reason']} {json.dumps(item['findings'])}" for item in failed)


def verify(python: Path, state: State, folder: Path, *arguments: str) -> Verified:
    """Run verify-stack of a virtual environment in the application's folder."""
    started = time.monotonic()
    done = run([str(python.parent / "verify-stack"), "--env", "local", *arguments], folder, variables(state))
    seconds = time.monotonic() - started
    terminal = f"{done.stdout}\n{done.stderr}"
    report = folder / "reports" / "local" / "verification.json"
    assert report.is_file(), terminal[-4000:]
    return Verified(done.returncode, seconds, json.loads(report.read_bytes()), terminal)


def build(folder: Path) -> Path:
    """Build the wheel of this checkout."""
    build = [*_UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", _PYTHON]
    _must([*build, "--out-dir", str(folder), str(ROOT)], folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def virtual_environment(folder: Path, *, seed: bool = False) -> Path:
    """An empty virtual environment; with `seed` it has pip."""
    _must([*_UV, "venv", "--quiet", *(["--seed"] * seed), "--python", _PYTHON, str(folder / "venv")], folder)
    return folder / "venv"


def install(folder: Path) -> Path:
    """A virtual environment with the wheel of this checkout and its extra for static items; its Python."""
    wheel, python = build(folder), virtual_environment(folder) / "bin" / "python"
    _must([*_UV, "pip", "install", "--quiet", "--python", str(python), f"{wheel}[static]"], folder)
    return python


def install_into(folder: Path, requirement: str) -> None:
    """A virtual environment that is this folder, with one package and what it needs."""
    _must([*_UV, "venv", "--quiet", "--python", _PYTHON, str(folder)], ROOT)
    _must([*_UV, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), requirement], ROOT)


def _must(command: Sequence[str], folder: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}
    done = run(command, folder, kept)
    assert done.returncode == 0, done.stderr


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, within some minutes."""
    return subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_DEADLINE_SECONDS,
    )

"""Prowler on an embedded AWS: brought at the version of ./scripts/cross-examine.sh, asked, and read.

The tool reads a live stack. Its findings about the rest of the account are counted apart.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import boto3

from scripts.cross_examination import answers
from scripts.cross_examination.scene import Scene
from tests.applications import trial
from verification.application import ROOT
from verification.embedded.cloud import State

# What the read-only items of the catalogue judge, in Prowler's words.
SERVICES = (
    *("apigateway", "apigatewayv2", "awslambda", "cloudformation", "cloudfront", "cloudwatch", "cognito"),
    *("dynamodb", "eventbridge", "iam", "kinesis", "kms", "s3", "secretsmanager", "sns", "sqs", "ssm"),
    "stepfunctions",
)
_BROUGHT = ROOT / ".local" / "cross-examination" / "prowler"
_DEADLINE_SECONDS = 600


def scene(state: State, stack: str) -> Scene:
    """Which resource of a stack is whose, nested stacks included."""
    session = boto3.Session(state.access_key_id, state.secret_access_key, region_name=state.region)
    client = session.client("cloudformation", endpoint_url=state.endpoint, verify=state.ca_bundle)

    def of(stack: str, prefix: str) -> Iterator[tuple[str, str]]:
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack):
            for one in page["StackResourceSummaries"]:
                name = f"{prefix}{one['LogicalResourceId']}"
                yield name, one.get("PhysicalResourceId", "")
                if one["ResourceType"] == "AWS::CloudFormation::Stack":
                    yield from of(one["PhysicalResourceId"], f"{name}/")

    whole = client.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
    return Scene("local", stack, emulated=True, resources={"the stack": whole, **dict(of(stack, ""))})


def bring() -> tuple[Path, str]:
    """Prowler in the place where ./scripts/cross-examine.sh keeps it, installed if it is not there; and its version."""
    script = (ROOT / "scripts" / "cross-examine.sh").read_text(encoding="utf-8")
    (version,) = re.findall(r"^PROWLER=(\S+)$", script, re.MULTILINE)
    stamp = _BROUGHT / ".version"
    if not stamp.is_file() or stamp.read_text() != version:
        shutil.rmtree(_BROUGHT, ignore_errors=True)
        trial.install_into(_BROUGHT, f"prowler=={version}")
        stamp.write_text(version)
    return _BROUGHT / "bin" / "prowler", version


def ask(prowler: Path, version: str, state: State, folder: Path, services: Sequence[str] = SERVICES) -> float:
    """Run Prowler on an embedded AWS and return the seconds; its files stay in the folder, for `read`."""
    command = [str(prowler), "aws", "--region", state.region, "--services", *services]
    command += ["--output-formats", "json-ocsf", "--output-directory", str(folder), "--output-filename"]
    command += ["prowler", "--log-level", "ERROR", "--log-file", str(folder / "prowler.log")]
    started = time.monotonic()
    done = subprocess.run(
        [*command, "--ignore-exit-code-3", "--no-banner"],
        cwd=folder,
        env=trial.variables(state),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_DEADLINE_SECONDS,
    )
    seconds = time.monotonic() - started
    for suffix, text in {
        "out": done.stdout,
        "err": done.stderr,
        "status": str(done.returncode),
        "seconds": f"{seconds:.1f}",
        "version": version,
    }.items():
        (folder / f"prowler.{suffix}").write_text(text, encoding="utf-8")
    return seconds


def read(folder: Path, stack: Scene, services: Collection[str]) -> answers.Answer:
    """What Prowler said of a stack.

    Args:
        folder: where `ask` left its files.
        stack: which resource is whose.
        services: those about which it must have said something.

    Raises:
        UsageProblem: it did not run, or looked at nothing of the stack.
    """
    (answer,) = answers.read(folder, stack, services, tools=("prowler",))
    return answer


def unasked(log: Path) -> Sequence[str]:
    """What Prowler's log says that it could not ask, each once."""
    told = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    operations = sorted({*re.findall(r"calling the (\w+) operation", told)})
    addresses = sorted({*re.findall(r"endpoint URL: \W*https://[^/]*/([\w/]*)", told)})
    checks = sorted({*re.findall(r'"module": "check", "message": "(\w+) --', told)})
    return [
        *([f"operations: {', '.join(f'`{one}`' for one in operations)}"] if operations else []),
        *([f"addresses of S3 Control: {', '.join(f'`/{one}`' for one in addresses)}"] if addresses else []),
        *([f"checks that broke off: {', '.join(f'`{one}`' for one in checks)}"] if checks else []),
    ]


def lost(log: Path) -> float:
    """The seconds before each line of Prowler's log about an address that cannot be reached: it tries several times."""
    seconds, before = 0.0, None
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else ():
        if found := re.search(r'"timestamp": "([^"]+)"', line):
            now = datetime.fromisoformat(found[1])
            if before is not None and "EndpointConnectionError" in line:
                seconds += (now - before).total_seconds()
            before = now
    return seconds

"""verify-stack --record and --replay, as somebody types them in an application's folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import pytest

from readiness.session import conclusion
from tests.stand_in import stand_in_for_aws
from verification.application import ROOT

pytestmark = pytest.mark.xdist_group("recorded")
MAIL = "grace.hopper@navy.mil"
TEMPLATE = f"""\
Description: A queue
Parameters:
  AlarmEmail: {{ Type: String, Default: {MAIL} }}
  MapsApiKey: {{ Type: String, Default: "", NoEcho: true }}
  MapsPassword: {{Type: String, Default: "", NoEcho: true}}
Resources:
  Letters:
    Type: AWS::SQS::Queue
    Properties: {{ SqsManagedSseEnabled: true }}
"""
SAMCONFIG = """\
version = 0.1
[stage.deploy.parameters]
stack_name = "letters"
region = "us-east-1"
"""


def verify_stack(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "readiness", *words, "-n", "0"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def outcomes(folder: Path, name: str) -> dict[str, str]:
    report = json.loads((folder / "reports" / name / "verification.json").read_text())
    return {item["id"]: item["outcome"] for item in report["items"]}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An application's folder with a recording, made on an emulator that is gone."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "samconfig.toml").write_text(SAMCONFIG)
    with stand_in_for_aws() as url:
        client = boto3.Session("testing", "testing").client(
            "cloudformation", region_name="us-east-1", endpoint_url=url
        )
        client.create_stack(StackName="letters", TemplateBody=TEMPLATE)
        known = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_ENDPOINT_URL": url}
        done = verify_stack(folder, "--record", "recording", **known)
    assert (folder / "recording" / "recording.json").is_file(), done.stdout + done.stderr
    return folder


ELSEWHERE = {"AWS_ENDPOINT_URL": "http://192.0.2.1:9", "AWS_PROFILE": "nobody"}
"""An emulator and a profile that are not there."""


@pytest.mark.parametrize("shell", [{}, ELSEWHERE], ids=["nothing", "another emulator and profile"])
def test_a_replay_follows_from_the_recording_alone(recorded: Path, shell: Mapping[str, str]) -> None:
    done = verify_stack(recorded, "--replay", "recording", **shell)

    assert done.returncode == conclusion.REPLAYED, done.stdout + done.stderr
    assert outcomes(recorded, "stage-replayed") == outcomes(recorded, "stage")


def test_a_declaration_that_has_changed_means_nothing_to_a_replay(recorded: Path) -> None:
    file = recorded / "environments.toml"
    file.write_text('[stage]\nproduction = true\naccount = "123456789012"\n')
    try:
        done = verify_stack(recorded, "--replay", "recording")
    finally:
        file.unlink()

    assert done.returncode == conclusion.REPLAYED, done.stdout + done.stderr


def test_what_a_recording_hides_of_the_template_is_no_difference(recorded: Path) -> None:
    kept = (recorded / "recording" / "exchanges.jsonl").read_text()

    done = verify_stack(recorded, "--replay", "recording", "-m", "STACK-06")

    assert MAIL not in kept
    assert outcomes(recorded, "stage")["STACK-06"] == "pass"
    assert outcomes(recorded, "stage-replayed")["STACK-06"] == "pass", done.stdout
    assert done.returncode == conclusion.REPLAYED


def test_another_template_with_a_mail_address_cannot_be_compared(recorded: Path) -> None:
    file = recorded / "template.yaml"
    file.write_text(TEMPLATE.replace("navy.mil", "army.mil"))
    try:
        done = verify_stack(recorded, "--replay", "recording", "-m", "STACK-06")
    finally:
        file.write_text(TEMPLATE)

    assert outcomes(recorded, "stage-replayed") == {"STACK-06": "unverified"}
    assert "this checkout has it in another version" in done.stdout

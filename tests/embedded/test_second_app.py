"""tests/second_app: an application that shares nothing with Pixel Prompt, held to a checklist of its own.

The real SAM CLI deploys it, the suite verifies it, as docs/ADAPTING.md says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.conftest import Running
from tests.second_app.guest_book import GuestBook
from verification.application import ROOT, connect
from verification.deployment import sam

APP = ROOT / "tests" / "second_app"
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
pytestmark = pytest.mark.xdist_group("second-app")


@pytest.fixture(scope="module")
def book(cloud: Running) -> GuestBook:
    """The guest book, deployed as its samconfig.toml has it."""
    env = connect("local", cloud=cloud.cloud.name, root=APP)
    done = subprocess.run(
        [str(ROOT / ".tools" / "bin" / "sam"), "deploy", "--config-env", "local", "--no-progressbar"],
        cwd=APP,
        env=sam.variables(env, os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return GuestBook(env)


def verified(cloud: Running, reports: Path) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """The report of one run over the guest book's checklist, and how the run ended."""
    command = [
        *(sys.executable, "-m", "pytest", "tests/second_app/checks", "--env", "local"),
        *("--cloud", cloud.cloud.name, "--report-dir", str(reports), "-p", "no:cacheprovider", "-q"),
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False, timeout=120
    )
    report = reports / "verification.json"
    assert report.is_file(), f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return json.loads(report.read_text(encoding="utf-8")), done


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {item["id"]: item["outcome"] for item in report["items"]}


def test_a_second_application_is_ready(cloud: Running, book: GuestBook, tmp_path: Path) -> None:
    report, done = verified(cloud, tmp_path)

    assert (report["verdict"], done.returncode) == ("READY LOCALLY", 0), done.stdout
    assert report["stack"] == "guest-book-local"
    assert set(outcomes(report)) == {
        *("CODE-01", "CODE-02", "CONF-01", "CONF-02", "SEC-01", "INF-01", "INF-02"),
    }


def test_its_faults_are_named_by_its_own_items(cloud: Running, book: GuestBook, tmp_path: Path) -> None:
    s3, cloudwatch = book.env.client("s3"), book.env.client("cloudwatch")
    (alarm,) = (
        each for each in book.alarms if each.watches("AWS/Lambda", "Errors", FunctionName=book.function.name)
    )
    s3.put_public_access_block(
        Bucket=book.copies.name,
        PublicAccessBlockConfiguration={name: name != "BlockPublicPolicy" for name in BLOCKS},
    )
    cloudwatch.delete_alarms(AlarmNames=[alarm.name])

    report, done = verified(cloud, tmp_path)

    failed = {item["id"]: item["reason"] for item in report["items"] if item["outcome"] != "pass"}
    assert (report["verdict"], done.returncode) == ("NOT READY (2 failed)", 1), done.stdout
    assert failed.keys() == {"SEC-01", "CONF-01"}
    assert "BlockPublicPolicy" in failed["SEC-01"]
    assert "nothing watches the errors" in failed["CONF-01"]
    assert "remedy: Set `PublicAccessBlockConfiguration` of `Copies`" in done.stdout

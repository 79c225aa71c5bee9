"""Verifies a stack of a running cloud by the items of one module of the catalogue, as an operator would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.embedded.conftest import Running
from verification.application import ROOT

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Outcome:
    """How one item ended, and what its findings are about."""

    outcome: str
    places: frozenset[str]
    reason: str = ""


def template(area: str, name: str) -> str:
    """The text of an area's template."""
    return (HERE / area / f"{name}.yaml").read_text(encoding="utf-8")


def expected(area: str) -> Mapping[str, Sequence[str]]:
    """What each item names on the area's bad template."""
    return tomllib.loads((HERE / area / "expected.toml").read_text(encoding="utf-8"))


def verified(
    cloud: Running, stack: str, area: str, folder: Path, body: str, *, production: bool = False
) -> Mapping[str, Outcome]:
    """The outcome of each item of one module on a deployed stack, by the item's id."""
    relied_on = f"[local]\nproduction = {str(production).lower()}\n"
    (folder / "environments.toml").write_text(relied_on, encoding="utf-8")
    (folder / "template.yaml").write_text(body, encoding="utf-8")
    (folder / "samconfig.toml").write_text(
        f'version = 0.1\n[local.deploy.parameters]\nstack_name = "{stack}"\nregion = "us-east-1"\n',
        encoding="utf-8",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AWS_"))}
    own = {
        "AWS_ENDPOINT_URL": cloud.state.endpoint,
        "AWS_ACCESS_KEY_ID": cloud.state.access_key_id,
        "AWS_SECRET_ACCESS_KEY": cloud.state.secret_access_key,
        "AWS_CA_BUNDLE": cloud.state.ca_bundle,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    reports = folder / "reports"
    command = [
        *(sys.executable, "-m", "pytest", "--application", str(folder)),
        *(f"readiness/catalogue/checks/test_{area}.py", "--env", "local"),
        *("--report-dir", str(reports), "-p", "no:cacheprovider", "-q"),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=kept | own, capture_output=True, text=True, check=False, timeout=120
    )
    report = reports / "verification.json"
    assert report.is_file(), f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return {
        item["id"]: Outcome(
            item["outcome"],
            frozenset(finding["place"] for finding in item["findings"]),
            item["reason"],
        )
        for item in told["items"]
    }


def unnamed(found: Mapping[str, Outcome], names: Mapping[str, Sequence[str]]) -> Mapping[str, object]:
    """Each item that does not fail with findings about exactly these resources, and what it says instead."""
    return {
        id_: found[id_]
        for id_, wanted in names.items()
        if found[id_].outcome != "fail" or found[id_].places != {*wanted}
    }

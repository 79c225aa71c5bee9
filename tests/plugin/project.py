"""A small project, and one pytest run over it."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from textwrap import dedent

import boto3
import pytest

from readiness import environment, progress
from readiness.environment import Environment, Settings
from readiness.report import known
from verification.application import ROOT

DESCRIPTION = """
template = "backend/template.yaml"
gaps = "gaps.toml"
state = ".local"
prices = "verification.costs:PRICES_OF_RUN"
"""

CHECKLIST = """
## Security

### SEC-01 Door is closed

*critical · read-only*

It is closed.

**Why.** Anyone walks in.

**Remedy.** Close it.

### SEC-02 Window is closed

*low · active, paid*

It is closed.

**Why.** It rains in.

**Remedy.** Close it.
"""

CHECKS = """
import pytest
pytestmark = pytest.mark.security

@pytest.mark.item("SEC-01")
def test_door():
    {door}

@pytest.mark.item("SEC-02")
def test_window():
    {window}
"""


class Project:
    """A project with two items, and one pytest run over it."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester = pytester
        self.root = Path(pytester.path)
        self.checklist = CHECKLIST
        self.settings = Settings("staging", "some-stack", "us-east-1", cloud=None)
        self.emulated = True
        monkeypatch.setattr(environment, "connect", lambda _, name, **__: self.environment(name))
        (self.root / "readiness.toml").write_text(DESCRIPTION)
        shutil.copy(ROOT / "environments.toml", self.root)
        (self.root / "gaps.toml").write_text("")
        (self.root / "backend").mkdir()
        (self.root / "backend" / "template.yaml").write_text("")
        for name in ("_values", "_accounts", "_folders"):  # what another run hid is no secret of this one
            monkeypatch.setattr(known, name, set())
        monkeypatch.setattr(progress, "_folder", None)
        pytester.makeconftest("")

    def environment(self, name: str) -> Environment:
        cloud = "cloud" if name == "local" else None
        chosen = Settings(**{**vars(self.settings), "name": name, "cloud": cloud})
        found = Environment(chosen, boto3.Session("a", "b", region_name="us-east-1"))
        vars(found).update(
            emulated=self.emulated,
            account_id="123456789012",
            preflight=lambda: None,
            require_stack=lambda: None,
        )
        return found

    def run(self, *arguments: str, door: str = "pass", window: str = "pass", checks: str = CHECKS):
        (self.root / "PRODUCTION_CHECKLIST.md").write_text(self.checklist)
        folder = self.root / "checks"
        folder.mkdir(exist_ok=True)
        (folder / "test_security.py").write_text(dedent(checks).format(door=door, window=window))
        where = ("--env", "staging", "--app", str(self.root))
        # Without workers, so that what a test has put in the place of AWS is there.
        here = () if "-n" in arguments else ("-p", "no:xdist")
        self.result = self.pytester.runpytest_inprocess(
            "checks",
            "-p",
            "readiness.plugin",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:hypothesispytest",
            *here,
            *where,
            *arguments,
        )
        return self.result

    @property
    def output(self) -> str:
        return self.result.stdout.str() + self.result.stderr.str()

    def report(self, name: str = "staging") -> dict:
        return json.loads((self.root / "reports" / name / "verification.json").read_text())

    def outcomes(self, name: str = "staging") -> dict[str, str]:
        return {item["id"]: item["outcome"] for item in self.report(name)["items"]}


def properties(project):
    suites = ET.parse(project.root / "reports" / "staging" / "verification.xml")
    return {one.get("name"): one.get("value") for one in suites.iterfind("testsuite/properties/property")}

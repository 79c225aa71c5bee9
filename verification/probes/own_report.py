"""The suite's own report, of a throw-away run whose checks spill planted secrets on every way out."""

from __future__ import annotations

import html
import json
import re
import secrets
import string
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from readiness.errors import Unverified
from readiness.probes import process
from readiness.probes.finding import Finding
from readiness.probes.process import parsed, read, tail

_ALPHANUMERIC = string.ascii_letters + string.digits
_FORMATS = ("verification.html", "verification.json", "verification.md", "verification.xml", "summary.md")
_SECTIONS = {"SEC": "security", "CODE": "code", "CONF": "config", "INF": "infra", "CDN": "cloudfront"}
_WINDOW = 12  # characters of a secret that give too much of it away
_ROOM = 19  # ids that a way has for its secrets: two digits, shared by the ways of a section
_RUN = re.compile(rf"[A-Za-z0-9]{{{_WINDOW},}}")
_DEADLINE = timedelta(minutes=2)

# The way out, what a check there does with {secret}, and how it must end. The tail of each name is in the source
# line too, which a traceback quotes.
_WAYS = {
    "an assertion's message": ("assert False, {secret}", "fail"),
    "a comparison": ("assert {{'found': {secret}}} == {{}}", "fail"),
    "an exception": ("raise RuntimeError({secret})", "unverified"),
    "a doubt": ("raise Unverified({secret})", "unverified"),
    "a skip": ("pytest.skip({secret})", "unverified"),
    "standard output": ("print({secret}); assert False, 'printed'", "fail"),
    "standard error": ("print({secret}, file=sys.stderr); assert False, 'printed'", "fail"),
    "a log": ("logging.getLogger('check').warning({secret}); assert False, 'logged'", "fail"),
    "a fixture": ("request.getfixturevalue('broken')({secret})", "unverified"),
    "a waiver": ("assert False, 'known'", "waived"),
    "a local variable": ("key = {secret}; assert False, 'kept'", "fail"),
    "a warning": ("warnings.warn({secret}); assert False, 'warned'", "fail"),
    "a JUnit property": (
        "request.getfixturevalue('record_property')('key', {secret}); assert False, 'noted'",
        "fail",
    ),
    "what it noted": ("request.getfixturevalue('evidence')['key'] = {secret}", "pass"),
    "what it saw hold": ("key = {secret}; assert key == {secret}", "pass"),
    "an answer": ("LATEST.append({secret})", "pass"),
    "a picture's name": (
        "request.getfixturevalue('extras').append(pytest_html.extras.jpg('aGk=', {secret}))",
        "pass",
    ),
}
_CONFTEST = """
import boto3
from readiness import environment


def connect(application, name, **_):
    settings = environment.Settings(name, "throw-away", "us-east-1")
    found = environment.Environment(settings, boto3.Session("none", "none", region_name="us-east-1"))
    vars(found).update(
        emulated=True, account_id="000000000000", preflight=lambda: None, require_stack=lambda: None
    )
    return found


environment.connect = connect
"""
_CHECKS = """
import logging
import sys
import warnings
import pytest
import pytest_html
from readiness.errors import Unverified
from readiness.probes.http import LATEST

@pytest.fixture
def broken():
    def give_up(text):
        raise OSError(text)

    return give_up
"""


@dataclass(frozen=True)
class Planted:
    """A secret as a check would come upon it, and the part of it that must not get out."""

    kind: str
    text: str
    core: str


@dataclass(frozen=True)
class OwnReport:
    """The report that a checkout of the suite writes."""

    suite: Path

    def leaks(self) -> list[Finding]:
        """Return each planted secret that is, whole or in part, in a format of the report or on the terminal.

        Raises:
            Unverified: the throw-away run did not end as it has to, so its report shows nothing.
        """
        cases = {
            f"{list(_SECTIONS)[turn % len(_SECTIONS)]}-{number:02}": (way, planted)
            for turn, way in enumerate(_WAYS)
            for number, planted in enumerate(_secrets(), 1 + turn // len(_SECTIONS) * _ROOM)
        }
        with tempfile.TemporaryDirectory(prefix="own-report-") as folder:
            here = Path(folder)
            _write(here, cases)
            command = [
                *(
                    sys.executable,
                    "-m",
                    "pytest",
                    "checks",
                    "-p",
                    "readiness.plugin",
                    "-p",
                    "verification.fixtures",
                    "--import-mode=importlib",
                ),
                *(
                    "-p",
                    "no:cacheprovider",
                    "-p",
                    "no:hypothesispytest",
                    "-p",
                    "no:schemathesis",
                    "-p",
                    "no:xdist",
                ),
                *("--rootdir", ".", "--env", "staging", "--app", ".", "--report-dir", "report"),
                *("-rA", "-vv", "--showlocals", "--tb=long", "-o", "enable_assertion_pass_hook=true"),
                *("-o", "junit_logging=all"),
            ]
            variables = {
                "PYTHONPATH": str(self.suite),
                "GITHUB_ACTIONS": "true",
                "GITHUB_STEP_SUMMARY": str(here / "report" / "summary.md"),
            }
            done = process.run(command, folder=here, deadline=_DEADLINE, variables=variables)
            written = {name: read(here / "report" / name) for name in _FORMATS}
        content = parsed(written["verification.json"], "the throw-away run", done)
        outcomes = {item["id"]: item["outcome"] for item in content["items"]}
        expected = {item: _WAYS[way][1] for item, (way, _) in cases.items()}
        if outcomes != expected or not all(written.values()):
            wrong = [
                f"{cases[item][0]}: {outcomes.get(item)}"
                for item in cases
                if outcomes.get(item) != expected[item]
            ]
            raise Unverified(f"the throw-away run did not end as it has to: {wrong[:3]} {tail(done)}")
        places = {**written, "terminal": f"{done.stdout}\n{done.stderr}"}
        return [
            Finding(place, 0, planted.kind, f"gets out by way of {way}")
            for place, text in places.items()
            for way, planted in _showing(text, cases.values())
        ]


def _secrets() -> Iterator[Planted]:
    """Yield one new secret of each form."""

    def random(length: int, letters: str = _ALPHANUMERIC) -> str:
        return "".join(secrets.choice(letters) for _ in range(length))

    def planted(kind: str, pattern: str, core: str) -> Planted:
        return Planted(kind, pattern.format(core), core)

    yield planted("AWS access key", "AKIA{}", random(16, string.ascii_uppercase + "234567"))
    yield planted("AWS secret key", "aws_secret_access_key = {}", random(40))
    yield planted("AWS session token", "AWS_SESSION_TOKEN={}", random(64))
    yield planted("OpenAI key", "sk-proj-{}", random(48))
    yield planted("Google key", "AIza{}", random(35))
    yield planted("Black Forest Labs key", "bfl_{}", random(40))
    yield planted("key by its name", "RECRAFT_API_KEY={}", random(48))
    yield planted("GitHub token", "ghp_{}", random(36))
    yield planted("signed URL", "https://b.s3.amazonaws.com/k?X-Amz-Signature={}", secrets.token_hex(32))
    yield planted("authorization", "Authorization: Bearer {}", random(32))
    yield planted("account", "arn:aws:iam::{}:role/api", random(12, string.digits))
    yield planted("JSON web token", "eyJhbGciOiJIUzI1NiJ9.{}", random(60))
    yield planted("password in a URL", "https://ada:{}@example.com/", random(32))
    fence, name = "-" * 5, "PRIVATE KEY"  # apart, for SEC-04 reads this file too
    yield planted("private key", f"{fence}BEGIN {name}{fence}\n{{}}\n{fence}END {name}{fence}", random(64))


def _write(here: Path, cases: Mapping[str, tuple[str, Planted]]) -> None:
    checks, waivers, items = [_CHECKS], [], []
    for number, (item, (way, planted)) in enumerate(cases.items()):
        body = _WAYS[way][0].format(secret=repr(planted.text))
        fixture = "request" if "request" in body else ""
        section = _SECTIONS[item.partition("-")[0]]
        checks.append(
            f'\n\n@pytest.mark.{section}\n@pytest.mark.item("{item}")\ndef test_{number}({fixture}):\n    {body}\n'
        )
        items.append(
            f"## {section}\n\n### {item} A throw-away item\n\n*low · read-only*\n\nIt is.\n\n**Why.** It is.\n\n**Remedy.** None.\n"
        )
        if _WAYS[way][1] == "waived":
            waivers.append(
                f'[[waiver]]\nitem = "{item}"\nenvironment = "staging"\nreason = {json.dumps(planted.text)}\n'
                'approver = "a reviewer"\nexpires = 9999-12-31\n'
            )
    for name, text in {
        "conftest.py": _CONFTEST,
        "checks/test_security.py": "".join(checks),
        "PRODUCTION_CHECKLIST.md": "\n".join(items),
        "waivers.toml": "\n".join(waivers),
        "environments.toml": '[staging]\nstack = "throw-away"\nregion = "us-east-1"\n',
        "template.yaml": "",
    }.items():
        file = here / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _showing(text: str, cases: Iterable[tuple[str, Planted]]) -> Iterator[tuple[str, Planted]]:
    """Yield the cases of which the text contains too long a part, escaped as HTML or not."""
    runs = {run for form in (text, html.unescape(text)) for run in _RUN.findall(form)}
    shown = {run[start : start + _WINDOW] for run in runs for start in range(len(run) - _WINDOW + 1)}
    for way, planted in cases:
        parts = range(len(planted.core) - _WINDOW + 1)
        if any(planted.core[start : start + _WINDOW] in shown for start in parts):
            yield way, planted

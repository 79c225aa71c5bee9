"""No secret leaves a run, on the terminal or in a file."""

from __future__ import annotations

import pytest


def test_secrets_are_redacted_everywhere(project):
    secret = "sk-" + "a1" * 20
    project.run(door=f"assert '{secret}' == ''")

    for file in (project.root / "reports" / "staging").glob("verification.*"):
        assert secret not in file.read_text(), file.name
    assert secret not in project.output


SPILL = """
import logging, os, sys, warnings
import pytest
pytestmark = pytest.mark.security

@pytest.fixture(scope="session", autouse=True)
def noted(record_testsuite_property):
    record_testsuite_property("key", os.environ["RECRAFT_KEY"])

@pytest.mark.item("SEC-01")
def test_door():
    key = os.environ["RECRAFT_KEY"]
    print(key, "of 123456789012"); print(key, file=sys.stderr); logging.getLogger().warning(key)
    {door}

@pytest.mark.item("SEC-02")
def test_window():
    {window}
"""

OPAQUE = "Zq7v-Kd03.xWm9Tb5+Lr1"  # has the form of no known key

ACCOUNT = "123456789012"


def spilled(project, *arguments, **checks):
    """All that a run leaves, on the terminal and in files, in which neither secret nor account may stand."""
    project.pytester.runpytest_inprocess = project.pytester.runpytest_subprocess
    project.run("-p", "verification.fixtures", *arguments, checks=SPILL, **checks)
    files = [
        file
        for file in project.root.rglob("*")
        if file.is_file() and file.suffix in (".html", ".json", ".md", ".xml")
    ]
    assert {file.name for file in files} >= {f"verification.{kind}" for kind in ("html", "json", "md", "xml")}
    return [project.output, *(file.read_text() for file in files)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("-vv", "--showlocals", "--tb=long", "-rA", "--metadata", "token", OPAQUE),
        ("-s", "-o", "log_cli=true", "--tb=native"),
        ("-n", "1", "-l", "-W", "default"),
        pytest.param(("--full-trace", "-o", "junit_logging=all"), marks=pytest.mark.further),
    ],
)
def test_a_secret_without_a_form_gets_out_nowhere_however_much_is_asked_for(spread, monkeypatch, arguments):
    monkeypatch.setenv("RECRAFT_KEY", OPAQUE)
    left = spilled(
        spread,
        *arguments,
        door="warnings.warn(key); assert {'found': key * 9, 'in': 'account 123456789012'} == {}",
        window="os._exit(1)" if "-n" in arguments else "raise RuntimeError(os.environ['RECRAFT_KEY'])",
    )

    for text in left:
        assert OPAQUE not in text
        assert OPAQUE[:8] not in text
        assert OPAQUE[-8:] not in text
        assert ACCOUNT not in text
    assert "[redacted]" in left[0]
    assert spread.outcomes()["SEC-01"] == "fail"


def test_a_secret_in_what_breaks_pytest_itself_stays_in(spread, monkeypatch):
    monkeypatch.setenv("RECRAFT_KEY", OPAQUE)
    broken = """
import os

def pytest_runtest_logfinish():
    raise RuntimeError(os.environ["RECRAFT_KEY"])
"""
    with (spread.root / "conftest.py").open("a") as file:
        file.write(broken)

    for arguments in ((), ("-n", "1")):
        spread.run(*arguments)
        assert "[redacted]" in spread.output
        assert OPAQUE not in spread.output


def test_a_check_that_cannot_be_imported_shows_no_secret(spread, monkeypatch):
    monkeypatch.setenv("RECRAFT_KEY", OPAQUE)

    spread.run(checks="import os\nraise RuntimeError(os.environ['RECRAFT_KEY'])")

    assert "RuntimeError: [redacted]" in spread.output
    assert OPAQUE not in spread.output
    assert list((spread.root / "reports" / "staging").glob("verification.*")) == []
    assert ".unfinished" not in spread.output


@pytest.mark.parametrize("option", ["--log-file=log.txt", "--pastebin=all", "--capture=tee-sys"])
def test_what_would_keep_secrets_as_they_are_is_refused(project, option):
    assert project.run(option).ret == 4
    assert "secrets and all; leave it out" in project.output

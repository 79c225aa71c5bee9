"""What the documents quote, name and tell people to type: messages, options and commands must be the real ones."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import tomllib
import urllib.request
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from readiness.secret_parameters import variable_of
from tests.deployment.documentation import DOCUMENTS, ROOT, Command, commands
from verification.deployment.parameters import declared

REGISTER: list[dict[str, str]] = tomllib.loads(Path(__file__).with_name("commands.toml").read_text())[
    "command"
]
COMMANDS = commands()
DOCUMENT = (ROOT / "docs" / "DEPLOYMENT.md").read_text()
SOURCE = "".join(
    re.sub(r'"\s*\n\s*f?"', "", file.read_text())
    for file in [
        *(ROOT / "verification" / "deployment").glob("*.py"),
        ROOT / "readiness" / "environment.py",
    ]
)
MESSAGES = re.findall(r"(?m)^\| `([^`]+)` \|", DOCUMENT.partition("## Troubleshooting")[2])


def test_there_are_messages_to_look_for() -> None:
    assert len(MESSAGES) > 15


@pytest.mark.parametrize("message", MESSAGES)
def test_quoted_message_is_real(message: str) -> None:
    assert message in SOURCE


def test_every_key_is_documented() -> None:
    for parameter in declared(ROOT / "backend" / "template.yaml"):
        assert parameter.secret == (f"| `{variable_of(parameter.name)}` | `{parameter.name}` |" in DOCUMENT)


def test_every_script_and_option_exists() -> None:
    """Also in sentences: whoever reads `--fast` there will type it."""
    unknown = []
    for document in DOCUMENTS:
        for script, options in re.findall(r"\./scripts/([a-z-]+\.sh)([^\n#`|&)]*)", document.read_text()):
            text = (ROOT / "scripts" / script).read_text()
            passed_on = "pytest" in text
            unknown += [
                f"{document.relative_to(ROOT)}: {script} {option}"
                for option in re.findall(r"(?<!\S)--[a-z-]+", options)
                if option not in text and not passed_on
            ]
    assert unknown == []


def entry(command: Command) -> dict[str, str]:
    """What the register says of a command."""
    for candidate in REGISTER:
        if fnmatchcase(command.text, candidate["says"].replace("[", "[[]")):
            return candidate
    pytest.fail(
        f"{command}\nexpected: what runs this command, found: nothing in tests/deployment/commands.toml. Next: add\n\n"
        f"[[command]]\nsays = '{command.text}'\nby = \"tests/<file>.py::test_<that runs it>\"    # or runs, or needs: see its head"
        "\n\nor, where it takes an account, write `# needs AWS` behind it in its block.",
        pytrace=False,
    )


def test_documents_have_commands() -> None:
    assert len(COMMANDS) > 60
    assert len([command for command in COMMANDS if command.needs]) > 10


@pytest.mark.parametrize(
    "command", sorted({each.text: each for each in COMMANDS if not each.needs}.values(), key=str), ids=str
)
def test_every_command_is_run_by_something(command: Command) -> None:
    found = entry(command)
    kinds = found.keys() & {"by", "runs", "needs"}

    assert len(kinds) == 1, f"{found} needs exactly one of by, runs and needs"
    assert found.get("runs", "here") in ("here", "clone", "collect", "serve")
    path, _, test = found.get("by", "").partition("::")
    if path:
        text = (ROOT / path).read_text()
        assert not test or f"def {test}(" in text, f"{path} has no test '{test}'"


def test_the_register_holds_nothing_that_no_document_says() -> None:
    used = [entry(command)["says"] for command in COMMANDS if not command.needs and matched(command)]

    assert [each["says"] for each in REGISTER if each["says"] not in used] == []


def to_run(kind: str) -> list[Command]:
    """One command of each text that the register wants run so."""
    asked = {command.text: command for command in COMMANDS if not command.needs}
    known = [entry(command) if matched(command) else {} for command in asked.values()]
    return [
        command for command, found in zip(asked.values(), known, strict=True) if found.get("runs") == kind
    ]


def matched(command: Command) -> bool:
    return any(fnmatchcase(command.text, each["says"].replace("[", "[[]")) for each in REGISTER)


def typed(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command as a person types it, with the project's tools on PATH."""
    return subprocess.run(
        ["bash", "-euc", command],
        cwd=folder,
        env={**os.environ, "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", to_run("here"), ids=str)
def test_runs_here(command: Command) -> None:
    ended = typed(command.text, ROOT)

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.further
@pytest.mark.parametrize("command", to_run("collect"), ids=str)
def test_names_tests_that_there_are(command: Command) -> None:
    ended = typed(f"{command.text} --collect-only --quiet -n 0 -p no:cacheprovider", ROOT)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_runs_in_a_clone(tmp_path: Path) -> None:
    """What would change this checkout, in the order in which the documents say it."""
    clone = tmp_path / "clone"
    remote = tmp_path / "remote.git"
    prepared = typed(
        f"git init --quiet --bare '{remote}' && git init --quiet '{clone}' && cd '{clone}' && mkdir backend "
        "&& git config user.name A && git config user.email a@example.org && git config tag.gpgsign false "
        f"&& git remote add origin '{remote}' && touch a && git add a && git -c commit.gpgsign=false commit --quiet -m One "
        "&& git tag -a -m one v0.9.0 && git tag -a -m two staging-v1.0.0 && git tag -a -m two v1.0.0",
        tmp_path,
    )
    assert prepared.returncode == 0, prepared.stderr
    failed = []
    for command in to_run("clone"):
        ended = typed(command.text, clone, EDITOR="true")
        failed += [f"{command}: {ended.stderr}"] if ended.returncode else []

    assert failed == []
    assert (clone / "backend" / ".env.staging").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("command", to_run("serve"), ids=str)
def test_serves(command: Command, tmp_path: Path) -> None:
    log: Any
    with (tmp_path / "log").open("w+") as log:
        running = subprocess.Popen(
            ["bash", "-euc", f"exec {command.text}"],
            cwd=ROOT / "frontend",
            env={
                **os.environ,
                "PATH": f"{ROOT / '.tools/bin'}:{os.environ['PATH']}",
                "VITE_API_ENDPOINT": "https://api.example",
                "VITE_CLOUDFRONT_DOMAIN": "images.example",
                "VITE_ENVIRONMENT": "dev",
                "NO_COLOR": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            end = time.monotonic() + 60
            while not (address := re.search(r"Local: +(\S+)", said := (tmp_path / "log").read_text())):
                assert running.poll() is None, said
                assert time.monotonic() < end, said
                time.sleep(0.1)
            with urllib.request.urlopen(address[1], timeout=30) as page:
                assert b"Pixel Prompt" in page.read()
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(10)

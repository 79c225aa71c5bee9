"""readiness/report/__main__.py"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from readiness.report import __main__ as command
from readiness.report import document, markdown
from readiness.verdict import Outcome, Result


@pytest.fixture
def file(build, tmp_path):
    def file(outcome=Outcome.PASS, change=None, **how):
        content = {**build(Result("SEC-01", outcome, "because"), **how), **(change or {})}
        path = tmp_path / "verification.json"
        path.write_text(document.render(content))
        return path

    return file


@pytest.mark.parametrize(
    ("outcome", "change", "ended"),
    [
        (Outcome.PASS, None, (0, "unaltered (sha256:")),
        (Outcome.FAIL, None, (1, "unaltered (sha256:")),
        (Outcome.PASS, {"commit": "0123456789ab"}, (1, "ALTERED: its content does not have the digest")),
        (Outcome.FAIL, {"verdict": "READY", "ok": True}, (1, "; its items conclude 'NOT READY (1 failed)'")),
    ],
)
def test_check_says_whether_it_was_altered_and_its_verdict(file, capsys, outcome, change, ended):
    path = file(outcome, change)
    status, said = ended

    assert command.main(["check", str(path)]) == status
    told = capsys.readouterr().out
    assert told.startswith("ALTERED" if change else "unaltered")
    assert said in told
    assert json.loads(path.read_text())["verdict"] in told
    assert "pixel-prompt-staging in eu-west-1" in told


def test_another_version_is_no_report_to_check(file, capsys):
    assert command.main(["check", str(file(change={"version": 1}))]) == 4
    assert "expected a report of version 4, found one of version 1" in capsys.readouterr().err


def test_a_rehearsal_is_called_one(file, capsys):
    assert command.main(["check", str(file(emulated=True))]) == 0
    assert "eu-west-1, emulated, 2026-11-23" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["check"], ["mend", "x"], ["check", "nowhere.json"]])
def test_what_cannot_be_done_is_a_usage_error(arguments, capsys):
    assert command.main(arguments) == 4


def test_publishing_writes_the_same_markdown(file, tmp_path, capsys):
    path, target = file(), tmp_path / "published.md"

    assert command.main(["publish", str(path), "--to", str(target)]) == 0
    first, _, rest = target.read_text().partition("\n")
    assert first.startswith("<!-- Written by")
    assert rest == markdown.render(document.read(path))
    assert "READY" in capsys.readouterr().out


def test_a_note_goes_before_what_is_published(file, tmp_path):
    path, target = file(), tmp_path / "published.md"

    assert command.main(["publish", str(path), "--to", str(target), "--note", "Stand-ins answered."]) == 0
    assert (
        target.read_text().partition("\n")[2]
        == f"> Stand-ins answered.\n\n{markdown.render(document.read(path))}"
    )


def test_what_was_altered_is_not_published(file, tmp_path, capsys):
    target = tmp_path / "published.md"

    assert command.main(["publish", str(file(change={"commit": "0"})), "--to", str(target)]) == 1
    assert not target.exists()
    assert "not published" in capsys.readouterr().err


def test_another_environments_report_is_not_published(file, tmp_path, capsys):
    target = tmp_path / "published.md"

    assert command.main(["publish", str(file(name="dev")), "--to", str(target)]) == 4
    assert not target.exists()
    assert "expected a report of staging, found one of dev" in capsys.readouterr().err


def test_the_name_that_it_had_works_too(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "verification.report", "check", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 4
    assert "none" in done.stderr

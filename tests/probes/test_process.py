"""readiness/probes/process.py: short commands of the machine's own."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest

from readiness.errors import Unverified
from readiness.probes import process


def test_a_tool_that_never_ends_is_unverified(tmp_path):
    with pytest.raises(Unverified, match="sleep had not ended after 0 s"):
        process.run(["sleep", "20"], folder=tmp_path, deadline=timedelta(seconds=0.1))


def test_a_tool_that_does_not_exist_is_unverified(tmp_path):
    with pytest.raises(Unverified, match=r"no-such-tool does not exist; install it"):
        process.run(["no-such-tool"], folder=tmp_path)


def test_a_tool_gets_what_it_is_given_and_nothing_of_this_runs_own(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("VITE_API_ENDPOINT", "https://elsewhere.example")

    done = process.run(["env"], folder=tmp_path, variables={"WORD": "given"})

    assert "WORD=given" in done.stdout.splitlines()
    assert "AWS_PROFILE" not in done.stdout
    assert "VITE_API_ENDPOINT" not in done.stdout


def test_output_is_taken_as_it_is_whatever_its_status(tmp_path):
    done = process.run(["sh", "-c", r"printf 'one\rtwo\377'; exit 3"], folder=tmp_path)

    assert (done.stdout, done.returncode) == ("one\rtwo\N{REPLACEMENT CHARACTER}", 3)


def test_what_is_no_json_is_unverified_with_the_tools_last_words():
    done = subprocess.CompletedProcess(["tool"], 2, "", "no such\n\nfile\n")

    with pytest.raises(Unverified, match=r"tool wrote nothing to judge \(exit status 2\): no such | file"):
        process.parsed("", "tool", done)

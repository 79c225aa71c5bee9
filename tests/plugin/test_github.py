"""A job of GitHub's gets the report as annotations and as the step's summary."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("job", [True, False])
def test_only_a_github_job_gets_annotations(project, monkeypatch, job):
    summary = project.root / "summary.md"
    summary.write_text("before\n")
    if job:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    project.run(door="assert False, 'open'")

    report = (project.root / "reports" / "staging" / "verification.md").read_text()
    command = (
        "::error file=checks/test_security.py,line=5,title=SEC-01 Door is closed (critical%2C fail)::open"
    )
    assert (command in project.output.splitlines()) is False or job
    assert any(line.startswith(command) for line in project.output.splitlines()) is job
    assert summary.read_text() == ("before\n" + report if job else "before\n")


def test_a_summary_that_cannot_be_written_is_said(project, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.root / "nowhere" / "summary.md"))

    assert project.run().ret == 0
    assert "the step's summary cannot be written" in project.output

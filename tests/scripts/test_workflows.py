"""What the workflows do in their own words, with a stub of GitHub's command line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.scripts.project import REPOSITORY

# Knows three runs, of which those that $KEPT names still have what they left; 20 got no further than its deployment.
GH = """\
#!/bin/sh
case "$1 $2" in
  'run list') [ "$KEPT" = refused ] && { echo 'HTTP 403' >&2; exit 1; }; printf '30\\n20\\n10\\n' ;;
  'run download')
    case " $KEPT " in *" $3 "*) ;; *) echo "no artifact found" >&2; exit 1 ;; esac
    mkdir -p earlier/staging
    [ "$3" = 20 ] || { mkdir earlier/staging/history && echo "$3" > earlier/staging/history/run.json; } ;;
  *) echo "unexpected: $*" >&2; exit 2 ;;
esac
"""


ENTERS_AWS = "aws-actions/configure-aws-credentials"


def jobs() -> dict[str, Any]:
    """Each job of each workflow that enters AWS."""
    found = {}
    for file in (REPOSITORY / ".github" / "workflows").glob("*.yml"):
        for name, job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].items():
            if any(ENTERS_AWS in each.get("uses", "") for each in job["steps"]):
                found[f"{file.name}: {name}"] = job
    return found


def test_credentials_outlast_their_job() -> None:
    """They last an hour unless more is asked for; a drill then cannot take its stack away."""
    assert len(jobs()) == 2
    for name, job in jobs().items():
        entered = next(each for each in job["steps"] if ENTERS_AWS in each.get("uses", ""))
        duration = entered["with"].get("role-duration-seconds", 3600)
        assert job["timeout-minutes"] * 60 <= duration <= 12 * 3600, name


def test_what_a_drill_left_is_torn_down_with_fresh_credentials_however_the_run_ended() -> None:
    (job,) = [job for name, job in jobs().items() if name.startswith("verify-staging")]
    names = [each.get("name", each.get("uses", "").partition("@")[0]) for each in job["steps"]]

    assert names[-2:] == [ENTERS_AWS, "Tear down what a drill left"]
    assert names.index("Verify") < len(names) - 2
    for each in job["steps"][-2:]:
        assert each["if"] == "${{ always() && steps.aws.outcome == 'success' }}"
    assert job["steps"][-2]["with"]["unset-current-credentials"] is True


def step(workflow: str, name: str) -> str:
    """The shell lines of one step."""
    text = (REPOSITORY / ".github" / "workflows" / workflow).read_text(encoding="utf-8")
    steps = [each for job in yaml.safe_load(text)["jobs"].values() for each in job["steps"]]
    (found,) = [each for each in steps if each.get("name") == name]
    return str(found["run"])


@pytest.mark.parametrize(
    ("kept", "compared"), [("30 10", "30"), ("10", "10"), ("20 10", "10"), ("", None), ("refused", None)]
)
def test_staging_is_compared_with_the_last_run_that_left_its_report(
    tmp_path: Path, kept: str, compared: str | None
) -> None:
    gh = tmp_path / "stubs" / "gh"
    gh.parent.mkdir()
    gh.write_text(GH)
    gh.chmod(0o755)

    # As GitHub runs it: https://docs.github.com/actions/reference/workflow-syntax, "defaults.run.shell".
    ended = subprocess.run(
        ["bash", "-e", "-c", step("verify-staging.yml", "Fetch earlier runs")],
        cwd=tmp_path,
        env={"PATH": f"{gh.parent}:{os.environ['PATH']}", "KEPT": kept},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    record = tmp_path / "reports" / "staging" / "history" / "run.json"
    assert ended.returncode == 0, ended.stderr
    assert (record.read_text().strip() if record.exists() else None) == compared
    assert ("::notice::None of the last 20 runs" in ended.stdout) == (compared is None)
    assert not (tmp_path / "earlier").exists()


# Has the report of this run where $LEFT says so, and shows what a comment would say.
COMMENTING = """\
#!/bin/sh
case "$1 $2" in
  'run download')
    [ "$LEFT" = nothing ] && { echo "no artifact found" >&2; exit 1; }
    mkdir -p report/staging
    [ "$LEFT" = report ] && echo '# READY' > report/staging/verification.md
    exit 0 ;;
  'pr comment') cat "$5" ;;
  *) echo "unexpected: $*" >&2; exit 2 ;;
esac
"""


@pytest.mark.parametrize(
    ("left", "verdict"),
    [("report", "# READY"), ("deployment", "# NOT VERIFIED"), ("nothing", "# NOT VERIFIED")],
)
def test_a_run_without_a_report_takes_an_earlier_verdict_away(
    tmp_path: Path, left: str, verdict: str
) -> None:
    """A comment that says READY would stay although the next commit could not even be deployed."""
    gh = tmp_path / "stubs" / "gh"
    gh.parent.mkdir()
    gh.write_text(COMMENTING)
    gh.chmod(0o755)
    variables = {
        "PATH": f"{gh.parent}:{os.environ['PATH']}",
        "LEFT": left,
        "GITHUB_RUN_ID": "30",
        "PULL_REQUEST": "7",
        "RUN": "https://github.example/runs/30",
    }

    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", step("verify-staging.yml", "Comment with the report")],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[0] == verdict
    assert (left == "report") is ("runs/30" not in done.stdout)

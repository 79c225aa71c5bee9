"""What the workflows do in their own words, with a stub of GitHub's command line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

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

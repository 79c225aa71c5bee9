"""Nothing stays in the temporary directory: whatever the tools leave there, and however a script ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scripts.project import Project, end
from tests.scripts.test_portability import SHELLS

LITTER = {name: {"litters": True} for name in ("sam build", "sam deploy", "sam delete")}
# A script that leaves things behind, says where, and ends as it is told.
SCRIPT = """\
. "$(dirname "$0")/lib/common.sh"
mkdir "$TMPDIR/deep"
: >"$TMPDIR/deep/left"
say "$TMPDIR"
"""
ENDS = {
    "good": ("exit 0", 0, None),
    "bad": ("false", 1, None),
    "message": ("fail 4 none", 4, None),
    "exec": ("exec true", 0, None),
    "SIGINT": ("exec sleep 60", -signal.SIGINT, signal.SIGINT),
    "SIGTERM": ("exec sleep 60", -signal.SIGTERM, signal.SIGTERM),
    "SIGHUP": ("exec sleep 60", -signal.SIGHUP, signal.SIGHUP),
    "SIGKILL": ("exec sleep 60", -signal.SIGKILL, signal.SIGKILL),
    "SIGKILL at once": ("kill -KILL 0", -signal.SIGKILL, None),
}


@pytest.fixture
def temporary(project: Project, tmp_path: Path) -> Path:
    """The temporary directory of a person, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    project.variables["TMPDIR"] = str(folder)
    return folder


def left(folder: Path) -> list[str]:
    """What lies there once whoever clears up has had a moment."""
    deadline = time.monotonic() + 5
    while (found := sorted(path.name for path in folder.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_leaves_nothing_however_it_ends(
    project: Project, temporary: Path, shell: str, how: str
) -> None:
    last, status, signum = ENDS[how]
    script = project.root / "scripts" / "ends.sh"
    script.write_text(SCRIPT + last)
    words = ["busybox", "sh"] if shell == "busybox" else [shell]
    with subprocess.Popen(
        [*words, str(script)],
        env=project.variables,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stderr is not None
        own = Path(running.stderr.readline().strip())
        if signum:
            time.sleep(0.1)
            assert (own / "deep" / "left").exists()
            os.killpg(running.pid, signum)
        running.stderr.read()

    assert (running.returncode, own.parent) == (status, temporary)
    assert left(temporary) == []


def test_a_script_that_another_calls_uses_that_ones_folder(project: Project, temporary: Path) -> None:
    (project.root / "scripts" / "inner.sh").write_text(SCRIPT)
    script = project.root / "scripts" / "outer.sh"
    script.write_text(
        f'{SCRIPT}rm -r "$TMPDIR/deep"\nsh "$ROOT/scripts/inner.sh"\n[ -e "$TMPDIR/deep/left" ]'
    )

    ended = subprocess.run(
        ["sh", str(script)], env=project.variables, capture_output=True, text=True, check=True
    )

    outer, inner = ended.stderr.split()
    assert outer == inner
    assert left(temporary) == []


def test_an_absent_temporary_directory_is_reported(project: Project, temporary: Path) -> None:
    temporary.rmdir()

    ended = project.run("extract-outputs.sh", "dev")

    assert ended.status == 4
    assert (
        f"cannot make a folder for temporary files in {temporary}; make room there, or set TMPDIR"
        in ended.err
    )


@pytest.mark.parametrize("way", ["the script", "Python"])
def test_a_deployment_leaves_nothing(project: Project, temporary: Path, way: str) -> None:
    """Made, made again, failed and deleted: the SAM CLI leaves a folder of its own each time."""
    project.behave(project.stubs, LITTER)

    def deploy(*arguments: str) -> int:
        if way == "the script":
            return project.run("deploy.sh", "dev", "--yes", *arguments).status
        command = [sys.executable, "-m", "verification.deployment", "deploy", "dev", "--yes", *arguments]
        variables = {"PYTHONPATH": str(project.root), "PATH": f"{project.stubs}:{os.environ['PATH']}"}
        return subprocess.run(
            command, cwd=project.root, env=project.variables | variables, capture_output=True, check=False
        ).returncode

    statuses = [deploy(), deploy(), deploy("--delete")]
    project.behave(project.stubs, {**LITTER, "sam deploy": {"litters": True, "exit": 1}})
    statuses.append(deploy())

    assert statuses == [0, 0, 0, 1]
    litter = [Path(call["litter"]) for call in project.calls() if "litter" in call]
    assert len(litter) == 7
    assert [path for path in litter if path.exists()] == []
    assert left(temporary) == []
    assert project.left_behind() == [str(path) for path in _locks(project)]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_deployment_leaves_nothing(
    project: Project, temporary: Path, signum: signal.Signals
) -> None:
    project.behave(
        project.stubs, {"sam build": {"litters": True, "sleep": 60 if signum != signal.SIGKILL else 1}}
    )
    running = project.start("deploy.sh", "dev", "--yes")
    litter = Path(project.wait_for_call("sam build")["litter"])
    assert litter.exists()

    end(running, signum)

    assert left(temporary) == []
    if signum == signal.SIGKILL:  # what it had started goes on, and the next deployment waits for that
        project.behave(project.stubs, {})
        assert project.run("deploy.sh", "dev", "--yes").status == 0
    assert not litter.exists()


def _locks(project: Project) -> list[Path]:
    return sorted((project.root / ".local" / ".deployment").glob("*/lock"))

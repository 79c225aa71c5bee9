"""The scripts run where people are: under macOS's bash 3.2 and its own tools, and the POSIX ones under any `sh`."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scripts.project import Project

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted([*(ROOT / "scripts").rglob("*.sh"), *(ROOT / ".ci").iterdir()])
POSIX = [path for path in SCRIPTS if path.read_text().startswith("#!/bin/sh\n")]
SHELLS = [shell for shell in ("dash", "bash", "busybox", "ksh", "zsh", "yash") if shutil.which(shell)]

# What bash 3.2 does not know, each by the version that brought it.
NEWER_BASH = {
    r"\b(mapfile|readarray|coproc)\b": "4.0",
    r"\b(declare|local|typeset) -[a-z]*[Agln]": "4.0 or newer",
    r"\$\{\w+(\[[^]]*\])?(\^|,)": "4.0",
    r"&>>|\|&": "4.0",
    r";;&|;&": "4.0",
    r"\bshopt -s (globstar|lastpipe|inherit_errexit)": "4.0 or newer",
    r"\[\[? -v ": "4.2",
    r"printf (-v \w+ )?'?\"?%\(": "4.2",
    r"\bwait -[np]": "4.3",
    r"\$\{\w+@[A-Za-z]\}": "4.4",
    r"\$\{?EPOCH(SECONDS|REALTIME)": "5.0",
    r"\$\{?BASHPID": "4.0",
    r"\$\{\w+: -?\d+: ?-": "4.2",
    r"\{\w+\}(>|<)": "4.1",
}
# What the tools of macOS do not know.
GNU = {
    r"\bsed (-\w+ )*-(i|r|z|s)\b": "sed -E, and a file of its own",
    r"\bgrep (-\w+ )*-\w*P": "grep -E",
    r"\breadlink -\w*[fem]": "cd and pwd",
    r"\brealpath\b": "cd and pwd",
    r"\bdate (-\w+ )*(-d|-I|--date|--iso|\+\S*%N)": "Python",
    r"\bstat (-\w+ )*(-c|--format)": "Python",
    r"\bxargs (-\w+ )*-\w*[rd]\b": "a condition",
    r"\bbase64 (-\w+ )*-w": "tr -d '\\n'",
    r"\bsort (-\w+ )*-\w*V": "Python",
    r"\bhead (-\w+ )*-n ?-": "sed '$d'",
    r"\bfind .*-(printf|regextype)": "Python",
    r"\bln (-\w+ )*-\w*r": "a path of one's own",
    r"\bcp (-\w+ )*(--\w|-\w*[ut]\b)": "plain options",
    r"(^|[;&|]\s*)(timeout|tac|nproc|setsid|seq|numfmt|shuf) ": "Python",
    r"\bmktemp (-\w+ )*(--\w|-p)": "mktemp, or mktemp -d",
    r"\becho -[ne]": "printf",
    r"\bps (-\w+ )*--": "POSIX's options",
}
# ADR 5: what a fresh machine need not have.
ABSENT = r"(^|[;&|(]\s*|\$\()(aws|jq|curl|wget) "


def commands(script: Path) -> list[tuple[int, str]]:
    """The lines of a script that are no comment, with their numbers."""
    lines = enumerate(script.read_text().splitlines(), 1)
    return [(number, line) for number, line in lines if not re.match(r"\s*#", line)]


def test_there_are_scripts_of_both_kinds() -> None:
    assert {path.name for path in POSIX} >= {"deploy.sh", "extract-outputs.sh", "cloud.sh"}
    assert len(SCRIPTS) > len(POSIX)
    assert "dash" in SHELLS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_knows_nothing_that_macos_does_not(script: Path) -> None:
    found = [
        f"{script.relative_to(ROOT)}:{number}: {line.strip()} ({why})"
        for number, line in commands(script)
        for pattern, why in {**NEWER_BASH, **GNU, ABSENT: "ADR 5"}.items()
        if re.search(pattern, line)
    ]

    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        *("mapfile -t lines", "declare -A map", "local -n name", 'x="${name^^}"', "run |& tee", "wait -n"),
        *("[[ -v name ]]", "printf '%(%F)T'", 'x="${name@Q}"', "exec {lock}>file"),
        *(
            "sed -i s/a/b/ file",
            "grep -oP x",
            "readlink -f x",
            "date -d yesterday",
            "date +%s%N",
            "stat -c %s x",
        ),
        *("find . | xargs -r rm", "timeout 5 x", "head -n -1", "sort -V", "echo -e x", "mktemp --suffix=x"),
        *("aws s3 ls", "x=$(curl -s y)", "cat x | jq .y"),
    ],
)
def test_would_find(line: str) -> None:
    assert any(re.search(pattern, line) for pattern in (*NEWER_BASH, *GNU, ABSENT))


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("script", POSIX, ids=lambda path: path.name)
def test_posix_script_is_one(script: Path, shell: str) -> None:
    words = ["busybox", "sh"] if shell == "busybox" else [shell]
    ended = subprocess.run([*words, str(script), "--help"], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"usage: scripts/{script.name}")


@pytest.mark.parametrize("shell", SHELLS)
def test_deploys_under_any_shell(project: Project, shell: str) -> None:
    words = ["busybox", "sh"] if shell == "busybox" else [shell]
    script = str(project.root / "scripts" / "deploy.sh")
    plan = subprocess.run(
        [*words, script, "dev", "--dry-run"],
        cwd="/",
        env=project.variables,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert plan.returncode == 0, plan.stderr
    assert "pixel-prompt-dev: create" in plan.stdout

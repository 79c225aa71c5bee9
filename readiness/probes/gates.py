"""Tests and deployments that scripts and workflows start, and whose failure is lost."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from readiness.probes.finding import Finding
from readiness.probes.process import read
from readiness.probes.shell import Line, Script

_COMMAND: Final = (
    r"(?:sam\s+(?:build|deploy|validate|package)|(?:python3?\s+-m\s+)?pytest|python3?\s+-m\s+unittest"
    r"|npm\s+(?:test|t|run\s+(?:test|build|lint|deploy)[\w:-]*)|npx\s+(?:jest|vitest|playwright\s+test|cdk\s+deploy)|cdk\s+deploy"
    r"|aws\s+cloudformation\s+deploy|aws\s+s3\s+sync|cfn-lint|tox|make\s+(?:test|deploy)"
    r"|curl(?=\s)(?=[^|;&]*(?:\s-[a-zA-Z]*f|\s--fail))"
    r")(?![\w-])"
)
# The first command of a line, or the one after another that has succeeded.
_GATE: Final = re.compile(rf"(?:^|&&|;|\bthen|\belse)\s*(?:[A-Z_]+=\S*\s+|time\s+|env\s+)*{_COMMAND}")
_IGNORED: Final = re.compile(
    rf"(?:^|&&|;|\bthen|\belse)\s*(?:[A-Z_]+=\S*\s+|time\s+|env\s+)*{_COMMAND}(?P<rest>[^|;&]*)"
    r"\|\|\s*(?:true|:|/bin/true|exit\s+0|(?:echo|printf)\b[^|;&]*)\s*$"
)
# What a command left in a file may be judged afterwards.
_KEPT: Final = re.compile(r"(?<![0-9&])>(?!\s*/dev/null|&)|--junit|--json|--report|--output|-o\s|\bxml\b")
_PIPED: Final = re.compile(
    rf"(?:^|&&|;)\s*(?:[A-Z_]+=\S*\s+|time\s+|env\s+)*{_COMMAND}(?:[^|;&]|[0-9]?>&[0-9])*\|\s*&?\s*(?:tee|cat|tail|head|sed)\b"
)
_LOOKS: Final = re.compile(r"\$\?|PIPESTATUS|\btrap\b")


def tested(script: Script) -> bool:
    """Whether a script tests or deploys something."""
    return any(_GATE.search(line.masked) for line in script.lines)


def lost(script: Script, strictly_run: bool = False) -> Iterator[Finding]:  # noqa: FBT001, FBT002
    """Each test and deployment in a script whose failure is certain to be lost.

    Args:
        script: it is read, never run.
        strictly_run: whether something starts it with `bash -e`.
    """
    lines = [line for line in script.lines if line.masked.strip()]
    if script.tolerated:
        for line in lines:
            if _GATE.search(line.masked):
                yield _finding(
                    script, line, "tolerated", "expected a failure to end the job, found continue-on-error"
                )
    looks = bool(_LOOKS.search(script.text))
    for number, line in enumerate(lines):
        ignored = None if line.in_loop else _IGNORED.search(line.masked)
        if ignored and not _KEPT.search(ignored["rest"]):
            yield _finding(script, line, "ignored", "expected a failure to count, found one that || hides")
        elif script.pipefail is False and not looks and _PIPED.search(line.masked):
            yield _finding(
                script,
                line,
                "piped",
                "expected a failure to count, found one that a pipe hides; add set -o pipefail",
            )
        elif (
            script.errexit is False
            and not (looks or strictly_run)
            and _GATE.match(line.masked)
            and not re.search(r"\|\||&&|&\s*$", line.masked)
            and any(not re.match(r"[})]|fi\b|done\b|esac\b", after.masked) for after in lines[number + 1 :])
        ):
            yield _finding(
                script,
                line,
                "goes-on",
                "expected a failure to end the script, found that the script continues; add set -e",
            )


def _finding(script: Script, line: Line, rule: str, message: str) -> Finding:
    command = " ".join(line.text.split())[:60]
    return Finding(script.place, line.number, rule, f"{message}: {command}")


def unread(folder: Path, files: Sequence[Path]) -> tuple[int, list[Finding]]:
    """Return how many tests and deployments Python scripts start, and those whose exit status is not read."""
    count, found = 0, []
    for file in files:
        if file.suffix != ".py" or "subprocess" not in (text := read(file)):
            continue
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (command := _started(node)):
                count += 1
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Call)
                and (command := _started(node.value))
                and not _is_checked(node.value)
            ):
                found.append(
                    Finding(
                        file.relative_to(folder).as_posix(),
                        node.lineno,
                        "unread",
                        f"expected a failure to count, found a status that the script does not read; pass check=True: {command[:60]}",
                    )
                )
    return count, found


def _started(call: ast.Call) -> str:
    """The test or deployment that a call of subprocess starts, '' where it starts none for certain."""
    if not call.args or ast.unparse(call.func) not in ("subprocess.run", "subprocess.call"):
        return ""
    words = call.args[0]
    if isinstance(words, ast.List | ast.Tuple):
        said = " ".join(
            str(word.value) if isinstance(word, ast.Constant) else "python"
            for word in words.elts
            if isinstance(word, ast.Constant) or ast.unparse(word) == "sys.executable"
        )
    else:
        said = words.value if isinstance(words, ast.Constant) and isinstance(words.value, str) else ""
    return said if _GATE.match(said) else ""


def _is_checked(call: ast.Call) -> bool:
    return any(
        word.arg is None
        or (word.arg == "check" and not (isinstance(word.value, ast.Constant) and not word.value.value))
        for word in call.keywords
    )

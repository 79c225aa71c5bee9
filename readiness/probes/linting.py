"""What the linters that are installed say of an application's files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from readiness.errors import Unverified
from readiness.probes import process
from readiness.probes.finding import Finding
from readiness.probes.process import parsed, read, tail

_STORED_KEY: Final = re.compile(
    r"^[^#]*\baws[-_](?:access[-_]key[-_]id|secret[-_]access[-_]key)\s*:\s*[^#]*\$\{\{\s*(?:secrets|vars)\.",
    re.IGNORECASE,
)


def cfn_lint(folder: Path, template: str) -> list[Finding]:
    """Return what cfn-lint reports as an error: CloudFormation refuses it, or it has another effect than written.

    Args:
        folder: the application's folder. cfn-lint uses its `.cfnlintrc`.
        template: the path of the template in the folder.

    Raises:
        Unverified: cfn-lint is not installed, or did not finish.
    """
    done = process.run(["cfn-lint", "--format", "json", "--", template], folder=folder)
    return [
        Finding(
            str(found["Filename"]),
            int(found["Location"]["Start"]["LineNumber"]),
            str(found["Rule"]["Id"]),
            str(found["Message"]),
        )
        for found in parsed(done.stdout, "cfn-lint", done)
        if found["Level"] == "Error"
    ]


def shellcheck(folder: Path, scripts: Sequence[str]) -> list[Finding]:
    """Return what shellcheck reports as an error in scripts.

    Raises:
        Unverified: shellcheck is not installed, or did not finish.
    """
    done = process.run(
        ["shellcheck", "--format", "json1", "--severity", "error", "--", *scripts], folder=folder
    )
    return [
        Finding(str(found["file"]), int(found["line"]), f"SC{found['code']}", str(found["message"]))
        for found in parsed(done.stdout, "shellcheck", done)["comments"]
    ]


def zizmor(folder: Path, workflows: Sequence[str]) -> list[Finding]:
    """Return what zizmor reports with high severity in workflows. zizmor uses the settings in the application's folder.

    Raises:
        Unverified: zizmor is not installed, or left a workflow out.
    """
    command = ["zizmor", "--offline", "--no-progress", "--min-severity", "high", "--format", "json-v1", "--"]
    done = process.run([*command, *workflows], folder=folder)
    answer = parsed(done.stdout, "zizmor", done)
    if left_out := [file for file in workflows if f"completed {file}" not in done.stderr]:
        raise Unverified(f"zizmor did not finish {', '.join(left_out)}: {tail(done)}")
    findings = []
    for found in answer:
        if not found["ignored"]:
            places = found["locations"]
            place = next((each for each in places if each["symbolic"].get("kind") == "Primary"), places[0])
            path = place["symbolic"]["key"].get("Local", {}).get("verbatim_path") or str(
                place["symbolic"]["key"]
            )
            line = place["concrete"]["location"]["start_point"]["row"] + 1
            findings.append(Finding(path, line, found["ident"], found["desc"]))
    return findings


def stored_keys(folder: Path, workflows: Sequence[str]) -> list[Finding]:
    """Return each place where a workflow uses an AWS key that is stored at GitHub."""
    return [
        Finding(file, number, "stored-key", "expected a role by OIDC, found a stored key; use role-to-assume")
        for file in workflows
        for number, line in enumerate(read(folder / file).splitlines(), 1)
        if _STORED_KEY.search(line)
    ]

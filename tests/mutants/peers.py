"""What cfn-lint and Checkov say of the same mutants. They read templates; `watched` asks Prowler, which reads a live stack.

Checkov has an environment of its own, in which `./scripts/cross-examine.sh --tools` puts it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from readiness.errors import UsageProblem
from tests.mutants.mutant import Mutant
from verification.application import ROOT

# A tool that looked cannot miss this one: linters say nothing about what is right, and so does one that did not run.
_CONTROL: Final = {
    "Resources": {"Control": {"Type": "AWS::S3::Bucket", "Properties": {"NoSuchProperty": "control"}}}
}
_DEADLINE_SECONDS: Final = 1800


def noticed(
    tool: str, template: Mapping[str, Any], mutants: Iterable[Mutant], tools: Mapping[str, Peer] | None = None
) -> dict[str, frozenset[str]]:
    """What a tool says of each mutant and not of the template, by the mutant's id; nothing where it is blind.

    Mutants of different resources share a template, and a finding belongs to the mutant of its resource.

    Args:
        tool: one of TOOLS.
        template: without a mutant, in its long form.
        mutants: of that template.
        tools: other ones, for tests.

    Raises:
        UsageProblem: the tool is not there, or did not look.
    """
    rounds = list(_rounds(mutants))
    templates = [template]
    for together in rounds:
        changed: Mapping[str, Any] = template
        for mutant in together:
            changed = mutant.applied(changed)
        templates.append(changed)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        files = [Path(folder) / f"{index}.json" for index in range(len(templates))]
        for file, content in zip(files, templates, strict=True):
            file.write_text(json.dumps(content), encoding="utf-8")
        said = findings_of(tool, files, tools)
    usual = said[files[0]]
    return {
        mutant.id: frozenset(
            finding
            for finding in said[file] - usual
            if len(together) == 1 or finding.endswith(f" {mutant.resource}")
        )
        for file, together in zip(files[1:], rounds, strict=True)
        for mutant in together
    }


def findings(tool: str, template_file: Path) -> frozenset[str]:
    """Each finding about one template: the rule's id, and the logical id that it is about."""
    return findings_of(tool, [template_file])[template_file]


def findings_of(
    tool: str, files: Sequence[Path], tools: Mapping[str, Peer] | None = None
) -> dict[Path, frozenset[str]]:
    """The findings about several templates, in one run of the tool.

    Raises:
        UsageProblem: the tool is not there, or did not look.
    """
    with tempfile.TemporaryDirectory(prefix="control-") as folder:
        control = Path(folder) / "control.json"
        control.write_text(json.dumps(_CONTROL), encoding="utf-8")
        found: dict[Path, set[str]] = {file: set() for file in (*files, control)}
        for file, finding in (tools or TOOLS)[tool].ask([*files, control]):
            found[file].add(finding)
        if not found.pop(control):
            raise UsageProblem(
                f"{tool} found nothing wrong in a template with a planted mistake; run it by hand"
            )
    return {file: frozenset(said) for file, said in found.items()}


def _rounds(mutants: Iterable[Mutant]) -> Iterator[Sequence[Mutant]]:
    """The mutants in groups, each of which has one of a resource; alone, who is about more than one resource."""
    rounds: list[dict[str, Mutant]] = []
    for mutant in mutants:
        if mutant.operator == "remove-resource" or not mutant.resource:
            yield [mutant]
            continue
        free = next((one for one in rounds if mutant.resource not in one), None)
        if free is None:
            rounds.append(free := {})
        free[mutant.resource] = mutant
    yield from (list(one.values()) for one in rounds)


@dataclass(frozen=True)
class Peer:
    """A tool that reads templates.

    Args:
        command: its command line, before the files.
        statuses: how it ends when it looked.
        read: its findings, from what it printed, by the file that each names.
    """

    command: Sequence[str]
    statuses: frozenset[int]
    read: Callable[[Any], Iterator[tuple[str, str]]]

    def ask(self, files: Sequence[Path]) -> Iterator[tuple[Path, str]]:
        """Each finding with the file that it is about."""
        program = Path(self.command[0])
        if not program.is_file():
            raise UsageProblem(f"expected {program}, found nothing; run ./scripts/cross-examine.sh --tools")
        done = subprocess.run(
            [*self.command, *map(str, files)],
            capture_output=True,
            text=True,
            timeout=_DEADLINE_SECONDS,
            check=False,
        )
        try:
            content = json.loads(done.stdout)
        except ValueError as problem:
            raise UsageProblem(f"{program.name} wrote no JSON: {done.stderr[-300:]}") from problem
        if done.returncode not in self.statuses:
            raise UsageProblem(f"{program.name} ended with {done.returncode}: {done.stderr[-300:]}")
        by_name = {str(file): file for file in files}
        yield from ((by_name[name], finding) for name, finding in self.read(content))


def _cfn_lint(matches: Any) -> Iterator[tuple[str, str]]:
    for match in matches:
        path = [str(part) for part in match["Location"].get("Path") or []]
        resource = path[1] if path[:1] == ["Resources"] and len(path) > 1 else ""
        yield match["Filename"], f"{match['Rule']['Id']} {resource}"


def _checkov(content: Any) -> Iterator[tuple[str, str]]:
    for report in content if isinstance(content, list) else [content]:
        if broken := report["results"]["parsing_errors"]:
            raise UsageProblem(f"checkov cannot read {', '.join(broken)}")
        for check in report["results"]["failed_checks"]:
            yield check["file_abs_path"], f"{check['check_id']} {check['resource'].rpartition('.')[2]}"


TOOLS: Final[Mapping[str, Peer]] = {
    "cfn-lint": Peer(
        [str(Path(sys.executable).parent / "cfn-lint"), "--format", "json", "--include-checks", "I", "--"],
        # A sum of 2 for errors, 4 for warnings and 8 for remarks.
        frozenset(range(0, 16, 2)),
        _cfn_lint,
    ),
    "checkov": Peer(
        [
            str(ROOT / ".local/cross-examination/checkov/bin/checkov"),
            *("--framework", "cloudformation", "--skip-download", "--compact", "--soft-fail"),
            *("--output", "json", "--file"),
        ],
        frozenset({0}),
        _checkov,
    ),
}

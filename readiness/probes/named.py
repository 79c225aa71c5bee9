"""The stacks, outputs and log groups that scripts and workflows name in calls of the AWS and SAM CLIs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from readiness.probes.finding import Finding
from readiness.probes.shell import Script

_CALL: Final = re.compile(r"\b(?:aws|sam)\s+[a-z]")
_DEPLOYS: Final = re.compile(
    r"\bsam\s+(?:deploy|sync)\b|\baws\s+cloudformation\s+(?:deploy|create-stack|create-change-set)\b"
)
_OWN: Final = re.compile(r"\bsam\s+(?:logs|traces|delete|list)\b")
_STACK: Final = re.compile(r"--stack-name[ =]+[\"']?(?P<name>[^\s\"']+)")
_LITERAL: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OUTPUT: Final = re.compile(r"OutputKey\s*==\s*\\?[`'\"]+(?P<name>\w+)\\?[`'\"]")
_LOG: Final = re.compile(
    r"(?:\baws\s+logs\s+tail\s+|--log-group-name[ =]+)[\"']?(?P<name>/[\w./#-]+)(?=[\s\"']|$)"
)


@dataclass(frozen=True)
class Names:
    """What there is to be named.

    Args:
        stacks: the names that samconfig.toml gives to stacks.
        outputs: the template's; None where they are not all written there.
        log_groups: those whose names are certain, of every stack.
        spelt: the template's text, in which any other log group may stand.
    """

    stacks: frozenset[str]
    outputs: frozenset[str] | None
    log_groups: frozenset[str]
    spelt: str

    @classmethod
    def of(cls, template: Mapping[str, Any], stacks: Sequence[str]) -> Names:
        outputs = template.get("Outputs") or {}
        computed = "Fn::" in "".join(outputs) or "Fn::Transform" in template
        said = [
            (resource.get("Properties") or {}).get("LogGroupName")
            for resource in template["Resources"].values()
            if isinstance(resource, Mapping) and resource.get("Type") == "AWS::Logs::LogGroup"
        ]
        names = [each.get("Fn::Sub") if isinstance(each, Mapping) else each for each in said]
        certain = [
            name.replace("${AWS::StackName}", stack)
            for name in names
            if isinstance(name, str)
            for stack in stacks
        ]
        whole = all(
            isinstance(name, str) and "${" not in name.replace("${AWS::StackName}", "") for name in names
        )
        return cls(
            frozenset(stacks),
            None if computed else frozenset(outputs),
            frozenset(certain if whole else ()),
            str(template),
        )


def unknown(scripts: Sequence[Script], names: Names) -> tuple[int, list[Finding]]:
    """How many names can be judged, and those that nothing has."""
    calls = [
        (script, line.number, line.text)
        for script in scripts
        for line in script.lines
        if _CALL.search(line.masked)
    ]
    deployed = [
        found["name"] for _, _, text in calls if _DEPLOYS.search(text) for found in _STACK.finditer(text)
    ]
    known = names.stacks | {*deployed}
    all_known = bool(names.stacks) and all(_LITERAL.fullmatch(name) for name in deployed)
    count, findings = 0, []
    for script, number, text in calls:
        if _DEPLOYS.search(text):
            continue
        for is_known, message in _judged(text, names, known, all_known=all_known):
            count += 1
            if not is_known:
                findings.append(Finding(script.place, number, "unknown-name", message))
    return count, findings


def _judged(text: str, names: Names, known: frozenset[str], *, all_known: bool) -> Iterator[tuple[bool, str]]:
    """For each name in a call of this stack whether there is such, and what to say where there is not."""
    found = _STACK.search(text)
    stack = found["name"] if found and _LITERAL.fullmatch(found["name"]) else ""
    outputs = {output["name"] for output in _OUTPUT.finditer(text)}
    # A stack that is not deployed from here may be another team's. Outputs of ours show that this application was meant.
    is_ours = bool(_OWN.search(text) or outputs & (names.outputs or set()))
    if stack and all_known and (is_ours or stack in known):
        has = ", ".join(sorted(known))
        yield stack in known, f"expected a stack of samconfig.toml ({has}), found {stack}; correct it"
    if stack in names.stacks and names.outputs is not None:
        for name in sorted(outputs):
            has = ", ".join(sorted(names.outputs)) or "none"
            yield (
                name in names.outputs,
                f"expected an output of the template ({has}), found {name}; correct it, or declare it",
            )
    for log in _LOG.finditer(text):
        name = log["name"]
        # Below a folder in which every log group is the template's, no other program makes one.
        folder = next((f"/{stack}/" for stack in names.stacks if name.startswith(f"/{stack}/")), "")
        if folder and any(group.startswith(folder) for group in names.log_groups):
            has = ", ".join(sorted(group for group in names.log_groups if group.startswith(folder)))
            yield (
                name in names.log_groups or name in names.spelt,
                f"expected a log group of the template ({has}), found {name}; correct it",
            )

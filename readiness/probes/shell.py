"""Shell scripts, and the steps of GitHub's workflows that are some."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from readiness.errors import Unverified
from readiness.probes.process import read

_SHEBANG: Final = re.compile(r"#!\s*(?:/usr/bin/env\s+(?:-S\s+)?|\S*/)(?:ba|da|z)?sh\b(?P<options>[^\n]*)")
_HEREDOC: Final = re.compile(r"<<(-?)\s*(['\"]?)(\w+)\2")
_ERREXIT: Final = re.compile(r"(?m)^\s*set\s+(?:-\w+\s+)*(?:-\w*e|-o\s+errexit|-\w*o\s+errexit)")
_SOURCES: Final = re.compile(r"(?m)(?:^|[;&|]\s*)\s*(?:\.|source)\s+\S")


@dataclass(frozen=True)
class Line:
    """One command line, with what continues it.

    Args:
        number: of its first line in the file.
        text: as it is written.
        masked: the same with blanks for comments, and underscores for what is quoted.
        in_loop: whether it is run again and again.
    """

    number: int
    text: str
    masked: str
    in_loop: bool


@dataclass(frozen=True)
class Script:
    """A shell script, or a step of a workflow.

    Args:
        place: its file, relative to the application's folder.
        text: the commands.
        first: the number of its first line in the file.
        errexit: whether it ends at the first command that fails; None where that is unknown.
        pipefail: whether a pipe fails with any command in it; None where that is unknown.
        tolerated: whether its failure is declared to have no effect.
    """

    place: str
    text: str
    first: int
    errexit: bool | None
    pipefail: bool | None
    tolerated: bool = False

    @property
    def lines(self) -> Sequence[Line]:
        masked = mask(self.text).split("\n")
        written = self.text.split("\n")
        found: list[Line] = []
        depth, start = 0, 0
        while start < len(written):
            end = start
            while end + 1 < len(written) and re.search(r"(?:\\|\|\||&&|\|)\s*$", masked[end]):
                end += 1
            joined = " ".join(line.rstrip().removesuffix("\\") for line in masked[start : end + 1])
            opened = len(
                re.findall(r"(?:^|[;&|({]|\bdo|\bthen|\belse)\s*(?:for|while|until|select)\b", joined)
            )
            found.append(
                Line(
                    self.first + start,
                    "\n".join(written[start : end + 1]),
                    joined,
                    in_loop=depth + opened > 0,
                )
            )
            depth = max(0, depth + opened - len(re.findall(r"(?:^|[;&|])\s*done\b", joined)))
            start = end + 1
        return found


def mask(text: str) -> str:
    """A script with blanks for comments and here-documents, and underscores for what is quoted; lines stay."""
    out: list[str] = []
    quote, place, pending = "", 0, list[tuple[str, str]]()
    while place < len(text):
        sign = text[place]
        if sign == "\\" and quote != "'" and place + 1 < len(text):
            out.append(text[place : place + 2] if not quote or text[place + 1] == "\n" else "__")
            place += 2
            continue
        if quote:
            quote = "" if sign == quote else quote
            out.append(sign if sign == "\n" or not quote else "_")
        elif sign in "'\"":
            quote = sign
            out.append(sign)
        elif sign == "#" and (place == 0 or text[place - 1] in " \t\n;"):
            line = text.find("\n", place)
            end = len(text) if line < 0 else line
            out.append(" " * (end - place))
            place = end
            continue
        elif (found := _HEREDOC.match(text, place)) and text[place - 1 : place] != "<":
            pending.append((found[1], found[3]))
            out.append("_" * len(found[0]))
            place = found.end()
            continue
        elif sign == "\n" and pending:
            place += 1
            out.append("\n")
            for dash, word in pending:
                tabs = r"[\t]*" if dash else ""
                last = re.compile(rf"^{tabs}{word}$", re.MULTILINE).search(text, place)
                until = last.end() if last else len(text)
                out.append(re.sub(r"[^\n]", " ", text[place:until]))
                place = until
            pending = []
            continue
        else:
            out.append(sign)
        place += 1
    return "".join(out)


def scripts(folder: Path, files: Sequence[Path]) -> list[Script]:
    """The shell scripts among the files that are started by themselves."""
    found = []
    for file in files:
        if file.suffix not in ("", ".sh", ".bash") and not file.stem.startswith("."):
            continue
        text = read(file)
        if shebang := _SHEBANG.match(text):
            includes = bool(_SOURCES.search(mask(text)))
            strict = bool(_ERREXIT.search(text) or re.search(r"\s-\w*e", shebang["options"]))
            pipes = "pipefail" in text
            found.append(
                Script(
                    file.relative_to(folder).as_posix(),
                    text,
                    1,
                    strict or (None if includes else False),
                    pipes or (None if includes else False),
                )
            )
    return found


def workflow_files(folder: Path) -> list[Path]:
    """The files of GitHub's workflows."""
    place = folder / ".github" / "workflows"
    return sorted(file for file in place.glob("*") if file.suffix in (".yml", ".yaml"))


def steps(folder: Path) -> list[Script]:
    """The steps of the workflows that run a shell.

    Raises:
        Unverified: a workflow cannot be read.
    """
    found: list[Script] = []
    for file in workflow_files(folder):
        text = read(file)
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as problem:
            raise Unverified(f"{file.name} cannot be read: {problem}") from problem
        found += _of_workflow(file.relative_to(folder).as_posix(), text, root)
    return found


def _of_workflow(place: str, text: str, root: yaml.Node | None) -> Iterator[Script]:
    everywhere = _at(root, "defaults", "run", "shell")
    jobs = _at(root, "jobs")
    for _, job in jobs.value if isinstance(jobs, yaml.MappingNode) else []:
        inner = _at(job, "defaults", "run", "shell") or everywhere
        runner = _at(job, "runs-on")
        known = isinstance(runner, yaml.ScalarNode) and runner.value.startswith(("ubuntu", "macos"))
        every = _at(job, "steps")
        for step in every.value if isinstance(every, yaml.SequenceNode) else []:
            run = _at(step, "run")
            if not isinstance(run, yaml.ScalarNode):
                continue
            shell = _at(step, "shell") or inner
            name = shell.value if isinstance(shell, yaml.ScalarNode) else ""
            # Source: GitHub Docs, "Workflow syntax", jobs.<job_id>.steps[*].shell: bash -e {0} where none is named.
            strict, pipes = {"": (True, False), "bash": (True, True), "sh": (True, False)}.get(
                name, (None, None)
            )
            if not known and not name:
                strict = pipes = None
            id_ = _at(step, "id")
            looked_at = isinstance(id_, yaml.ScalarNode) and re.search(
                rf"steps\.{re.escape(id_.value)}\.(?:outcome|outputs)", text
            )
            yield Script(
                place,
                run.value,
                run.start_mark.line + (2 if run.style in ("|", ">") else 1),
                strict,
                True if "pipefail" in run.value else pipes,
                tolerated=not looked_at and (_is_true(step, text) or _is_true(job, text)),
            )


def _is_true(node: yaml.Node, text: str) -> bool:
    said = _at(node, "continue-on-error")
    return (
        isinstance(said, yaml.ScalarNode)
        and said.value == "true"
        and not re.search(r"\.outcome\b|\.result\b", text)
    )


def _at(node: yaml.Node | None, *keys: str) -> yaml.Node | None:
    for key in keys:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((value for name, value in node.value if name.value == key), None)
    return node

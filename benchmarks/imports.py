"""Where the time of a function's start goes: its deployed package, imported by an interpreter like Lambda's."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from readiness.aws.function import Function
from readiness.errors import Unverified
from verification.application import ROOT

_PYTHON = ROOT / ".tools" / "lambda" / "bin" / "python"
_LINE = re.compile(r"^import time: +(?P<own>\d+) \| +\d+ \| *(?P<module>\S+)$")
_MARK = "benchmark-import-begins"
_SCRIPT = (
    "import sys, time; sys.path.insert(0, sys.argv[2]); print(sys.argv[3], file=sys.stderr);"
    "began = time.perf_counter(); __import__(sys.argv[1]); print(time.perf_counter() - began)"
)
_DEADLINE_SECONDS = 30
_STANDARD = "standard library"


@dataclass(frozen=True)
class Start:
    """Imports of a handler's module, in milliseconds.

    Args:
        imports: spent in importing each package, without what that package imported in its turn; tracing, which
            costs a little, included.
        preparing: how much longer it takes where the function makes its clients at once, as it does on Lambda.
    """

    imports: Mapping[str, float]
    preparing: float


@dataclass(frozen=True)
class Package:
    """A function's package, unpacked."""

    function: Function
    folder: Path

    @cached_property
    def module(self) -> str:
        return str(self.function.configuration["Handler"]).rpartition(".")[0]

    def start(self) -> Start:
        """Import the handler's module in new interpreters that see what Lambda's would.

        Raises:
            Unverified: the interpreter is missing, or the import failed.
        """
        _, trace = self._run("-X", "importtime")
        plain, _ = self._run()
        prepared, _ = self._run(AWS_LAMBDA_FUNCTION_NAME=self.function.name)
        return Start(read(trace), (prepared - plain) * 1000)

    def _run(self, *options: str, **more: str) -> tuple[float, str]:
        """Seconds that the import took, and what was written meanwhile."""
        variables = {
            **self.function.environment,
            "AWS_REGION": self.function.env.region,
            "AWS_DEFAULT_REGION": self.function.env.region,
            # Nothing is called; a client wants to be able to sign.
            **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
            **more,
        }
        # -B, because the folder of a function's code cannot be written on Lambda.
        command = [str(_PYTHON), "-I", "-B", *options, "-c", _SCRIPT, self.module, str(self.folder), _MARK]
        try:
            done = subprocess.run(
                command,
                env=variables,
                cwd=self.folder,
                capture_output=True,
                text=True,
                check=False,
                timeout=_DEADLINE_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise Unverified(
                f"{self.module} cannot be imported: {problem}; run ./scripts/setup.sh"
            ) from problem
        if done.returncode:
            raise Unverified(f"{self.module} cannot be imported: {done.stderr.strip()[-300:]}")
        return float(done.stdout), done.stderr


def read(trace: str) -> Mapping[str, float]:
    """What `-X importtime` wrote, in milliseconds by package.

    Raises:
        Unverified: it wrote nothing of what followed the mark.
    """
    imports: dict[str, float] = {}
    for line in trace.partition(_MARK)[2].splitlines():
        if found := _LINE.match(line):
            top = found["module"].partition(".")[0]
            owner = _STANDARD if top in sys.stdlib_module_names else top
            imports[owner] = imports.get(owner, 0.0) + int(found["own"]) / 1000
    if not imports:
        raise Unverified("the interpreter reported no import; run ./scripts/setup.sh")
    return imports


def unpacked(function: Function, scratch: Path) -> Package:
    """The package that is deployed, as files."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    for name, content in function.package.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return Package(function, folder)

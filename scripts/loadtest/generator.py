"""Artillery: the command line for a profile, and a run of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from readiness.errors import Unverified, UsageProblem
from scripts.loadtest.profile import Profile
from verification.application import ROOT

RUNNERS = {"here": "run", "fargate": "run-fargate", "lambda": "run-lambda"}
"""Who generates the load, and Artillery's command for it."""

_BROUGHT = ROOT / ".tools" / "load" / "node_modules" / ".bin"
_PROGRESS_SECONDS = 10
# Users finish their last request and pause; a container in AWS has to be started and its results fetched.
_PATIENCE_SECONDS = {"here": 120, "fargate": 900, "lambda": 600}


@dataclass(frozen=True)
class Generator:
    """Artillery, and where it generates the load.

    Args:
        runner: one of RUNNERS.
        region: of the workers in AWS.
        folder: where Artillery lies.
    """

    runner: str = "here"
    region: str = ""
    folder: Path = _BROUGHT

    def command(self, profile: Profile, target: str, output: Path) -> Sequence[str]:
        """Artillery's command line.

        Raises:
            UsageProblem: several generators are wanted of one machine.
        """
        remote = self.runner != "here"
        if profile.generators > 1 and not remote:
            raise UsageProblem(
                f"this machine is one generator, and {profile.generators} are wanted; use --on fargate or --on lambda, "
                "or leave --count out"
            )
        overrides = profile.overrides()
        return [
            *("artillery", RUNNERS[self.runner], "--target", target, "--output", str(output)),
            *(("--region", self.region, "--count", str(profile.generators)) if remote else ()),
            *(("--overrides", json.dumps(overrides)) if overrides else ()),
            str(profile.file.relative_to(ROOT)),
        ]

    def run(
        self, profile: Profile, target: str, where: Path, *, ca_bundle: str | None, say: Callable[[str], None]
    ) -> Path:
        """Run it; `where` gets Artillery's JSON and what it printed.

        Raises:
            UsageProblem: Artillery is not installed.
            Unverified: it did not end well or in time.
        """
        output, log = where / "artillery.json", where / "artillery.log"
        command, environ = self.command(profile, target, output), _variables(self.folder, ca_bundle)
        if self.runner == "here":
            environ["LOADTEST_OWNER"] = str(os.getpid())
        program = shutil.which(command[0], path=environ["PATH"])
        if program is None:
            raise UsageProblem("Artillery is not installed; run ./scripts/setup.sh --load")
        limit = profile.seconds + _PATIENCE_SECONDS[self.runner]
        with (
            log.open("w", encoding="utf-8") as printed,
            subprocess.Popen(
                [program, *command[1:]], cwd=ROOT, env=environ, stdout=printed, stderr=subprocess.STDOUT
            ) as process,
        ):
            try:
                status = _watch(process, profile, limit, say)
            finally:
                process.terminate()
        if status != 0:
            raise Unverified(
                f"Artillery ended with {status}: {log.read_text(encoding='utf-8').strip()[-300:]}; see {log}"
            )
        return output


def _watch(
    process: subprocess.Popen[bytes], profile: Profile, limit: float, say: Callable[[str], None]
) -> int:
    begun = time.monotonic()
    while True:
        try:
            return process.wait(_PROGRESS_SECONDS)
        except subprocess.TimeoutExpired:
            gone = time.monotonic() - begun
            if gone > limit:
                raise Unverified(f"Artillery had not ended after {gone:.0f} s") from None
            say(f"load: {_phase(profile, gone)}, {gone:.0f} of {profile.seconds:.0f} s")


def _phase(profile: Profile, gone: float) -> str:
    for phase in profile.phases:
        gone -= phase.seconds
        if gone < 0:
            return phase.name
    return "the last users leave"


def _variables(folder: Path, ca_bundle: str | None) -> dict[str, str]:
    """What Artillery runs with: its own folder first, nothing sent to its makers, and whom to trust."""
    variables = {
        **os.environ,
        "PATH": os.pathsep.join([str(folder), str(ROOT / ".tools" / "bin"), os.environ.get("PATH", "")]),
        "ARTILLERY_DISABLE_TELEMETRY": "true",
    }
    return {**variables, "NODE_EXTRA_CA_CERTS": ca_bundle} if ca_bundle else variables

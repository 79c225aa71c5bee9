"""A run's own temporary folder. It goes when the run ends, and with it every process that the run has started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from readiness.errors import UsageProblem
from readiness.run import processes

_REAPER = Path(__file__).with_name("reaper.py")
_PATIENCE = 10  # seconds for the reaper to kill and remove


@dataclass(frozen=True)
class Room:
    """The folder, and the process that watches over it."""

    folder: Path
    _before: str | None = field(repr=False)
    _reaper: subprocess.Popen[bytes] = field(repr=False)

    @classmethod
    def open(cls, *others: Path, grace: timedelta) -> Room:
        """Make the folder, and have everything temporary of this process and its children put there.

        Args:
            others: folders that are unfinished as long as the run is, and go with it.
            grace: how long workers may clean up after the run was killed.

        Raises:
            UsageProblem: there is no room for temporary files.
        """
        before = os.environ.get(processes.VARIABLE)
        try:
            folder = Path(tempfile.mkdtemp(prefix="verification-")).resolve()
        except OSError as problem:
            raise UsageProblem(
                f"no temporary folder can be made in {tempfile.gettempdir()}: {problem.strerror}; "
                f"free some space there, or set {processes.VARIABLE} to another folder"
            ) from problem
        command = [sys.executable, "-P", str(_REAPER), str(folder), str(grace.total_seconds())]
        # In a session of its own, so that no signal to this run's group reaches it.
        reaper = subprocess.Popen(
            [*command, *map(str, others)], stdin=subprocess.PIPE, cwd="/", start_new_session=True
        )
        _use(str(folder))
        return cls(folder, before, reaper)

    def close(self) -> None:
        """Remove the folder, and end every process that still uses it."""
        _use(self._before)
        try:
            self._reaper.communicate(b"the run has ended\n", timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._reaper.kill()
            self._reaper.wait()
        processes.kill(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)


def _use(folder: str | None) -> None:
    if folder is None:
        os.environ.pop(processes.VARIABLE, None)
    else:
        os.environ[processes.VARIABLE] = folder
    tempfile.tempdir = None  # asked for again at its next use

"""Which Chromium drives the page: $CHROME_PATH, the system's, or the one that npm carried into .tools/browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from readiness.errors import Unverified
from verification.application import ROOT

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CARRIED = Path("node_modules", "@sparticuz", "chromium", "bin")
_BINARY, _LIBRARIES = "chromium.br", "al2023.tar.br"
_EXPAND = "const {createReadStream:r,createWriteStream:w}=require('fs');require('stream').pipeline(r(process.argv[1]),require('zlib').createBrotliDecompress(),w(process.argv[2]),e=>process.exit(e?1:0))"


@dataclass(frozen=True)
class Chromium:
    """An executable, and what it needs in its environment.

    Args:
        path: the executable.
        origin: who brought it, for people.
        variables: environment variables that it needs beside those of this process.
    """

    path: Path
    origin: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"Chromium of {self.origin}"


def find(tools: Path = ROOT / ".tools", environ: Mapping[str, str] = os.environ) -> Chromium:
    """The browser of this machine; one that npm carried is unpacked at the first call.

    Raises:
        Unverified: there is none.
    """
    if named := environ.get("CHROME_PATH"):
        if not os.access(named, os.X_OK):
            raise Unverified(
                f"$CHROME_PATH names {named}, which cannot be run; name a Chromium, or unset it and run ./scripts/setup.sh"
            )
        return Chromium(Path(named), "$CHROME_PATH")
    for name in _NAMES:
        if found := shutil.which(name, path=environ.get("PATH", os.defpath)):
            return Chromium(Path(found), f"the system ({name})")
    if (tools / "browser" / _CARRIED / _BINARY).is_file():
        return _carried(tools, environ)
    raise Unverified(
        "no browser: $CHROME_PATH names none, PATH has no Chromium and .tools/browser carries none; run ./scripts/setup.sh"
    )


def _carried(tools: Path, environ: Mapping[str, str]) -> Chromium:
    source = tools / "browser" / _CARRIED
    # A newer package must not be answered with what an older one unpacked.
    home = tools / "browser" / f"unpacked-{(source / _BINARY).stat().st_size}"
    if not home.is_dir():
        _unpack(source, home, tools / "bin" / "node")
    libraries = [str(home / "lib"), *filter(None, [environ.get("LD_LIBRARY_PATH")])]
    variables = {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}
    return Chromium(home / "chromium", "npm (@sparticuz/chromium)", variables)


def _unpack(source: Path, home: Path, node: Path) -> None:
    """Whole or not at all: two runs may start at once, and either may die."""
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=home.parent) as scratch:
        made = Path(scratch, "chromium")
        made.mkdir()
        _expand(source / _BINARY, made / "chromium", node)
        (made / "chromium").chmod(0o755)
        _expand(source / _LIBRARIES, made / "libraries.tar", node)
        with tarfile.open(made / "libraries.tar") as archive:
            # Python before 3.11.4, such as Debian 12's, has no filters: https://peps.python.org/pep-0706
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(made)  # noqa: S202  # the lock file's hash says whose archive it is
        (made / "libraries.tar").unlink()
        try:
            made.rename(home)
        except OSError:
            if not home.is_dir():  # no other process was faster
                raise


def _expand(packed: Path, target: Path, node: Path) -> None:
    """Python has no Brotli of its own; Node does."""
    try:
        done = subprocess.run(
            [str(node), "-e", _EXPAND, str(packed), str(target)],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as problem:
        raise Unverified(f"{packed.name} cannot be unpacked: {problem}; run ./scripts/setup.sh") from problem
    if done.returncode:
        raise Unverified(
            f"{packed.name} cannot be unpacked: {done.stderr[-200:] or 'broken'}; remove .tools/browser and run ./scripts/setup.sh"
        )

"""What a deployment publishes: the page as it is built, and the functions' packages."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from readiness.errors import Unverified
from readiness.probes import leaks, template
from readiness.probes.finding import Finding
from readiness.probes.process import read
from readiness.secret_parameters import variable_of
from verification.probes.build import ADDRESSES, build
from verification.probes.page import loaded

_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_VITE_FILES = (".env", ".env.local", ".env.production", ".env.production.local")
_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$", re.MULTILINE)
_LEAST = 8  # characters; a shorter value stands in any bundle by chance


@dataclass(frozen=True)
class Artefacts:
    """What a checkout's deployment would publish."""

    app: Path

    @property
    def _private(self) -> list[str]:
        """What a machine that builds and deploys has in its environment, and no artefact may carry."""
        keys = template.secrets(self.app / "backend" / "template.yaml")
        return [*map(variable_of, keys), *_CREDENTIALS]

    def secrets(self) -> list[Finding]:
        """Values of configured secrets, and everything with a key's form, in the page and in the packages.

        Raises:
            Unverified: the page cannot be built, or there is nothing to check.
        """
        planted = {name: f"planted-{secrets.token_hex(12)}" for name in self._private}
        with tempfile.TemporaryDirectory(prefix="dist-") as scratch:
            dist = Path(scratch, "dist")
            self._build(dist, planted)
            values = [*planted.items(), *self._configured()]
            found = self._scan("frontend/dist", dist, values)
            for function, folder in self._packages():
                found += self._scan(f"{function}'s package", folder, values)
        return found

    def unguarded_code(self) -> list[Finding]:
        """Scripts and styles that the built page loads without naming the hash of their content.

        Raises:
            Unverified: the page cannot be built, or loads nothing.
        """
        with tempfile.TemporaryDirectory(prefix="dist-") as scratch:
            dist = Path(scratch, "dist")
            build(self.app / "frontend", dist, ADDRESSES)
            code = loaded(read(dist / "index.html"))
            if not code:
                raise Unverified(
                    "expected scripts or styles in the built frontend/dist/index.html, found that it loads no script and no "
                    "style; run 'npm run build' in frontend/ and correct the build"
                )
            return [
                Finding(
                    "frontend/dist/index.html", 0, path, f"expected integrity={expected!r}, found {said!r}"
                )
                for path, said in code
                if said != (expected := _integrity(dist / path.removeprefix("/")))
            ]

    def _build(self, dist: Path, planted: Mapping[str, str]) -> None:
        settings = {name for file in _VITE_FILES for name, _ in _assignments(self.app / "frontend" / file)}
        addresses = {name: value for name, value in ADDRESSES.items() if name not in settings}
        build(self.app / "frontend", dist, {**planted, **addresses})

    def _configured(self) -> Iterator[tuple[str, str]]:
        """Names and values of the secrets that this machine and this checkout hold."""
        yield from ((name, os.environ[name]) for name in self._private if name in os.environ)
        for file in (
            *(self.app / "frontend" / name for name in _VITE_FILES),
            *sorted((self.app / "backend").glob(".env*")),
        ):
            yield from ((name, value) for name, value in _assignments(file) if _SECRET_NAME.search(name))

    def _packages(self) -> Iterator[tuple[str, Path]]:
        """Each function, and the folder that SAM zips for it."""
        backend = self.app / "backend"
        functions = {
            name: resource
            for name, resource in template.resources(backend / "template.yaml").items()
            if resource.get("Type") == "AWS::Serverless::Function"
        }
        if not functions:
            raise Unverified("backend/template.yaml declares no function")
        for name, resource in functions.items():
            is_unbuilt = resource.get("Metadata", {}).get("SkipBuild")
            code = resource["Properties"].get("CodeUri")
            if is_unbuilt and not isinstance(code, str):
                raise Unverified(f"{name}: expected a folder as CodeUri, found {code!r}")
            folder = backend / code if is_unbuilt else backend / ".aws-sam" / "build" / name
            if not folder.is_dir():
                raise Unverified(f"{name}: {folder.relative_to(self.app)} does not exist; run sam build")
            yield name, folder

    def _scan(self, where: str, folder: Path, values: list[tuple[str, str]]) -> list[Finding]:
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        if not files:
            raise Unverified(f"{where} is empty")
        found = []
        for file in files:
            name = f"{where}: {file.relative_to(folder)}"
            text = file.read_bytes().decode("utf-8", "ignore")
            found += [
                Finding(name, 0, variable, "holds the value of this variable")
                for variable, value in values
                if len(value) >= _LEAST and value in text
            ]
            # A bundle is one line: each string by itself, or one detector's doubt would clear them all.
            strings = ((name, 0, part) for part in re.split(r"[\"'`\n]", text) if len(part) >= _LEAST)
            found += [
                Finding(file_, line, kind, "looks like a secret")
                for file_, line, kind in sorted(leaks.found_in(strings))
            ]
        return found


def _assignments(file: Path) -> list[tuple[str, str]]:
    return [(name, value.strip("\"'")) for name, value in _ASSIGNMENT.findall(read(file))]


def _integrity(file: Path) -> str:
    """What a page has to say of a file that it loads."""
    if not file.is_file():
        return "that of a file which is built"
    return f"sha384-{base64.b64encode(hashlib.sha384(file.read_bytes()).digest()).decode()}"

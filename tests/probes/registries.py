"""npm's registry, PyPI and the advisory services, as far as the tools ask them: small, on loopback, told what to say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.probes.server import Reply, Request, StubServer
from verification.application import ROOT

_BULK = "/npm/-/npm/v1/security/advisories/bulk"
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;]+)", re.MULTILINE)
_HASH = "0" * 64


class Registries:
    """Knows every package that a checkout has locked; each is at its latest, and no advisory is about any.

    `npm_latest` and `python_latest` tell of newer releases, `npm_advisories` and `python_advisories` of severities
    and of ids, each by the package's name. `away` holds the services that fail: npm, audit, pypi or osv.
    """

    def __init__(self, app: Path) -> None:
        locks = [app / "frontend" / "package-lock.json"]
        packages = {
            path.rpartition("node_modules/")[2]: package["version"]
            for lock in locks
            for path, package in json.loads(lock.read_text())["packages"].items()
            if path.count("node_modules/") == 1
        }
        pins = [_PIN.findall(lock.read_text()) for lock in sorted((app / "requirements").glob("*.txt"))]
        self.npm, self.python = packages, {name: version for pinned in pins for name, version in pinned}
        self.npm_latest: dict[str, str] = {}
        self.python_latest: dict[str, str] = {}
        self.npm_advisories: dict[str, str] = {}
        self.python_advisories: dict[str, str] = {}
        self.away: set[str] = set()
        self._server = StubServer()
        self._server.answer = self._answer

    @property
    def variables(self) -> Mapping[str, str]:
        """The tools' own settings that lead them here."""
        return {
            "npm_config_registry": f"{self._server.url}/npm/",
            "UV_DEFAULT_INDEX": f"{self._server.url}/simple/",
            "UV_HTTP_RETRIES": "0",
            "PIP_AUDIT_OSV_URL": f"{self._server.url}/osv",
            "NO_PROXY": "127.0.0.1",
        }

    @contextmanager
    def saying(self, about: dict[str, str], **facts: str) -> Iterator[None]:
        """One of the tables holds more."""
        before = dict(about)
        about |= facts
        try:
            yield
        finally:
            about.clear()
            about |= before

    @contextmanager
    def without(self, service: str) -> Iterator[None]:
        """One of the services fails."""
        self.away.add(service)
        try:
            yield
        finally:
            self.away.discard(service)

    def close(self) -> None:
        self._server.close()

    def _answer(self, request: Request) -> Reply:
        if request.path == _BULK:
            return self._failed("audit") or Reply.json(
                {name: [_npm_advisory(name, severity)] for name, severity in self.npm_advisories.items()}
            )
        if request.path.startswith("/npm/"):
            name = request.path.removeprefix("/npm/").replace("%2f", "/").replace("%2F", "/")
            return self._failed("npm") or self._npm_package(name)
        if request.path == "/osv":
            return self._failed("osv") or self._osv(json.loads(request.body)["package"]["name"])
        return self._failed("pypi") or self._python_package(request.path.removeprefix("/simple/"))

    def _failed(self, service: str) -> Reply | None:
        return Reply.json({"message": "away"}, 503) if service in self.away else None

    def _npm_package(self, name: str) -> Reply:
        if name not in self.npm:
            return Reply.json({"error": "not found"}, 404)
        latest = self.npm_latest.get(name, self.npm[name])
        dist = {"tarball": f"{self._server.url}/none.tgz"}
        versions = {
            version: {"name": name, "version": version, "dist": dist} for version in (self.npm[name], latest)
        }
        return Reply.json({"name": name, "dist-tags": {"latest": latest}, "versions": versions})

    def _osv(self, name: str) -> Reply:
        if name not in self.python_advisories:
            return Reply.json({})
        affected = {"package": {"name": name, "ecosystem": "PyPI"}, "ranges": []}
        advisory = {"id": self.python_advisories[name], "summary": "planted", "affected": [affected]}
        return Reply.json({"vulns": [advisory]})

    def _python_package(self, path: str) -> Reply:
        name = path.strip("/").partition("/")[0]
        if name not in self.python:
            return Reply(404)
        version = self.python_latest.get(name, self.python[name])
        if path.endswith(".metadata"):
            return Reply(body=f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode())
        wheel = f"{name.replace('-', '_').replace('.', '_')}-{version}-py3-none-any.whl"
        entry = {
            "filename": wheel,
            "url": f"{self._server.url}/simple/{name}/{wheel}",
            "hashes": {"sha256": _HASH},
            "core-metadata": True,
        }
        content = {"meta": {"api-version": "1.1"}, "name": name, "files": [entry]}
        headers = {"Content-Type": "application/vnd.pypi.simple.v1+json", "Cache-Control": "no-store"}
        return Reply(body=json.dumps(content).encode(), headers=headers)


def _npm_advisory(name: str, severity: str) -> dict[str, object]:
    return {
        "id": 1,
        "url": "https://example.com/advisory",
        "title": f"{name} can be made to run anything",
        "severity": severity,
        "vulnerable_versions": "*",
        "cwe": [],
        "cvss": {"score": 9.8, "vectorString": None},
    }


def main(command: list[str]) -> int:
    """Run a command that asks these instead of the internet's; its exit status."""
    if not command:
        print("usage: python -m tests.probes.registries COMMAND...", file=sys.stderr)
        return 4
    registries = Registries(ROOT)
    try:
        return subprocess.run(command, env={**os.environ, **registries.variables}, check=False).returncode
    finally:
        registries.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

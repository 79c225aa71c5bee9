"""What the manifests ask for, what the lock files hold, and what the world knows of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from packaging.requirements import InvalidRequirement, Requirement  # comes with pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from readiness.errors import NeedsInternet, Unverified
from readiness.probes import addresses, process
from readiness.probes.finding import Finding
from readiness.probes.process import parsed, read, tail
from verification.application import ROOT

_FRONTEND = Path("frontend")
_NPM_KINDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==(?P<version>[\w.!+]+)(?:\s*;\s*(?P<marker>[^\\]+?))?"
)
_ASKED_FOR = re.compile(r"\(pyproject\.toml:(\w+)\)")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")
_SUITE_LOCKS = ("lambda", "suite")
# A service that answers nothing useful is as far away as one that answers nothing.
_UNREACHABLE = re.compile(
    r"\b(?:ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|FETCH_ERROR|ERR_SOCKET_TIMEOUT"
    r"|E[45]\d\d|ConnectionError|ConnectTimeout|ReadTimeout|HTTPError|ServiceError|tcp connect|dns error"
    r"|error sending request|status server error|Connection refused)\b"
)
_DEADLINE = timedelta(minutes=2)


@dataclass(frozen=True)
class Locked:
    """One package of a requirements file; `group` is the one of pyproject.toml that asks for it by name."""

    name: str
    version: Version
    group: str | None


@dataclass(frozen=True)
class Behind:
    """A direct dependency, as it is locked and as it could be."""

    name: str
    locked: str
    latest: str

    @property
    def majors(self) -> int:
        """How many major versions lie between, as the first number counts them."""
        return Version(self.latest).major - Version(self.locked).major


@dataclass(frozen=True)
class Packages:
    """A checkout's dependencies."""

    app: Path

    def npm_mismatches(self) -> list[Finding]:
        """Where a package-lock.json is not what the package.json beside it asks for, or pins without a hash."""
        folders = [_FRONTEND, *(file.parent.relative_to(self.app) for file in self._tool_manifests())]
        return [finding for folder in folders for finding in self._npm_mismatches(folder)]

    def _tool_manifests(self) -> list[Path]:
        return sorted(self.app.glob("requirements/*/package.json"))

    def _npm_mismatches(self, folder: Path) -> Iterator[Finding]:
        lock_name = str(folder / "package-lock.json")
        manifest, lock = self._object(folder / "package.json"), self._object(folder / "package-lock.json")
        packages = lock.get("packages") or {}
        root = packages.get("", {})
        for kind in _NPM_KINDS:
            asked, held = manifest.get(kind, {}), root.get(kind, {})
            for name in sorted(asked.keys() | held.keys()):
                if asked.get(name) != held.get(name):
                    text = f"{name} is {held.get(name, 'absent')}, {kind} asks for {asked.get(name, 'none')}"
                    yield Finding(lock_name, 0, "out-of-date", text)
        # Deeper than what is asked for by name, npm ls takes a dependency's tag, such as `latest`, for a mismatch.
        depth = ["--all"] if folder == _FRONTEND else []
        done = self._npm(["npm", "ls", "--package-lock-only", "--json", *depth], self.app / folder)
        listed = parsed(done.stdout, "npm ls", done)
        problems = listed.get("problems", [])
        if not problems and ("error" in listed or not listed.get("dependencies")):
            raise Unverified(f"npm ls listed nothing of {lock_name}: {tail(done)}")
        for problem in problems:
            yield Finding(lock_name, 0, "unresolved", problem.replace(f"{self.app}/", ""))
        for path, package in packages.items():
            if not path or package.get("link") or package.get("inBundle"):
                continue
            if not (package.get("version") and package.get("integrity")):
                yield Finding(lock_name, 0, "unpinned", f"{path} has no exact version with a hash")

    def python_mismatches(self) -> list[Finding]:
        """Where a requirements file is not what its group of pyproject.toml asks for, or pins without a hash.

        What an extra adds cannot be seen without the registry; the package that carries it can.
        """
        findings: list[Finding] = []
        for group, requirements in self._groups.items():
            name = f"requirements/{group}.txt"
            problems, locked = self._lock(group)
            findings += problems
            asked = {canonicalize_name(requirement.name): requirement for requirement in requirements}
            for key, requirement in asked.items():
                held = [package for package in locked if package.name == key]
                if not held:
                    findings.append(Finding(name, 0, "out-of-date", f"{requirement} is asked for and absent"))
                findings += [
                    Finding(name, 0, "out-of-date", f"{requirement} is asked for, {package.version} held")
                    for package in held
                    if not requirement.specifier.contains(package.version, prereleases=True)
                ]
            findings += [
                Finding(name, 0, "out-of-date", f"{package.name} is held, and not asked for any more")
                for package in locked
                if package.group == group and package.name not in asked
            ]
        others = {file.stem for file in self.app.glob("requirements/*.txt")} - self._groups.keys()
        return findings + [problem for group in sorted(others) for problem in self._lock(group)[0]]

    def behind(self) -> list[Behind]:
        """Every direct dependency with its latest release.

        For Python that is the latest which this very interpreter can use.

        Raises:
            NeedsInternet: a registry could not be reached.
            Unverified: a registry did not answer for all of them.
        """
        return [*self._npm_behind(), *self._python_behind()]

    def _npm_behind(self) -> Iterator[Behind]:
        manifest, lock = (self._object(_FRONTEND / name) for name in ("package.json", "package-lock.json"))
        direct = {name: spec for kind in _NPM_KINDS for name, spec in manifest.get(kind, {}).items()}
        # Of what is not installed at all, `npm outdated` tells everything: in an empty folder, that is all.
        with tempfile.TemporaryDirectory(prefix="outdated-") as folder:
            content = {"name": "outdated", "version": "1.0.0", "dependencies": direct}
            Path(folder, "package.json").write_text(json.dumps(content), encoding="utf-8")
            done = self._npm(["npm", "outdated", "--json"], Path(folder))
        answer = parsed(done.stdout or "{}", "npm outdated", done)
        if "error" in answer or not direct.keys() <= answer.keys():
            _give_up(
                "npm's registry (`npm config get registry`)",
                f"{answer.get('error') or sorted(direct.keys() - answer.keys())}",
                done,
            )
        for name in sorted(direct):
            held = lock.get("packages", {}).get(f"node_modules/{name}", {}).get("version")
            if held is None:
                raise Unverified(f"frontend/package-lock.json holds no {name}; run npm install in frontend/")
            yield Behind(name, held, answer[name]["latest"])

    def _python_behind(self) -> Iterator[Behind]:
        held: dict[str, Version] = {}
        for group, requirements in self._groups.items():
            names = {canonicalize_name(requirement.name) for requirement in requirements}
            for package in self._lock(group)[1]:
                if package.name in names:
                    held[package.name] = min(held.get(package.name, package.version), package.version)
        if not held:
            raise Unverified("no group of pyproject.toml is locked; run ./scripts/lock.sh")
        with tempfile.TemporaryDirectory(prefix="latest-") as folder:
            names_file = Path(folder, "names.in")
            names_file.write_text("\n".join(sorted(held)), encoding="utf-8")
            command = [
                *(str(ROOT / ".tools" / "uv" / "bin" / "uv"), "--quiet", "--no-config", "pip", "compile"),
                *("--no-deps", "--no-annotate", "--no-header", "--no-emit-index-url", str(names_file)),
            ]
            done = process.run(command, folder=Path(folder), deadline=_DEADLINE)
        latest: dict[str, str] = {
            canonicalize_name(match["name"]): match["version"]
            for line in done.stdout.splitlines()
            if (match := _PINNED.fullmatch(line.strip()))
        }
        if not held.keys() <= latest.keys():
            _give_up(
                "Python's package index ($UV_DEFAULT_INDEX)",
                f"no release of {sorted(held.keys() - latest.keys())[:3]}",
                done,
            )
        for name in sorted(held):
            yield Behind(name, str(held[name]), latest[name])

    def npm_advisories(self) -> list[Finding]:
        """Advisories of severity high or critical about what the frontend ships.

        Raises:
            NeedsInternet: the advisory service could not be reached.
            Unverified: npm checked nothing.
        """
        command = ["npm", "audit", "--package-lock-only", "--omit=dev", "--json"]
        done = self._npm(command, self.app / _FRONTEND)
        answer = parsed(done.stdout, "npm audit", done)
        if "auditReportVersion" not in answer:
            said = answer.get("message") or answer.get("error")
            # With a status, it is the service that answered, or a proxy in its place.
            _give_up(
                "npm's advisory service (`npm config get registry`)",
                f"{said}",
                done,
                away="statusCode" in answer,
            )
        if answer["metadata"]["dependencies"]["prod"] <= 1:  # the frontend itself counts as one
            raise Unverified("npm audit checked no package that ships")
        return [
            Finding(
                "frontend/package-lock.json", 0, entry["severity"], f"{name}: {_titles(entry)}", _fix(entry)
            )
            for name, entry in sorted(answer["vulnerabilities"].items())
            if entry["severity"] in ("high", "critical")
        ]

    def python_advisories(self) -> list[Finding]:
        """Known vulnerabilities of what the functions and the suite are locked to.

        Asks OSV, for with PyPI's own service pip-audit takes what it could not ask about for sound.

        Raises:
            NeedsInternet: the advisory service could not be reached.
            Unverified: pip-audit left a package out.
        """
        locks = [self.app / "requirements" / f"{group}.txt" for group in _SUITE_LOCKS]
        if missing := [lock.name for lock in locks if not lock.is_file()]:
            raise Unverified(f"requirements/{missing[0]} does not exist; run ./scripts/lock.sh")
        sources = [argument for lock in locks for argument in ("--requirement", str(lock))]
        command = [
            *("pip-audit", *sources, "--require-hashes", "--disable-pip", "--vulnerability-service", "osv"),
            *("--format", "json", "--progress-spinner", "off", "--timeout", "10"),
        ]
        done = process.run(command, folder=self.app, deadline=_DEADLINE)
        if not done.stdout.strip():
            _give_up("OSV ($PIP_AUDIT_OSV_URL)", "pip-audit wrote nothing", done)
        asked = parsed(done.stdout, "pip-audit", done)["dependencies"]
        skipped = [f"{entry['name']}: {entry['skip_reason']}" for entry in asked if "skip_reason" in entry]
        if skipped or not asked:
            raise Unverified(f"pip-audit checked {len(asked)} packages and skipped {skipped[:3]}")
        return [
            Finding(
                "requirements",
                0,
                advisory["id"],
                f"{entry['name']} {entry['version']}, fixed in {', '.join(advisory['fix_versions']) or 'none yet'}",
                f"raise {entry['name']} to {advisory['fix_versions'][0]}" if advisory["fix_versions"] else "",
            )
            for entry in asked
            for advisory in entry["vulns"]
        ]

    @cached_property
    def _groups(self) -> Mapping[str, list[Requirement]]:
        try:
            content = tomllib.loads(read(self.app / "pyproject.toml"))
            groups = {
                group: [Requirement(line) for line in lines]
                for group, lines in content.get("dependency-groups", {}).items()
            }
        except (tomllib.TOMLDecodeError, InvalidRequirement, TypeError) as problem:
            raise Unverified(f"pyproject.toml cannot be read: {problem}") from problem
        if not groups:
            raise Unverified(f"expected dependency groups in {self.app}/pyproject.toml, found none")
        return groups

    def _lock(self, group: str) -> tuple[list[Finding], list[Locked]]:
        """What is wrong with a requirements file by itself, and what it pins."""
        name = f"requirements/{group}.txt"
        text = read(self.app / name)
        if not text.strip():
            return [Finding(name, 0, "out-of-date", "the lock file does not exist, or is empty")], []
        findings, packages = [], []
        for entry in re.split(r"\n(?=\S)", text):
            head = entry.partition("\n")[0].rstrip("\\ ")
            if not head or head.startswith("#"):
                continue
            pin = _PINNED.fullmatch(head)
            if pin is None or not _HASH.search(entry):
                findings.append(Finding(name, 0, "unpinned", f"{head} has no exact version with a hash"))
            if pin:
                asked_for = _ASKED_FOR.search(entry)
                packages.append(
                    Locked(
                        canonicalize_name(pin["name"]),
                        Version(pin["version"]),
                        asked_for[1] if asked_for else None,
                    )
                )
        return findings, packages

    def _object(self, path: Path) -> dict[str, Any]:
        try:
            content = json.loads((self.app / path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise Unverified(f"{path} cannot be read: {problem}") from problem
        if not isinstance(content, dict):
            raise Unverified(f"{path} cannot be read: expected an object")
        return content

    def _npm(self, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        if shutil.which("npm", path=process.environment()["PATH"]) is None:
            raise Unverified("npm is not installed; run ./scripts/setup.sh")
        # A report should not name the log of each run, which is in a user's home.
        quiet = ("--fetch-retries=0", "--logs-max=0", "--no-update-notifier")
        return process.run([*command, *quiet], folder=folder, deadline=_DEADLINE)


def _give_up(
    service: str, said: str, done: subprocess.CompletedProcess[str], *, away: bool = False
) -> NoReturn:
    problem = f"{service} gave no answer: {addresses.hidden(said)[:200]} (exit status {done.returncode}: {tail(done)})"
    if away or _UNREACHABLE.search(f"{said}\n{done.stdout}\n{done.stderr}"):
        raise NeedsInternet(problem)
    raise Unverified(problem)


def _fix(entry: Mapping[str, Any]) -> str:
    """What npm would raise; nothing, or a mere yes or no, where it cannot or need not say."""
    fix = entry.get("fixAvailable")
    return f"raise {fix['name']} to {fix['version']}" if isinstance(fix, dict) else ""


def _titles(entry: Mapping[str, Any]) -> str:
    named = [via["title"] if isinstance(via, dict) else f"by way of {via}" for via in entry["via"]]
    return f"{'; '.join(named)} (versions {entry['range']})"

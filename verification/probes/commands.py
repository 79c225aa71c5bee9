"""Runs standard development tools on a checkout, and judges it by their machine-readable output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest

from readiness.aws.cloudformation import written_out
from readiness.errors import Unverified
from readiness.exchanges import Exchanges, comparable
from readiness.probes import leaks, process
from readiness.probes.finding import Finding
from readiness.probes.process import parsed, read, tail
from verification.probes import release

_SHIPPED = ("backend/src", "frontend/src")
_SOURCES = (".py", ".ts", ".tsx", ".css", ".html")
_TEST_FILE = re.compile(r"\.test\.tsx?$")
_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_MYPY_SUCCESS = re.compile(r"no issues found in [1-9]\d* source file")


@dataclass(frozen=True)
class TestRun:
    """What a test runner ran; `total` leaves out what it skipped. `coverage_percent` is None when it measured none."""

    __test__ = False  # not a test class, whatever its name

    total: int
    failures: Sequence[str]
    coverage_percent: float | None


@dataclass(frozen=True)
class Source:
    """A checkout of the application."""

    app: Path

    def unfinished_words(self) -> list[Finding]:
        """Return the words that mark unfinished work, such as TODO, in the shipped files."""
        found = []
        for file in self._shipped_files():
            for number, line in enumerate(read(file).splitlines(), 1):
                if word := _UNFINISHED.search(line):
                    found.append(
                        Finding(str(file.relative_to(self.app)), number, word[0], line.strip()[:120])
                    )
        return found

    def eslint(self) -> list[Finding]:
        """ESLint's errors and warnings.

        Raises:
            Unverified: ESLint did not run, or had no file to lint.
        """
        done = self._run("frontend", [*self._npm_tool("eslint"), ".", "--format", "json"])
        reports = parsed(done.stdout, "eslint", done)
        if not reports:
            raise Unverified("eslint linted no file")
        return [
            Finding(
                os.path.relpath(report["filePath"], self.app),
                message.get("line") or 0,
                message.get("ruleId") or "parser",
                message["message"],
            )
            for report in reports
            for message in report["messages"]
        ]

    def frontend_tests(self) -> TestRun:
        """Vitest with coverage, measured now and in a folder of its own."""
        with tempfile.TemporaryDirectory(prefix="vitest-") as scratch:
            report, coverage = Path(scratch, "report.json"), Path(scratch, "coverage")
            command = [
                *self._npm_tool("vitest"),
                "run",
                "--reporter=json",
                f"--outputFile={report}",
                "--coverage",
                "--coverage.reporter=json-summary",
                f"--coverage.reportsDirectory={coverage}",
                "--coverage.include=src/**",
                "--coverage.reportOnFailure=true",
                # The project's own thresholds would end in the same status as an error outside any test.
                *(
                    f"--coverage.thresholds.{kind}=0"
                    for kind in ("lines", "branches", "functions", "statements")
                ),
            ]
            done = self._run("frontend", command)
            content = parsed(read(report), "vitest", done)
            summary = coverage / "coverage-summary.json"
            lines = json.loads(read(summary))["total"]["lines"] if summary.is_file() else {"total": 0}
        failed = [
            f"{os.path.relpath(file['name'], self.app)}: {test.get('fullName') or file.get('message', 'broken')}"
            for file in content["testResults"]
            for test in ([t for t in file["assertionResults"] if t["status"] == "failed"] or [{}])
            if file["status"] == "failed"
        ]
        if done.returncode and not failed:
            failed = [f"vitest ended with {done.returncode} although no test failed: {tail(done)}"]
        skipped = content.get("numPendingTests", 0) + content.get("numTodoTests", 0)
        return TestRun(content["numTotalTests"] - skipped, failed, lines["pct"] if lines["total"] else None)

    def backend_tests(self) -> TestRun:
        """The backend's pytest suite with coverage of its source."""
        with tempfile.TemporaryDirectory(prefix="backend-tests-") as scratch:
            junit, coverage = Path(scratch, "junit.xml"), Path(scratch, "coverage.json")
            command = [
                *(sys.executable, "-m", "pytest", "tests", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
                *("--rootdir", ".", "--confcutdir", ".", "-c", os.devnull, f"--junitxml={junit}"),
                *("--cov=src", f"--cov-report=json:{coverage}", "--cov-config", os.devnull),
            ]
            done = self._run("backend", command, COVERAGE_FILE=str(Path(scratch, ".coverage")))
            try:
                suites = ET.fromstring(read(junit)).iter("testsuite")  # noqa: S314  # written by our own pytest
            except ET.ParseError as problem:
                raise Unverified(f"the backend's tests left no report: {tail(done)}") from problem
            cases = [case for suite in suites for case in suite.iter("testcase")]
            percent = json.loads(read(coverage) or "{}").get("totals", {}).get("percent_covered")
        failed = [
            f"{case.get('classname')}.{case.get('name')}"
            for case in cases
            if case.find("failure") is not None or case.find("error") is not None
        ]
        if done.returncode not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) and not failed:
            raise Unverified(f"the backend's tests ended with {done.returncode}: {tail(done)}")
        return TestRun(sum(case.find("skipped") is None for case in cases), failed, percent)

    def bandit(self) -> list[Finding]:
        """Bandit's findings of medium or high severity in the backend.

        Raises:
            Unverified: bandit read no line of code, or could not read a file.
        """
        done = self._run("backend", [sys.executable, "-m", "bandit", "-r", "src", "-f", "json", "-q"])
        content = parsed(done.stdout, "bandit", done)
        if content["errors"] or not content["metrics"]["_totals"]["loc"]:
            raise Unverified(
                f"bandit read {content['metrics']['_totals']['loc']} lines; errors: {content['errors']}"
            )
        return [
            Finding(
                f"backend/{result['filename']}",
                result["line_number"],
                result["test_id"],
                result["issue_text"],
            )
            for result in content["results"]
            if result["issue_severity"] in ("MEDIUM", "HIGH")
        ]

    def ruff(self) -> list[Finding]:
        """What Ruff's linter and its formatter would have otherwise, by the checkout's own settings.

        Raises:
            Unverified: Ruff left the application's code out, or there are no settings to judge by.
        """
        self._require_settings("ruff")
        options = ("--no-cache", "--output-format", "json", ".")
        shown = self._run(".", ["ruff", "check", "--no-cache", "--show-files", "."]).stdout.splitlines()
        looked_at = {os.path.relpath(file, self.app) for file in shown}
        own = {str(file.relative_to(self.app)) for file in self.app.glob("backend/src/**/*.py")}
        if not own or own - looked_at:
            raise Unverified(
                f"ruff leaves out {sorted(own - looked_at)[:3] or 'backend/src, which is empty'}"
            )
        reports = []
        for command in (["ruff", "check", "--no-fix", *options], ["ruff", "format", "--check", *options]):
            done = self._run(".", command)
            reports += parsed(done.stdout, " ".join(command[:2]), done)
        return [
            Finding(
                os.path.relpath(report["filename"], self.app),
                (report["location"] or {}).get("row", 0),
                report["code"] or "syntax",
                report["message"],
                (report.get("fix") or {}).get("message") or "",
            )
            for report in reports
        ]

    def mypy(self) -> list[Finding]:
        """The type checker's errors in strict mode, regardless of the settings.

        Raises:
            Unverified: mypy checked no file, or there are no settings that name its files.
        """
        self._require_settings("mypy")
        # Kept between runs, where scripts/test.sh keeps it too: a first look takes most of ten seconds.
        command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(self.app / ".local" / "mypy")]
        done = self._run(".", [*command, "--output", "json"])
        reports = [parsed(line, "mypy", done) for line in done.stdout.splitlines() if line.strip()]
        errors = [report for report in reports if report["severity"] == "error"]
        if not errors:
            # Silence in JSON may be that of a mypy that never began; its words for people tell of the files.
            done = self._run(".", command)
            if done.returncode or not _MYPY_SUCCESS.search(done.stdout):
                raise Unverified(f"mypy wrote nothing to judge (exit status {done.returncode}): {tail(done)}")
        return [
            Finding(error["file"], error["line"], error["code"] or "error", error["message"])
            for error in errors
        ]

    def secrets(self) -> list[Finding]:
        """What looks like a key in the tracked and untracked tree, or in any commit that leads to it.

        Raises:
            Unverified: the folder is not a checkout, or a shallow one whose history is missing.
        """
        self._require_history()
        plain = ("-U0", "--text", "--no-color", "--no-ext-diff")
        history = self._git("log", "-p", "-m", "--format=", *plain, "HEAD")
        messages = enumerate(self._git("log", "--format=%B", "HEAD").splitlines(), 1)
        uncommitted = self._git("diff", *plain, "HEAD")
        new = self._git("ls-files", "--others", "--exclude-standard", "-z").split("\0")[:-1]
        untracked = (
            (name, number, line)
            for name in new
            if (self.app / name).is_file()  # a link to a folder is none
            for number, line in enumerate(
                (self.app / name).read_text(encoding="utf-8", errors="ignore").splitlines(), 1
            )
        )
        lines = chain(
            _added(history),
            _added(uncommitted),
            untracked,
            (("commit messages", number, line) for number, line in messages),
        )
        return [
            Finding(file, line, kind, "looks like a secret")
            for file, line, kind in sorted(leaks.found_in(lines))
        ]

    def release(self, exchanges: Exchanges) -> release.Release:
        """What the commit that is checked out would deploy, to be held against what `exchanges` answer.

        Raises:
            Unverified: the folder is not a checkout, or has no readable template.
        """
        listed = self._git("ls-tree", "-r", "-z", "--full-tree", "HEAD", "backend/").split("\0")[:-1]
        entries = [line.partition("\t") for line in listed]
        status = self._git("status", "--porcelain", "--untracked-files=all", "--", "backend")
        template = self._git("show", "HEAD:backend/template.yaml")
        return release.Release(
            commit=self._git("rev-parse", "HEAD").strip(),
            template=written_out(comparable(exchanges, "backend/template.yaml", template.encode()).decode()),
            files={path.removeprefix("backend/"): about.split()[2] for about, _, path in entries},
            uncommitted=[line[3:] for line in status.splitlines()],
        )

    def lay_out(self, folder: str, target: Path) -> None:
        """Write a folder of the commit that is checked out under `target`, without anything that is not committed."""
        archive = target / "commit.tar"
        self._git("archive", "--format=tar", f"--output={archive}", "HEAD", folder)
        with tarfile.open(archive) as files:
            files.extractall(target, filter="data")

    def contents(self, folder: str) -> Mapping[str, AbstractSet[str]]:
        """Each file that a folder has had, with git's ids of its contents, in all commits that lead to this one.

        Raises:
            Unverified: the folder is not a checkout, or a shallow one whose history is missing.
        """
        self._require_history()
        changes = self._git(
            "log", "-m", "--raw", "-z", "--no-abbrev", "--no-renames", "--format=", "HEAD", "--", folder
        )
        found: dict[str, set[str]] = {}
        fields = iter(changes.split("\0"))
        for about in fields:
            if about.strip():  # ":100644 100644 <before> <after> M", then the path
                found.setdefault(next(fields), set()).add(about.split()[3])
        return found

    def _require_history(self) -> None:
        if self._git("rev-parse", "--is-shallow-repository").strip() != "false":
            raise Unverified(
                "the checkout is shallow: its history cannot be read; fetch it whole (fetch-depth: 0)"
            )

    def _shipped_files(self) -> Iterator[Path]:
        for side in _SHIPPED:
            files = [file for file in sorted((self.app / side).rglob("*")) if file.suffix in _SOURCES]
            if not files:
                raise Unverified(f"no source found under {side}")
            yield from (file for file in files if not _TEST_FILE.search(file.name))
        if (page := self.app / "frontend" / "index.html").is_file():
            yield page

    def _require_settings(self, tool: str) -> None:
        try:
            settings = tomllib.loads(read(self.app / "pyproject.toml"))
        except tomllib.TOMLDecodeError as problem:
            raise Unverified(f"pyproject.toml cannot be read: {problem}") from problem
        if tool not in settings.get("tool", {}):
            raise Unverified(f"expected [tool.{tool}] in {self.app}/pyproject.toml to judge by, found none")

    def _npm_tool(self, name: str) -> list[str]:
        tool = self.app / "frontend" / "node_modules" / ".bin" / name
        if not tool.exists():
            raise Unverified(f"{name} is not installed in frontend/node_modules; run ./scripts/setup.sh")
        return [str(tool)]

    def _git(self, *arguments: str) -> str:
        done = self._run(".", ["git", *arguments])
        if done.returncode:
            raise Unverified(f"git {arguments[0]} failed: {tail(done)}")
        return done.stdout

    def _run(
        self,
        folder: str,
        command: Sequence[str],
        *,
        deadline: timedelta = timedelta(minutes=5),
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        return process.run(command, folder=self.app / folder, deadline=deadline, variables=variables)


def _added(diff: str) -> Iterator[tuple[str, int, str]]:
    """File, line number and text of each line that a unified diff without context adds."""
    file, number, expected = "", 0, 0
    for line in diff.split("\n"):  # splitlines() also splits at characters that may stand within a line
        if expected and line.startswith("+"):
            yield file, number, line[1:]
            number, expected = number + 1, expected - 1
        elif hunk := _HUNK.match(line):
            number, expected = int(hunk[1]), int(hunk[2] or 1)
        elif line.startswith("+++ "):
            file = line[4:].removeprefix("b/").rstrip("\t")

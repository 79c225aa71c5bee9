"""Lighthouse on a page, and pages to run it on: built by Vite, served compressed, always stopped.

The API behind the page is a stub on loopback that answers as an empty service does: what is measured is the page, and
an API that cannot be reached would cost it points that are not its own.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from readiness.errors import Unverified
from readiness.probes.process import read
from verification.application import ROOT
from verification.probes.chromium import Chromium

CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
METRICS = (
    "largest-contentful-paint",
    "first-contentful-paint",
    "total-blocking-time",
    "cumulative-layout-shift",
    "speed-index",
)
_CLI = ROOT / ".tools" / "node" / "node_modules" / "lighthouse" / "cli" / "index.js"
_NODE = ROOT / ".tools" / "bin" / "node"
_FRONTEND = ROOT / "frontend"
_READY_WITHIN = timedelta(seconds=30)
_RUN_WITHIN = timedelta(minutes=3)


@dataclass(frozen=True)
class Audit:
    """One run: scores from 0 to 100, metrics in milliseconds (layout shift without unit), and what was loaded."""

    scores: Mapping[str, float]
    metrics: Mapping[str, float]
    loaded_bytes: int
    lost: Sequence[str] = field(default=(), repr=False)
    """Audits that did not get all their points."""

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Audit:
        """Read Lighthouse's own JSON.

        Raises:
            Unverified: Lighthouse says that it could not look, or left a score or a metric out.
        """
        if problem := report.get("runtimeError"):
            raise Unverified(f"Lighthouse could not look: {problem.get('code')}: {problem.get('message')}")
        audits, categories = report["audits"], report["categories"]
        scores = {name: categories.get(name, {}).get("score") for name in CATEGORIES}
        metrics = {name: audits.get(name, {}).get("numericValue") for name in METRICS}
        if absent := [name for name, value in {**scores, **metrics}.items() if value is None]:
            raise Unverified(f"Lighthouse gives no value for {', '.join(absent)}")
        page = urlsplit(report["finalDisplayedUrl"]).netloc
        requests = audits["network-requests"]["details"]["items"]
        own = [request for request in requests if urlsplit(request["url"]).netloc == page]
        counted = {ref["id"] for name in CATEGORIES for ref in categories[name]["auditRefs"] if ref["weight"]}
        return cls(
            {name: round(score * 100) for name, score in scores.items()},
            metrics,
            sum(int(request.get("transferSize") or 0) for request in own),
            sorted(name for name in counted if (audits[name].get("score") or 0) < 1),
        )


def middle(audits: Sequence[Audit]) -> Audit:
    """The median of each figure by itself; of lost points, every cause in any run.

    Raises:
        Unverified: there is nothing to take it of.
    """
    if not audits:
        raise Unverified("Lighthouse did not run")
    return Audit(
        {name: median(audit.scores[name] for audit in audits) for name in CATEGORIES},
        {name: median(audit.metrics[name] for audit in audits) for name in METRICS},
        max(audit.loaded_bytes for audit in audits),
        sorted({name for audit in audits for name in audit.lost}),
    )


def audit(url: str, browser: Chromium, stem: Path, *, cli: Sequence[str] = (str(_NODE), str(_CLI))) -> Audit:
    """Run Lighthouse once with its mobile preset; `stem` gets `.report.html` and `.report.json` beside each other.

    Raises:
        Unverified: it is not installed, did not end, or wrote nothing to judge. A page that cannot be opened is one
            of these: Lighthouse writes a report about it all the same.
    """
    flags = "--headless" + (" --no-sandbox" if os.geteuid() == 0 else "")
    command = [
        *cli,
        url,
        "--quiet",
        "--output=json",
        "--output=html",
        f"--output-path={stem}",
        f"--chrome-flags={flags}",
        f"--only-categories={','.join(CATEGORIES)}",
    ]
    variables = {**os.environ, **browser.variables, "CHROME_PATH": str(browser.path)}
    try:
        done = subprocess.run(
            command,
            env=variables,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_RUN_WITHIN.total_seconds(),
        )
    except OSError as problem:
        raise Unverified(f"Lighthouse cannot be run: {problem}; run ./scripts/setup.sh") from problem
    except subprocess.TimeoutExpired as problem:
        raise Unverified(f"Lighthouse had not ended after {problem.timeout:.0f} s") from problem
    try:
        report = json.loads(stem.with_name(f"{stem.name}.report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        said = (done.stderr or done.stdout).strip()[-300:]
        raise Unverified(
            f"Lighthouse wrote nothing to judge (exit status {done.returncode}): {said}"
        ) from problem
    return Audit.of(report)


@contextmanager
def served_page(scratch: Path, source: Path = _FRONTEND) -> Iterator[str]:
    """The page of a checkout's frontend as users get it; gives its address."""
    with _stub_api() as api, _served(source, scratch / "page", _page_settings(api)) as url:
        yield url


def built_page(scratch: Path, source: Path = _FRONTEND) -> Path:
    """The folder of a checkout's frontend, built; its report of what is inside lies in `report/` of the frontend.

    Raises:
        Unverified: it cannot be built.
    """
    return _built(source, scratch / "bundle", _page_settings("https://api.example"), "--mode", "report")


def _page_settings(api: str) -> Mapping[str, str]:
    return {
        "VITE_API_ENDPOINT": api,
        "VITE_CLOUDFRONT_DOMAIN": urlsplit(api).netloc,
        "VITE_ENVIRONMENT": "prod",
    }


@contextmanager
def served_greeting(scratch: Path) -> Iterator[str]:
    """The least page that the same framework and the same Vite can make, to compare with."""
    source = scratch / "greeting-source"
    source.mkdir(parents=True)
    (source / "node_modules").symlink_to(_FRONTEND / "node_modules")
    for name, text in _GREETING.items():
        (source / name).write_text(text, encoding="utf-8")
    plugin = json.dumps(str(_FRONTEND / "build" / "compressedPreview.ts"))
    (source / "vite.config.ts").write_text(_GREETING_CONFIG.replace("PLUGIN", plugin), encoding="utf-8")
    with _served(source, scratch / "greeting", {}) as url:
        yield url


_GREETING = {
    "index.html": '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Hello</title>'
    '<meta name="viewport" content="width=device-width"><meta name="description" content="Hello"></head>'
    '<body><div id="app"></div><script type="module" src="/main.ts"></script></body></html>',
    "main.ts": 'import { h, render } from "preact";\n'
    'render(h("main", null, h("h1", null, "Hello")), document.getElementById("app")!);\n',
}
_GREETING_CONFIG = """import { compressedPreview } from PLUGIN;
export default { plugins: [compressedPreview()], preview: { host: '127.0.0.1' }, build: { target: 'es2023' } };
"""


_VITE = [str(_NODE), "node_modules/vite/bin/vite.js"]


def _variables(settings: Mapping[str, str]) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VITE_")}
    return {**kept, **settings, "NO_COLOR": "1"}


def _folder(source: Path, built: Path) -> list[str]:
    # Relative, as the plugins join it with the root.
    return ["--outDir", os.path.relpath(built, source.resolve())]


def _built(source: Path, built: Path, settings: Mapping[str, str], *options: str) -> Path:
    build = subprocess.run(
        [*_VITE, "build", *_folder(source, built), "--emptyOutDir", *options],
        cwd=source,
        env=_variables(settings),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if build.returncode:
        raise Unverified(f"{source.name} could not be built: {build.stderr.strip()[:500]}")
    return built


@contextmanager
def _served(source: Path, built: Path, settings: Mapping[str, str]) -> Iterator[str]:
    _built(source, built, settings)
    log = built.with_suffix(".log")
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            [*_VITE, "preview", *_folder(source, built), "--port", "0"],
            cwd=source,
            env=_variables(settings),
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as server,
    ):
        try:
            yield _address(server, log)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(timeout=5)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    started = time.monotonic()
    while time.monotonic() - started < _READY_WITHIN.total_seconds() and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+/", read(log)):
            return found[0]
        time.sleep(0.05)
    raise Unverified(f"the preview server did not start: {read(log).strip()[-300:]}")


@contextmanager
def _stub_api() -> Iterator[str]:
    """An API on loopback that has models and no images yet."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _StubApi) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _StubApi(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        models = [{"id": f"model-{number}", "name": f"Model {number}"} for number in range(1, 10)]
        content: dict[str, Any] = {"status": "ok", "environment": "prod", "version": "1", "models": models}
        if self.path.startswith("/gallery"):
            content = {"galleries": []}
        self._send(json.dumps(content).encode())

    def do_OPTIONS(self) -> None:
        self._send(b"")

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "*")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's own word
        """The report tells what matters."""

"""Faults that a person meets in a browser: the page built from a changed source, in the place of the good one."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from readiness.verdict import Outcome
from tests.faults.bench import Bench
from tests.faults.fault import fault
from verification.deployment import aws, site

_FRONTEND = "frontend"
_FAULTY = "dist-faulty"


@contextmanager
def _page(bench: Bench, *changes: tuple[str, str, str]) -> Iterator[None]:
    """The hosted page, built with replacements in the source.

    Built by Vite alone: a type error is what some of these faults would be found by, and not everybody has types.
    """
    active = bench.page_changes
    active.extend(changes)
    try:
        _rebuilt(bench)
        yield
    finally:
        del active[len(active) - len(changes) :]
        _rebuilt(bench)


def _rebuilt(bench: Bench) -> None:
    """Publish the page with every change that is active, or the one that was deployed when none is."""
    frontend = bench.checkout.app / _FRONTEND
    if not bench.page_changes:
        _publish(bench, frontend / "dist")
        return
    with ExitStack() as changed:
        for path, old, new in bench.page_changes:
            changed.enter_context(bench.checkout.changed(f"{_FRONTEND}/{path}", old, new))
        _build(frontend)
    try:
        _publish(bench, frontend / _FAULTY)
    finally:
        shutil.rmtree(frontend / _FAULTY)


def _build(frontend: Path) -> None:
    command = ["node_modules/.bin/vite", "build", "--outDir", _FAULTY, "--emptyOutDir", "--logLevel", "error"]
    # Vite reads .env itself, which the deployment has written.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VITE_")}
    done = subprocess.run(command, cwd=frontend, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"the faulty page could not be built: {done.stdout}{done.stderr}"


def _publish(bench: Bench, built: Path) -> None:
    place = site.Site(bench.physical("SiteBucket"), bench.physical("SiteDistribution"))
    place.store(site.files(built), aws.client(bench.env, "s3"))
    place.forget(aws.client(bench.env, "cloudfront"), reference=str(uuid.uuid4()))


@fault("CODE-14", "nothing catches a render error", relatives={"CDN-16"})
def no_boundary(bench: Bench) -> Iterator[None]:
    file = "src/shared/ErrorBoundary.tsx"
    catches = (file, "static override getDerivedStateFromError", "static getNothing")
    told = (file, "override componentDidCatch", "neverCalled")
    with _page(bench, catches, told):
        yield


@fault("CODE-14", "a render error is caught and kept secret", relatives={"CDN-16"})
def unreported(bench: Bench) -> Iterator[None]:
    change = (
        "src/shared/ErrorBoundary.tsx",
        "this.props.report({ error, region: this.props.region })",
        "String(error)",
    )
    with _page(bench, change):
        yield


@fault("CODE-14", "the way on leads nowhere", relatives={"CDN-16"})
def no_recovery(bench: Bench) -> Iterator[None]:
    with _page(bench, ("src/shared/ErrorBoundary.tsx", "this.setState(WHOLE);", "")):
        yield


@fault("CODE-15", "a panel has a fixed width", relatives={"CDN-16"})
def fixed_width(bench: Bench) -> Iterator[None]:
    change = (
        "src/styles/page.css",
        "grid-template-columns: minmax(0, 1fr);",
        "grid-template-columns: minmax(26rem, 1fr);",
    )
    with _page(bench, change):
        yield


@fault("CODE-15", "buttons are too low for a finger", relatives={"CDN-16"})
def small_buttons(bench: Bench) -> Iterator[None]:
    change = (
        "src/styles/base.css",
        ".button--icon {",
        ".masthead .button--icon {\n  height: 1.25rem;\n  min-height: 0;",
    )
    with _page(bench, change):
        yield


@fault("CODE-16", "nothing shows that work goes on before the service has answered", relatives={"CDN-16"})
def silent_wait(bench: Bench) -> Iterator[None]:
    change = (
        "src/features/generate/components/Progress.tsx",
        "generation.phase === 'submitting' || (following && total === 0)",
        "total < 0",
    )
    with _page(bench, change):
        yield


@fault("CODE-16", "an asset of 2 MB blocks the page", relatives={"CDN-16"})
def blocking_asset(bench: Bench) -> Iterator[None]:
    ballast = base64.b64encode(secrets.token_bytes(1_500_000)).decode()
    last = "import './styles/page.css';"
    loaded = (
        "src/main.tsx",
        last,
        f"{last}\nimport {{ ballast }} from './ballast';\nObject.assign(window, {{ ballast }});",
    )
    unweighed = ("build/bundleReport.ts", "45 * 1024", "45 * 1024 * 1024")
    written = bench.checkout.written("frontend/src/ballast.ts", f"export const ballast = '{ballast}';\n")
    with written, _page(bench, loaded, unweighed):
        yield


@fault("CODE-22", "an icon button has no name", relatives={"CDN-16"})
def nameless_button(bench: Bench) -> Iterator[None]:
    with _page(bench, ("src/app/Masthead.tsx", 'aria-label="Dark theme"', "")):
        yield


@fault("CODE-22", "text is pale in the dark theme alone", relatives={"CDN-16"})
def pale_at_night(bench: Bench) -> Iterator[None]:
    with _page(
        bench, ("src/styles/tokens.css", "light-dark(#625b50, #b3ab9c)", "light-dark(#625b50, #4a463f)")
    ):
        yield


@fault("CODE-23", "the page names the prompt as the API does not", relatives={"CDN-16"})
def misnamed_prompt(bench: Bench) -> Iterator[None]:
    change = (
        "src/features/generate/api.ts",
        "path: '/generate', body,",
        "path: '/generate', body: { text: body.prompt },",
    )
    with _page(bench, change):
        yield


@fault("CODE-23", "a retry of one model asks and pays all of them", relatives={"CDN-16"})
def retry_of_all(bench: Bench) -> Iterator[None]:
    with _page(
        bench,
        ("src/features/generate/useGeneration.ts", "{ ...job.request, models: [model] }", "job.request"),
    ):
        yield


@fault("CODE-23", "the gallery's entry leaves images out", relatives={"CDN-16"})
def incomplete_entry(bench: Bench) -> Iterator[None]:
    with _page(
        bench, ("src/features/gallery/EntryPage.tsx", "entry.images.map(", "entry.images.slice(1).map(")
    ):
        yield


@fault(
    "CODE-23",
    "a vendor lets no more requests through",
    outcome=Outcome.UNVERIFIED,
    relatives={"CODE-09", "CONF-02"},
)
def rate_limited_vendor(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("bfl", "rate_limited"):
        yield


@fault(
    "CODE-23",
    "a vendor lets no more requests through, and another sends text where an image should be",
    relatives={"CODE-09", "CONF-02"},
)
def rate_limited_and_broken_vendors(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("bfl", "rate_limited"), bench.provider_fault("recraft", "wrong_type"):
        yield


# An interception answers preflights by itself, so this is found only where the page is left to itself.
@fault(
    "CODE-23",
    "the API's preflight refuses the header that the page sends",
    relatives={"SEC-07", "CODE-14", "CODE-22"},
)
def refused_header(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    before = client.get_api(ApiId=api)["CorsConfiguration"]
    client.update_api(ApiId=api, CorsConfiguration={**before, "AllowHeaders": ["content-type"]})
    try:
        yield
    finally:
        client.update_api(ApiId=api, CorsConfiguration=before)


@fault(
    "CODE-23",
    "the page's own policy blocks the images",
    relatives={"CDN-16", "CODE-15", "CODE-16", "CODE-22"},
)
def blocked_images(bench: Bench) -> Iterator[None]:
    change = ("build/deployment.ts", "`img-src 'self' data: ${images.join(' ')}`", "\"img-src 'self' data:\"")
    with _page(bench, change):
        yield
